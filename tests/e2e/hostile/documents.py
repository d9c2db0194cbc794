"""An exam sheet as PDF and a film as WebM, made here so that the tests carry no binary files."""

import io
from fractions import Fraction

import av
import numpy as np

FILM_SIZE = (160, 120)


def sheet(link: str = "http://127.0.0.9/", action: str = "", words: str = "Question sheet") -> bytes:
    """Return a PDF of one page: words, a large red field that is a link, and optionally what happens when it opens."""
    drawing = f"1 0 0 rg 20 20 360 180 re f 0 g BT /F1 30 Tf 30 240 Td ({words}) Tj ET"
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {f'/OpenAction << {action} >>' if action else ''} >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> /Annots [6 0 R] >>",
        f"<< /Length {len(drawing)} >>\nstream\n{drawing}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Type /Annot /Subtype /Link /Rect [20 20 380 200] /Border [0 0 0] /A << /S /URI /URI ({link}) >> >>",
    ]
    written, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{content}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        written
        + (
            f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R >>\n"
            f"startxref\n{len(written)}\n%%EOF\n"
        ).encode()
    )


def film(seconds: int = 2) -> bytes:
    """Return a WebM film: VP9 of one green colour at 10 pictures a second, and Opus with a tone."""
    written = io.BytesIO()
    with av.open(written, "w", format="webm") as container:
        video = container.add_stream("libvpx-vp9", rate=10)
        video.width, video.height = FILM_SIZE
        video.pix_fmt = "yuv420p"
        video.options = {"deadline": "realtime", "cpu-used": "8"}
        audio = container.add_stream("libopus", rate=48_000)
        for _ in range(seconds * 10):
            picture = np.full((FILM_SIZE[1], FILM_SIZE[0], 3), (0, 200, 0), np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        tone = (np.sin(np.arange(48_000 * seconds) / 48_000 * 2 * np.pi * 440) * 8_000).astype(np.int16)
        for start in range(0, len(tone), 960):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 960], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
            container.mux(audio.encode(frame))
        container.mux(audio.encode())
    return written.getvalue()
