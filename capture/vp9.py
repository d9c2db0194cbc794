"""The VP9 frame that shows a picture once more: one byte, where encoding the picture again costs what any other costs.

Source: VP9 Bitstream & Decoding Process Specification 0.6, sections 6.2 and 7.2, ``show_existing_frame``. Such a frame
changes nothing in a decoder, so that the encoder need not know of it. Pure functions on bytes.
"""

_PLAIN = 0x80  # marker 2, profile 0, no show_existing_frame
_PLAIN_MASK = 0xF8
_NOT_KEY, _SHOWN, _RESILIENT = 0x04, 0x02, 0x01
_SHOW_EXISTING = 0x88


def repeated(frame: bytes) -> bytes | None:
    """Return the frame that shows the picture of ``frame`` again.

    ``None`` where that is not possible: ``frame`` is not of profile 0, is not shown itself, or no decoder keeps it.
    """
    if len(frame) < 3 or frame[0] & _PLAIN_MASK != _PLAIN or not frame[0] & _SHOWN:
        return None
    slots = _refreshed(frame)
    return bytes([_SHOW_EXISTING | (slots & -slots).bit_length() - 1]) if slots else None


def _refreshed(frame: bytes) -> int:
    """Return ``refresh_frame_flags``: a bit for each of the decoder's eight slots in which the picture is kept."""
    if not frame[0] & _NOT_KEY:
        return 0xFF
    # Two bits of reset_frame_context come before it, unless the frame is error resilient.
    return frame[1] if frame[0] & _RESILIENT else (frame[1] << 8 | frame[2]) >> 6 & 0xFF
