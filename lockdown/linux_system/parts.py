"""The parts of lockdown that need only the kernel: surroundings, devices, and displays without a window system.

Each answers a survey whenever it is asked; it changes nothing and opens no device.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from app.contract.policy import Lockdown
from app.contract.times import Clock
from lockdown.capabilities import unsupported
from lockdown.environment.displays import signs_of_displays
from lockdown.environment.evidence import Evidence, Subject
from lockdown.environment.inspection import Insides, signs_of_inspection
from lockdown.environment.machine import signs_of_virtual_machine
from lockdown.environment.media import signs_of_made_up_device
from lockdown.environment.pacing import Paced
from lockdown.environment.plugs import evidence_of_input, evidence_of_storage
from lockdown.environment.remote import Client, Session, signs_of_remote_session
from lockdown.linux_system.drm import read_screens
from lockdown.linux_system.hardware import read_hardware
from lockdown.linux_system.insides import family, own_folders, read_insides
from lockdown.linux_system.login import is_remote_desktop, remote_variables
from lockdown.linux_system.media import read_media_devices
from lockdown.linux_system.network import read_ports
from lockdown.linux_system.plugs import read_inputs, read_storage
from lockdown.linux_system.roots import Roots
from lockdown.linux_system.uevents import DeviceEvents

SURROUNDINGS_S = 10.0
DEVICES_S = 10.0
DEVICES_UNHEARD_S = 1.0
"""How often devices are looked at although the kernel said nothing, and where it can't be heard."""


class WindowSystem(Protocol):
    """What the window system knows of remote control (``lockdown.linux_x11.remote.XSession``)."""

    @property
    def display(self) -> str:
        """Its name."""
        ...

    def extensions(self) -> Sequence[str]:
        """Return the names of its extensions."""
        ...

    def outputs(self) -> Sequence[str]:
        """Return the names of its displays."""
        ...

    def clients(self) -> Sequence[Client]:
        """Return the programs of others that are connected to it."""
        ...


class Surroundings:
    """Implements ``RemoteWatch``: virtual machine, remote session, debugger, made-up cameras and sound cards."""

    def __init__(
        self,
        clock: Clock,
        is_own: Callable[[int], bool],
        window_system: WindowSystem | None = None,
        roots: Roots | None = None,
    ) -> None:
        self._roots = roots or Roots()
        self._is_own = is_own
        self._window_system = window_system
        self._machine = signs_of_virtual_machine(read_hardware(self._roots))
        self._paced = Paced(self._look, clock, period_s=lambda: SURROUNDINGS_S)

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        """Return the signs there are."""
        del policy
        return self._paced()

    def _look(self) -> tuple[Evidence, ...]:
        media = (signs_of_made_up_device(device) for device in read_media_devices(self._roots))
        found = (self._machine, signs_of_remote_session(self._session()), signs_of_inspection(self._insides()), *media)
        return tuple(evidence for evidence in found if evidence is not None)

    def _session(self) -> Session:
        window_system = self._window_system
        return Session(
            is_remote=is_remote_desktop(self._roots, os.getuid()),
            display=window_system.display if window_system is not None else "",
            variables=remote_variables(os.environ),
            extensions=tuple(window_system.extensions()) if window_system is not None else (),
            outputs=tuple(window_system.outputs()) if window_system is not None else (),
            ports=tuple(read_ports(self._roots, self._is_own)),
            clients=tuple(window_system.clients()) if window_system is not None else (),
        )

    def _insides(self) -> Insides:
        pids = family(self._roots, os.getpid(), self._is_own)
        return read_insides(self._roots, pids, self._is_own, own_folders(), str(Path.home()))


class Plugs:
    """Implements ``DeviceWatch``: storage, keyboards and mice. Looks when the kernel says that something changed."""

    def __init__(self, clock: Clock, roots: Roots | None = None, events: DeviceEvents | None = None) -> None:
        self._roots = roots or Roots()
        self._events = events or DeviceEvents(("block", "input"))
        self._paced = Paced(self._look, clock, period_s=self._period_s, is_due=self._has_changed)

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        """Return what is plugged in, ordinary or not. Raises ``Unsupported`` if the kernel does not say."""
        del policy
        return self._paced()

    def close(self) -> None:
        """Hear no more from the kernel. Idempotent."""
        self._events.close()

    def _has_changed(self) -> bool:
        return self._events.is_listening and self._events.happened()

    def _period_s(self) -> float:
        return DEVICES_S if self._events.is_listening else DEVICES_UNHEARD_S

    def _look(self) -> tuple[Evidence, ...]:
        try:
            inputs = read_inputs(self._roots)
        except OSError as problem:
            raise unsupported("The kernel does not say which keyboards there are.") from problem
        return (*map(evidence_of_storage, read_storage(self._roots)), *map(evidence_of_input, inputs))


class KernelDisplays:
    """Implements ``DisplayWatch`` where the window system does not say more; mirrored displays are not seen."""

    def __init__(self, clock: Clock, roots: Roots | None = None) -> None:
        self._roots = roots or Roots()
        self._allowed = 1
        self._paced = Paced(self._look, clock, period_s=lambda: DEVICES_UNHEARD_S)

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        """Return each display, and the signs of those that the policy may not want."""
        self._allowed = policy.displays
        return self._paced()

    def _look(self) -> tuple[Evidence, ...]:
        screens = read_screens(self._roots)
        there = (
            Evidence(subject=Subject.EXTRA_DISPLAYS, name=f"display {screen.name}", signals=(), ordinary=True)
            for screen in screens
        )
        return (*there, *signs_of_displays(screens, allowed=self._allowed))
