"""What a display says about itself: the base block of EDID (VESA E-EDID 1.4). Pure.

Its serial number is not read: which copy of a model it is, is nobody's business.
"""

from dataclasses import dataclass

BLOCK_BYTES = 128
_HEADER = bytes((0, 255, 255, 255, 255, 255, 255, 0))
_DESCRIPTORS = (54, 72, 90, 108)
_NAME, _TEXT = 0xFC, 0xFE


@dataclass(frozen=True, slots=True, kw_only=True)
class Edid:
    """``maker`` is the three letters of the registry of PNP ids, ``product`` the maker's number of the model.

    ``name`` is empty where the display has none (panels of laptops often have none).
    """

    maker: str
    product: int
    name: str

    @property
    def title(self) -> str:
        """What to call it: "DEL DELL U2720Q", or "BOE 0A1C" if it has no name."""
        return f"{self.maker} {self.name or f'{self.product:04X}'}"


def parse(data: bytes) -> Edid | None:
    """Return what ``data`` (an EDID of one or more blocks) says, or ``None`` if it is none or damaged."""
    block = data[:BLOCK_BYTES]
    if len(block) < BLOCK_BYTES or not block.startswith(_HEADER) or sum(block) % 256:
        return None
    maker = _maker(int.from_bytes(block[8:10], "big"))
    if maker is None:
        return None
    texts = {tag: text for tag in (_TEXT, _NAME) if (text := _text(block, tag))}
    name = texts.get(_NAME) or texts.get(_TEXT, "")
    return Edid(maker=maker, product=int.from_bytes(block[10:12], "little"), name=name)


def _maker(packed: int) -> str | None:
    """Three letters of five bits each, A is 1."""
    letters = [(packed >> shift) & 0b11111 for shift in (10, 5, 0)]
    return "".join(chr(ord("A") + number - 1) for number in letters) if all(1 <= n <= 26 for n in letters) else None


def _text(block: bytes, tag: int) -> str:
    """Return the text of the first display descriptor ``tag``: code page 437, ended by a line feed; ASCII is kept."""
    for start in _DESCRIPTORS:
        descriptor = block[start : start + 18]
        if descriptor[:3] == bytes(3) and descriptor[3] == tag:
            text = descriptor[5:].split(b"\n")[0].decode("ascii", errors="ignore")
            return " ".join("".join(letter for letter in text if letter.isprintable()).split())
    return ""
