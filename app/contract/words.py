"""What others say (a server, a proxy, the system, a device) as words that can be shown, sealed and sent. Pure."""

import re

LONGEST = 4_000
"""Characters of a sentence for people; the longest of ours quote the end of a log."""

_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Lone surrogates, which UTF-8 has no bytes for, and control characters other than a tabulator and a new line."""


def words(text: str, longest: int = LONGEST) -> str:
    """Return ``text``, at most ``longest`` characters of it, with U+FFFD for each character that is no text.

    JSON may hold half of a surrogate pair (RFC 8259, 8.2), and Python puts one into a file name for each byte that is
    no UTF-8 (PEP 383); neither can be encoded.
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return _NO_TEXT.sub("\ufffd", text)
