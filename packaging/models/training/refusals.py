"""What data, options or files are refused with, and the sentence that the scripts end with. Pure.

The scripts catch ``REFUSED`` at their edge, each in its ``main``: what goes wrong with somebody's files is said in a
sentence with what to do, and never as a traceback.
"""


class BadData(Exception):
    """What was given can not be used as it is; the message says what to do."""


REFUSED = (BadData, OSError, RuntimeError, ImportError)
"""Our own refusals, files that can not be read or written, torch's word for a device or memory that is not there, and
torch itself, where it is not."""


def said(error: Exception) -> str:
    """Return a refusal as a sentence for people, with what to do."""
    if isinstance(error, BadData):
        return str(error)
    if isinstance(error, OSError):
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return f"{what}. Check that the path is right, may be read and written, and that the disk is not full."
    if isinstance(error, ImportError):
        return f"{error}. Run this by make models or make train, which install what it needs."
    return f"torch stopped: {error}\nIf memory ran out, give a smaller --batch or --train-size, else another --device."
