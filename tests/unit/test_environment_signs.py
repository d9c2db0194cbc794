"""Signs of remote control, debuggers, made-up cameras and displays: what counts, and what an honest desk shows too."""

from collections.abc import Callable

import pytest

from app.contract.legible import fact
from app.contract.policy import Lockdown
from lockdown.environment.displays import Screen, signs_of_displays
from lockdown.environment.evidence import Evidence, Subject
from lockdown.environment.inspection import Insides, signs_of_inspection
from lockdown.environment.media import MediaDevice, signs_of_made_up_device
from lockdown.environment.plugs import InputDevice, Storage, evidence_of_input, evidence_of_storage, size
from lockdown.environment.remote import Client, Port, Session, signs_of_remote_session

LEAST = Lockdown().evidence_permille

HONEST = {
    "a desktop as it is": Session(display=":0", extensions=("RANDR", "RECORD", "XTEST"), outputs=("eDP-1",)),
    "somebody logged in by SSH beside": Session(variables=("SSH_CONNECTION",)),
    "a service for remote desktops that waits": Session(ports=(Port(number=3389), Port(number=3350))),
    "GNOME's own one that waits": Session(ports=(Port(number=3389, program="gnome-remote-desktop-daemon"),)),
    "an exam site at a port of NoMachine": Session(ports=(Port(number=4000, is_connected=True),)),
    "a text expander and a panel": Session(
        clients=(Client(program="espanso", hears_keys=True), Client(program="conky", watches_screen=True))
    ),
}
REMOTE = {
    "the login manager calls it remote": Session(is_remote=True),
    "windows forwarded by SSH": Session(display="localhost:10.0", variables=("SSH_CONNECTION",)),
    "TigerVNC's server": Session(extensions=("RANDR", "VNC-EXTENSION"), outputs=("VNC-0",)),
    "xrdp's session": Session(variables=("XRDP_SESSION",), outputs=("rdp0",)),
    "x11vnc on the real screen": Session(
        ports=(Port(number=5900, program="x11vnc"),), clients=(Client(program="x11vnc", hears_keys=True),)
    ),
    "somebody is connected": Session(ports=(Port(number=5900, program="krfb", is_connected=True),)),
    "RustDesk under another case": Session(clients=(Client(program="RustDesk"),)),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_session_is_not_called_remote(name: str) -> None:
    evidence = signs_of_remote_session(HONEST[name])
    assert evidence is None or evidence.score < LEAST


@pytest.mark.parametrize("name", REMOTE)
def test_remote_control_is_recognised(name: str) -> None:
    evidence = signs_of_remote_session(REMOTE[name])
    assert evidence is not None
    assert evidence.score >= LEAST


@pytest.mark.parametrize(
    ("insides", "counts"),
    [
        (Insides(), False),
        (Insides(may_attach=True), False),
        (Insides(preloads=True, may_attach=True), False),
        (Insides(vanished=3), False),
        (Insides(libraries=("/home/kim/.local/lib/x.so",)), False),
        (Insides(libraries=("/media/stick/hook.so",), preloads=True), True),
        (Insides(libraries=("/media/a.so", "/media/b.so")), True),
        (Insides(tracers=("gdb",)), True),
    ],
)
def test_a_debugger_is_told_from_an_odd_library(insides: Insides, counts: bool) -> None:
    evidence = signs_of_inspection(insides)
    assert (evidence is not None and evidence.score >= LEAST) is counts


def test_a_sign_with_a_long_path_takes_no_room_from_others() -> None:
    long = tuple(f"/home/kim/{letter * 4_000}/{letter}.so" for letter in "ac")
    evidence = signs_of_inspection(Insides(libraries=(*long, "/home/kim/b.so")))
    assert evidence is not None
    told = fact(evidence.described()["signals"])
    assert all(f"/{letter}.so" in told for letter in "abc")


def _camera(name: str, *, driver: str = "uvcvideo", on_a_bus: bool = True, relays: bool = False) -> MediaDevice:
    return MediaDevice(is_camera=True, name=name, driver=driver, on_a_bus=on_a_bus, relays=relays)


@pytest.mark.parametrize(
    ("device", "counts"),
    [
        (_camera("Integrated Camera: Integrated C"), False),
        (_camera("Logitech BRIO", relays=True), False),
        # Cameras of laptops since 2022 reach programs through v4l2loopback.
        (_camera("Intel MIPI Camera", driver="v4l2loopback", on_a_bus=False, relays=True), False),
        (_camera("Some camera on no bus", driver="", on_a_bus=False), False),
        (_camera("HD Webcam", driver="", on_a_bus=False, relays=True), True),
        (_camera("OBS Virtual Camera", driver="v4l2loopback", on_a_bus=False, relays=True), True),
        (_camera("Dummy video device (0x0000)", driver="", on_a_bus=False), True),
        (_camera("DroidCam", driver="", on_a_bus=False), True),
        (MediaDevice(is_camera=False, name="HDA Intel PCH", driver="snd_hda_intel"), False),
        (MediaDevice(is_camera=False, name="bcm2835 Headphones", driver="bcm2835", on_a_bus=False), False),
        (MediaDevice(is_camera=False, name="Loopback", driver="snd_aloop", on_a_bus=False), True),
    ],
)
def test_a_made_up_device_is_told_from_a_real_one(device: MediaDevice, counts: bool) -> None:
    evidence = signs_of_made_up_device(device)
    assert (evidence is not None and evidence.score >= LEAST) is counts


PANEL = Screen(connector="eDP-1", title="BOE 0A1C", place="1920x1200+0+0", picture="0,0 1920x1200")
DESK = Screen(connector="HDMI-1", title="DEL DELL U2720Q", place="2560x1440+1920+0", picture="1920,0 2560x1440")


def _counting(*screens: Screen, allowed: int = 1) -> list[Evidence]:
    return [one for one in signs_of_displays(screens, allowed=allowed) if one.score >= LEAST]


def test_as_many_displays_as_allowed_are_no_concern() -> None:
    assert _counting(PANEL) == []
    assert _counting(PANEL, DESK, allowed=2) == []


def test_one_display_too_many_is_certain_and_both_are_named() -> None:
    (many,) = _counting(DESK, PANEL)
    assert many.score == 1000
    assert many.name == "DEL DELL U2720Q (HDMI-1), BOE 0A1C (eDP-1)"
    assert many.facts == {"displays": "2", "allowed": "1"}


def test_mirrored_displays_name_each_other() -> None:
    mirror = Screen(connector="HDMI-1", title="DEL DELL U2720Q", picture=PANEL.picture)
    found = _counting(PANEL, mirror, allowed=2)
    assert [one.signals[0].says for one in found] == [
        "it shows the same picture as BOE 0A1C (eDP-1)",
        "it shows the same picture as DEL DELL U2720Q (HDMI-1)",
    ]


@pytest.mark.parametrize(
    ("screen", "counts"),
    [
        (Screen(connector="VIRTUAL1"), True),
        (Screen(connector="Virtual-1", title="RHT QEMU Monitor"), True),
        (Screen(connector="VNC-0"), True),
        (Screen(connector="DUMMY0"), True),
        (Screen(connector="HDMI-1", title="LNX Virtual Display"), True),
        (Screen(connector="HDMI-2", title="ELG Elgato 4K X"), True),
        (Screen(connector="HDMI-2", title="AVT AVerMedia"), True),
        (Screen(connector="RIGHT", is_area=True), True),
        # A display over USB (DisplayLink) is a display like any other.
        (Screen(connector="DVI-I-1-1", title="DEL DELL P2419H"), False),
        # A projector at an old cable says nothing; the panel of a small computer neither.
        (Screen(connector="VGA-1"), False),
        (Screen(connector="DSI-1"), False),
        (Screen(connector="LVDS-1"), False),
    ],
)
def test_a_display_that_is_none_is_told_from_an_old_one(screen: Screen, counts: bool) -> None:
    assert bool(_counting(screen)) is counts


def test_what_is_built_in_is_ordinary_and_what_is_plugged_in_is_named() -> None:
    built_in = Storage(place="nvme0n1", model="Samsung SSD 980", size=10**12, bus="NVMe", is_removable=False)
    stick = Storage(place="sdb", model="SanDisk Ultra", size=32_010_928_128, bus="USB", is_removable=True)
    assert evidence_of_storage(built_in).ordinary
    evidence = evidence_of_storage(stick)
    assert not evidence.ordinary
    assert evidence.score == 1000
    assert evidence.described()["signals"] == "SanDisk Ultra, 32 GB is plugged in (USB)"


def test_a_keyboard_is_ordinary_unless_a_program_made_it() -> None:
    made: Callable[[bool], Evidence] = lambda is_made: evidence_of_input(  # noqa: E731
        InputDevice(kind="keyboard", name="ydotoold", identity="2333:6666", bus="USB", place="input9", is_made=is_made)
    )
    assert made(False).ordinary
    assert made(True).score == 1000
    assert made(True).subject is Subject.INPUT_DEVICES


@pytest.mark.parametrize(
    ("count", "words"), [(500, "500 bytes"), (1_500_000, "1.5 MB"), (32_010_928_128, "32 GB"), (2 * 10**12, "2.0 TB")]
)
def test_sizes_read_as_on_the_package(count: int, words: str) -> None:
    assert size(count) == words
