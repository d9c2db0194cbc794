"""Evidence about what is plugged in: storage, keyboards, mice. Pure; the devices are read elsewhere.

Storage is named, never opened and never ejected. Serial numbers are not kept.
"""

from dataclasses import dataclass

from lockdown.environment.evidence import CERTAIN, Evidence, Signal, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A disk, stick or card with something in it. ``place`` is the system's name ("sdb"), ``size`` in bytes.

    ``is_removable`` is whether it can be plugged in and out: what the computer was built with is no concern.
    """

    place: str
    model: str
    size: int
    bus: str
    is_removable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDevice:
    """A keyboard or mouse. ``identity`` is "vendor:product" in hex; ``is_made``: a program made it, not hardware.

    ``place`` tells two of the same model apart as long as both are there.
    """

    kind: str
    name: str
    identity: str
    bus: str
    place: str
    is_made: bool = False


def evidence_of_storage(storage: Storage) -> Evidence:
    """Return what is to be said about ``storage``; what is built in is ordinary."""
    name = f"{storage.model or 'storage'}, {size(storage.size)}"
    facts = {"device": "storage", "bus": storage.bus, "place": storage.place}
    signals = (Signal(says=f"{name} is plugged in ({storage.bus})", weight=CERTAIN),) if storage.is_removable else ()
    return Evidence(
        subject=Subject.STORAGE_DEVICES,
        name=f"{name} ({storage.place})",
        signals=signals,
        facts=facts,
        ordinary=not storage.is_removable,
    )


def evidence_of_input(device: InputDevice) -> Evidence:
    """Return what is to be said about ``device``; all but those that a program made are ordinary."""
    signal = Signal(says=f"the {device.kind} {device.name} is made by a program", weight=CERTAIN)
    return Evidence(
        subject=Subject.INPUT_DEVICES,
        name=f"{device.name} ({device.place})",
        signals=(signal,) if device.is_made else (),
        facts={"device": device.kind, "bus": device.bus, "id": device.identity},
        ordinary=not device.is_made,
    )


def size(count: int) -> str:
    """Return bytes as they stand on the package: "32 GB"."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if count >= unit:
            return f"{count / unit:.0f} {name}" if count >= 10 * unit else f"{count / unit:.1f} {name}"
    return f"{count} bytes"
