"""The weights that a model is made from: which files are official, and that no other is loaded unasked.

Loading a .pt runs code that is in it, so its sha256 is compared first. Runs where models are made.
"""

import hashlib
from pathlib import Path
from typing import Any

from training.refusals import BadData

OFFICIAL = {
    "0ebbc80d4a7680d14987a577cd21342b65ecfd94632bd9a8da63ae6417644ee1": "v8.3.0/yolo11n.pt",
    "9b09cc8bf347f0fc8a5f7657480587f25db09b34bf33b0652110fb03a8ad4fef": "v8.4.0/yolo26n.pt",
}
"""sha256 of a file → where it lies below ``ASSETS``."""
ASSETS = "https://github.com/ultralytics/assets/releases/download/"


def digest(path: Path, *, trust: bool) -> str:
    """Return the sha256 of the weights. Raises ``BadData`` if they are not there, or neither official nor trusted."""
    if not path.is_file():
        raise BadData(f"There is no file {path}. Name the .pt to start from: WEIGHTS=yolo11n.pt")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found not in OFFICIAL and not trust:
        raise BadData(
            f"{path} has sha256 {found}, which is not official. If you know where the file is from, say --trust to "
            "load it (OPTIONS=--trust); if it was fetched, delete it, for it may have been cut off."
        )
    return found


def loaded(yolo: Any, path: Path) -> Any:
    """Return the model in ``path``, read by ``yolo`` (``ultralytics.YOLO``). Raises ``BadData`` if it holds none."""
    try:
        model = yolo(str(path))
        _ = model.names, model.model.model[-1]
    except Exception as error:  # what unpickling something else raises is anything
        why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BadData(
            f"{path} can not be loaded as a model ({why}). Give a .pt of ultralytics' YOLO11 for detection."
        ) from error
    return model
