"""HTTP itself: bodies, documents, headers and the console's files. No rule of an exam lives here."""
