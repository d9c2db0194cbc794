"""Answers surveys on Windows: what the computer and its session are like, which devices and displays there are."""

import ctypes
import os
from collections.abc import Sequence

from app.contract.policy import Lockdown
from app.contract.times import Clock
from lockdown.environment.displays import signs_of_displays
from lockdown.environment.evidence import Evidence, Subject
from lockdown.environment.inspection import Insides, signs_of_inspection
from lockdown.environment.machine import Hardware, signs_of_virtual_machine
from lockdown.environment.media import signs_of_made_up_device
from lockdown.environment.pacing import Paced
from lockdown.environment.plugs import evidence_of_input, evidence_of_storage
from lockdown.environment.remote import Session, signs_of_remote_session
from lockdown.windows import constants as c
from lockdown.windows import devices, smbios
from lockdown.windows.binary import BOOL, DWORD
from lockdown.windows.displays import screens
from lockdown.windows.functions import Api

SURROUNDINGS_S = 5.0
DEVICES_S = 1.0
_SMBIOS = int.from_bytes(b"RSMB", "big")


class Surroundings:
    """Implements ``RemoteWatch``: virtual machine, remote session, debugger, made-up cameras and microphones.

    **Does not stop** a machine prepared to hide; the hypervisor's bit and the adapters' addresses are not read here,
    because every laptop with Windows 11 shows them.
    """

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._machine = signs_of_virtual_machine(_hardware(api))
        self._paced = Paced(self._look, clock, period_s=lambda: SURROUNDINGS_S)

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        """Return the signs there are. Raises ``Unsupported``."""
        del policy
        return self._paced()

    def _look(self) -> tuple[Evidence, ...]:
        media = (signs_of_made_up_device(device) for device in devices.cameras_and_sound(self._api))
        session = signs_of_remote_session(Session(is_remote=_is_remote(self._api)))
        found = (self._machine, session, signs_of_inspection(_insides(self._api)), *media)
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


def _hardware(api: Api) -> Hardware:
    models = tuple(disk.model for disk in devices.disks(api) if disk.model)
    return Hardware(firmware=smbios.texts(_firmware(api)), pci=tuple(devices.pci(api)), disks=models)


def _firmware(api: Api) -> bytes:
    """Return the raw table, empty if there is none."""
    size = api.GetSystemFirmwareTable(_SMBIOS, 0, None, 0)
    if not size:
        return b""
    buffer = ctypes.create_string_buffer(size)
    written = api.GetSystemFirmwareTable(_SMBIOS, 0, buffer, size)
    return buffer.raw[:written]


def _is_remote(api: Api) -> bool:
    """Whether the session is shown elsewhere: it is a remote one, somebody follows it, or it is not the console's."""
    if api.GetSystemMetrics(c.SM_REMOTESESSION) or api.GetSystemMetrics(c.SM_REMOTECONTROL):
        return True
    session = DWORD()
    known = api.ProcessIdToSessionId(api.GetCurrentProcessId(), ctypes.byref(session))
    return bool(known) and session.value != api.WTSGetActiveConsoleSessionId()


def _insides(api: Api) -> Insides:
    """Look at this process and at the one that started it, which is the shell."""
    traced = api.IsDebuggerPresent() or any(_is_debugged(api, pid) for pid in (os.getpid(), os.getppid()))
    return Insides(tracers=("a debugger",) if traced else ())


def _is_debugged(api: Api, pid: int) -> bool:
    handle = api.OpenProcess(c.PROCESS_QUERY_INFORMATION, 0, pid)
    if not handle:
        return False
    try:
        answer = BOOL()
        return bool(api.CheckRemoteDebuggerPresent(handle, ctypes.byref(answer)) and answer.value)
    finally:
        api.CloseHandle(handle)
