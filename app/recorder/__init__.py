"""The recorder process: capture, detection, sealing, upload, and all that is said to the server. No Qt."""
