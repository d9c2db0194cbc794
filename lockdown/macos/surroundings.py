"""Answers surveys on macOS: what the computer and its session are like, which devices and displays there are."""

import ctypes
import os
from collections.abc import Callable, Sequence

from app.contract.policy import Lockdown
from app.contract.times import Clock
from lockdown.environment.displays import signs_of_displays
from lockdown.environment.evidence import Evidence, Signal, Subject
from lockdown.environment.inspection import Insides, signs_of_inspection
from lockdown.environment.machine import Hardware, signs_of_virtual_machine
from lockdown.environment.pacing import Paced
from lockdown.environment.plugs import evidence_of_input, evidence_of_storage
from lockdown.environment.remote import Client, Session, signs_of_remote_session
from lockdown.macos import devices
from lockdown.macos.core import released, value_of
from lockdown.macos.displays import screens
from lockdown.macos.functions import Api

SURROUNDINGS_S = 5.0
DEVICES_S = 1.0
_LONGEST_TEXT = 256
# sysctl: CTL_KERN, KERN_PROC, KERN_PROC_PID; struct kinfo_proc of a 64-bit system, and p_flag in it
_PROCESS = (1, 14, 1)
_PROCESS_BYTES, _FLAGS_AT, _TRACED = 648, 32, 0x800

ProgramNames = Callable[[], Sequence[str]]
"""Returns the names of the programs that run now."""


class Surroundings:
    """Implements ``RemoteWatch``: virtual machine, remote session, debugger.

    ``programs`` tells whether screen sharing runs. **Does not stop** a machine prepared to hide; cameras and
    microphones that a program makes are not looked for here (programs that make them are prohibited by name).
    """

    def __init__(self, api: Api, clock: Clock, programs: ProgramNames) -> None:
        self._api = api
        self._programs = programs
        self._machine = _signs_of_machine(api)
        self._paced = Paced(self._look, clock, period_s=lambda: SURROUNDINGS_S)

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        """Return the signs there are. Raises ``Unsupported``."""
        del policy
        return self._paced()

    def _look(self) -> tuple[Evidence, ...]:
        clients = tuple(Client(program=name) for name in sorted(set(self._programs())))
        session = signs_of_remote_session(Session(is_remote=not _is_on_console(self._api), clients=clients))
        found = (self._machine, session, signs_of_inspection(_insides(self._api)))
        return tuple(evidence for evidence in found if evidence is not None)


class Plugs:
    """Implements ``DeviceWatch``: storage, keyboards and mice."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._paced = Paced(self._look, clock, period_s=lambda: DEVICES_S)

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        """Return what is plugged in, ordinary or not. Raises ``Unsupported``."""
        del policy
        return self._paced()

    def _look(self) -> tuple[Evidence, ...]:
        inputs = devices.keyboards_and_mice(self._api)
        return (*map(evidence_of_storage, devices.disks(self._api)), *map(evidence_of_input, inputs))


class Displays:
    """Implements ``DisplayWatch``."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._allowed = 1
        self._paced = Paced(self._look, clock, period_s=lambda: DEVICES_S)

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        """Return each display, and the signs of those that the policy may not want. Raises ``Unsupported``."""
        self._allowed = policy.displays
        return self._paced()

    def _look(self) -> tuple[Evidence, ...]:
        shown = screens(self._api)
        there = (
            Evidence(subject=Subject.EXTRA_DISPLAYS, name=f"display {screen.name}", signals=(), ordinary=True)
            for screen in shown
        )
        return (*there, *signs_of_displays(shown, allowed=self._allowed))


def _signs_of_machine(api: Api) -> Evidence | None:
    model = _text(api, "hw.model")
    found = signs_of_virtual_machine(
        Hardware(
            firmware=(model,) if model else (),
            processor=_text(api, "machdep.cpu.brand_string"),
            disks=tuple(disk.model for disk in devices.disks(api) if disk.model),
        )
    )
    signals = found.signals if found is not None else ()
    if _whole(api, "kern.hv_vmm_present") == 1:
        # Unlike Windows, macOS is never its own hypervisor's guest.
        signals = (Signal(says="macOS says that it runs under a hypervisor", weight=900), *signals)
    return Evidence(subject=Subject.VIRTUAL_MACHINE, signals=signals) if signals else None


def _is_on_console(api: Api) -> bool:
    """Whether this login is the one at the screen; where macOS does not say, it is."""
    with released(api, api.CGSessionCopyCurrentDictionary()) as session:
        return value_of(api, session, "kCGSSessionOnConsoleKey") is not False


def _insides(api: Api) -> Insides:
    """Look at this process and at the one that started it, which is the shell."""
    traced = any(_is_traced(api, pid) for pid in (os.getpid(), os.getppid()))
    return Insides(tracers=("a debugger",) if traced else ())


def _is_traced(api: Api, pid: int) -> bool:
    question = (ctypes.c_int32 * 4)(*_PROCESS, pid)
    answer, length = ctypes.create_string_buffer(_PROCESS_BYTES), ctypes.c_size_t(_PROCESS_BYTES)
    done = api.sysctl(question, len(question), answer, ctypes.byref(length), None, 0)
    if done != 0 or length.value != _PROCESS_BYTES:
        return False
    return bool(int.from_bytes(answer.raw[_FLAGS_AT : _FLAGS_AT + 4], "little") & _TRACED)


def _whole(api: Api, name: str) -> int:
    answer, length = ctypes.c_int32(), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int32))
    done = api.sysctlbyname(name.encode(), ctypes.byref(answer), ctypes.byref(length), None, 0)
    return answer.value if done == 0 else 0


def _text(api: Api, name: str) -> str:
    answer, length = ctypes.create_string_buffer(_LONGEST_TEXT), ctypes.c_size_t(_LONGEST_TEXT)
    done = api.sysctlbyname(name.encode(), answer, ctypes.byref(length), None, 0)
    return answer.value.decode(errors="replace") if done == 0 else ""
