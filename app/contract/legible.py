"""Names of the system's (paths above all) as they can be sent, sealed and read anywhere. Pure, any thread.

On most systems a file name is bytes. Those that are no UTF-8 come as lone surrogates (PEP 383), which open the file and
match its rules, but are no text that JSON can carry. So the text stays as it came until it is told, and is made legible
there: a program must not go untold because of the folder it lies in. Unlike a sentence (``app.contract.words``) a name
keeps every byte, as a number, and its end: two files must not look like one.
"""

from collections.abc import Callable, Mapping

from app.contract.canonical import Json

MOST = 2_000
"""Characters of a fact. A name ends long before that; the path of a file may have twice as many."""


def legible(text: str) -> str:
    """Return ``text`` so that it can be written anywhere: what is no UTF-8 is shown as numbers (``\\udcff``)."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def legible_json(value: Json, told: Callable[[str], str] = legible) -> Json:
    """Return ``value`` with every text in it as ``told`` gives it (or ``fact``: short, too); keys are ours and stay."""
    if isinstance(value, str):
        return told(value)
    if isinstance(value, Mapping):
        return {key: legible_json(item, told) for key, item in value.items()}
    return [legible_json(item, told) for item in value] if isinstance(value, list | tuple) else value


def fact(text: str, most: int = MOST) -> str:
    """Return ``text`` legible and at most ``most`` characters long; its middle goes: a path is known by its ends."""
    whole = legible(text)
    if len(whole) <= most:
        return whole
    half = (most - 1) // 2
    return f"{whole[:half]}…{whole[-half:]}"
