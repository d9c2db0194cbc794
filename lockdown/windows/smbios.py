"""What the firmware says about the computer: SMBIOS (DMTF DSP0134), as Windows hands it out. Pure.

Only makers and products are read. Serial numbers and the computer's unique number are not.
"""

from collections.abc import Iterator

_HEADER_BYTES = 8  # RawSMBIOSData: calling method, two version numbers, revision, and the length in four bytes
_END_OF_TABLE = 127
# structure type -> offsets of the numbers of the texts that are read
_WANTED = {
    0: (0x04, 0x05),  # BIOS: vendor, version
    1: (0x04, 0x05),  # system: manufacturer, product name
    2: (0x04, 0x05),  # board: manufacturer, product
    3: (0x04,),  # chassis: manufacturer
}


def texts(raw: bytes) -> tuple[str, ...]:
    """Return makers and products in the order of the table; ``raw`` is ``RawSMBIOSData``, damaged or not."""
    table = raw[_HEADER_BYTES:][: int.from_bytes(raw[4:_HEADER_BYTES], "little")]
    return tuple(text for text in _texts(table) if text)


def _texts(table: bytes) -> Iterator[str]:
    place = 0
    while place + 4 <= len(table):
        kind, length = table[place], table[place + 1]
        if kind == _END_OF_TABLE or length < 4:
            return
        formatted = table[place : place + length]
        end = table.find(b"\0\0", place + length)
        strings = table[place + length : end if end >= 0 else len(table)].split(b"\0")
        for offset in _WANTED.get(kind, ()):
            number = formatted[offset] if offset < len(formatted) else 0
            if 0 < number <= len(strings):
                yield strings[number - 1].decode("latin-1").strip()
        if end < 0:
            return
        place = end + 2
