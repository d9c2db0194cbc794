"""What the shell hands to the recorder when it is spawned. Picklable, and free of secrets."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderOptions:
    """``samples`` are only for demonstrations: footage used where a device is missing, and said so everywhere.

    ``models`` maps a detection task (objects, faces, speech) to a model file; empty means: look them up.
    """

    home: Path
    sample_camera: Path | None = None
    sample_microphone: Path | None = None
    sample_note: str = ""
    prefer_samples: bool = False
