"""Core Foundation's values as Python's. What a function with "Create" or "Copy" in its name returns is given back."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from lockdown.macos.functions import Api

Value = str | int | float | bool | None

_UTF8 = 0x08000100
_SINT64, _FLOAT64 = 4, 6  # kCFNumberSInt64Type, kCFNumberFloat64Type
_LONGEST_TEXT = 2048


@contextmanager
def released(api: Api, reference: int | None) -> Iterator[int | None]:
    """Give ``reference`` back at the end of the block."""
    try:
        yield reference
    finally:
        if reference:
            api.CFRelease(reference)


@contextmanager
def text(api: Api, content: str) -> Iterator[int]:
    """Make a string for the block."""
    with released(api, api.CFStringCreateWithCString(None, content.encode(), _UTF8)) as reference:
        yield reference or 0


def items(api: Api, array: int | None) -> Iterator[int]:
    """Yield what an array holds; it stays the array's."""
    for place in range(api.CFArrayGetCount(array) if array else 0):
        if item := api.CFArrayGetValueAtIndex(array, place):
            yield item


def get(api: Api, dictionary: int | None, key: str) -> int | None:
    """Return the reference under ``key``, which stays the dictionary's."""
    if not dictionary:
        return None
    with text(api, key) as name:
        found: int | None = api.CFDictionaryGetValue(dictionary, name)
    return found


def value(api: Api, reference: int | None) -> Value:
    """Return what ``reference`` holds: a text, a number or a truth value; ``None`` for anything else."""
    if not reference:
        return None
    kind = api.CFGetTypeID(reference)
    if kind == api.CFStringGetTypeID():
        buffer = ctypes.create_string_buffer(_LONGEST_TEXT)
        done = api.CFStringGetCString(reference, buffer, len(buffer), _UTF8)
        return buffer.value.decode(errors="replace") if done else None
    if kind == api.CFBooleanGetTypeID():
        return bool(api.CFBooleanGetValue(reference))
    if kind == api.CFNumberGetTypeID():
        return _number(api, reference)
    return None


def value_of(api: Api, dictionary: int | None, key: str) -> Value:
    """Return what ``dictionary`` holds under ``key``."""
    return value(api, get(api, dictionary, key))


def _number(api: Api, reference: int) -> int | float | None:
    """Return a whole number if it is one: ``CFNumberGetValue`` says whether nothing was lost."""
    whole = ctypes.c_int64()
    if api.CFNumberGetValue(reference, _SINT64, ctypes.byref(whole)):
        return whole.value
    broken = ctypes.c_double()
    return broken.value if api.CFNumberGetValue(reference, _FLOAT64, ctypes.byref(broken)) else None
