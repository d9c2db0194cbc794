"""What is read of a Linux computer: from trees like those of real ones, and from this computer itself."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind
from app.contract.policy import Lockdown
from app.guard.examining import SurveyWatch
from lockdown import select
from lockdown.environment.displays import Screen
from lockdown.environment.evidence import Subject
from lockdown.environment.inspection import Insides
from lockdown.environment.media import MediaDevice
from lockdown.environment.plugs import InputDevice, Storage
from lockdown.environment.remote import Port
from tests.edids import make_edid
from tests.xserver import wait_for

if select.system() != "linux":
    pytest.skip("these folders are Linux's", allow_module_level=True)

from lockdown.linux_system.drm import read_screens
from lockdown.linux_system.hardware import read_hardware
from lockdown.linux_system.insides import family, own_folders, read_insides
from lockdown.linux_system.login import is_remote_desktop, remote_variables
from lockdown.linux_system.media import read_media_devices
from lockdown.linux_system.network import read_ports
from lockdown.linux_system.parts import KernelDisplays, Plugs, Surroundings
from lockdown.linux_system.plugs import read_inputs, read_storage
from lockdown.linux_system.rest import LidWatch, read_clocks
from lockdown.linux_system.roots import Roots
from lockdown.linux_system.uevents import DeviceEvents

POLICY = Lockdown()
NOBODY = lambda _pid: False  # noqa: E731  (a value handed to several)

KEYBOARD = """\
I: Bus=0011 Vendor=0001 Product=0001 Version=ab83
N: Name="AT Translated Set 2 keyboard"
P: Phys=isa0060/serio0/input0
S: Sysfs=/devices/platform/i8042/serio0/input/input4
U: Uniq=
H: Handlers=sysrq kbd leds event4
B: PROP=0
B: EV=120013
B: KEY=402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe
B: MSC=10
B: LED=7
"""
MOUSE = """\
I: Bus=0003 Vendor=046d Product=c077 Version=0111
N: Name="Logitech USB Optical Mouse"
P: Phys=usb-0000:00:14.0-2/input0
S: Sysfs=/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/0003:046D:C077.0002/input/input12
U: Uniq=
H: Handlers=mouse1 event7
B: PROP=0
B: EV=17
B: KEY=ff0000 0 0 0 0
B: REL=1943
B: MSC=10
"""
BUTTON = """\
I: Bus=0019 Vendor=0000 Product=0001 Version=0000
N: Name="Power Button"
P: Phys=PNP0C0C/button/input0
S: Sysfs=/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0C0C:00/input/input1
U: Uniq=
H: Handlers=kbd event1
B: PROP=0
B: EV=3
B: KEY=8000 10000000000000 0
"""
MADE = KEYBOARD.replace("/devices/platform/i8042/serio0/input/input4", "/devices/virtual/input/input20").replace(
    "AT Translated Set 2 keyboard", "ydotoold virtual device"
)
BLUETOOTH = KEYBOARD.replace(
    "/devices/platform/i8042/serio0/input/input4", "/devices/virtual/misc/uhid/0005:046D:B35B.0005/input/input30"
).replace("Bus=0011", "Bus=0005")


def _write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    target.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    made = Roots(sys=tmp_path / "sys", proc=tmp_path / "proc", run=tmp_path / "run", etc=tmp_path / "etc")
    _write(made.proc, {"bus/input/devices": "\n".join((KEYBOARD, MOUSE, BUTTON)) + "\n"})
    return made


def _disk(roots: Roots, name: str, device: str, files: Mapping[str, str]) -> None:
    folder = roots.sys / "devices" / device / "block" / name
    _link(roots.sys / "block" / name, folder)
    _write(folder, files)


# --- hardware ------------------------------------------------------------------------------------------------------


def test_hardware_is_read_and_bridges_are_no_adapters(roots: Roots) -> None:
    _write(roots.proc, {"cpuinfo": "model name\t: A CPU\nflags\t\t: fpu vme hypervisor sse\n\nflags\t\t: fpu\n"})
    _write(roots.sys / "class/dmi/id", {"sys_vendor": "LENOVO\n", "product_name": "20XW\n", "bios_vendor": ""})
    _write(roots.sys / "bus/pci/devices/0000:00:02.0", {"vendor": "0x8086\n", "device": "0x9a49\n"})
    _write(roots.sys / "class/net", {"wlp0/address": "54:e1:ad:00:00:01\n", "virbr0/address": "52:54:00:00:00:01\n"})
    (roots.sys / "class/net/wlp0/device").mkdir()
    _write(roots.sys / "class/power_supply/BAT0", {"type": "Battery\n"})
    _disk(roots, "sda", "pci0/ata1", {"device/vendor": "ATA     \n", "device/model": "Samsung SSD 870 \n"})
    hardware = read_hardware(roots)
    assert hardware.hypervisor_bit
    assert hardware.processor == "A CPU"
    assert hardware.firmware == ("LENOVO", "20XW")
    assert hardware.pci == ("8086:9a49",)
    assert hardware.macs == ("54:e1:ad:00:00:01",)
    assert hardware.disks == ("ATA Samsung SSD 870",)
    assert hardware.has_sensors is True
    assert not hardware.virtio


def test_the_hardware_of_this_computer_can_be_read() -> None:
    hardware = read_hardware(Roots())
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    assert hardware.hypervisor_bit == (" hypervisor" in flags)
    assert all(len(mac) == 17 for mac in hardware.macs)
    assert all(len(identity) == 9 for identity in hardware.pci)


# --- devices -------------------------------------------------------------------------------------------------------


def test_keyboards_and_mice_are_told_from_buttons(roots: Roots) -> None:
    assert read_inputs(roots) == [
        InputDevice(
            kind="keyboard",
            name="AT Translated Set 2 keyboard",
            identity="0001:0001",
            bus="built in",
            place="input4",
        ),
        InputDevice(kind="mouse", name="Logitech USB Optical Mouse", identity="046d:c077", bus="USB", place="input12"),
    ]


def test_a_keyboard_made_by_a_program_is_told_from_one_by_bluetooth(roots: Roots) -> None:
    _write(roots.proc, {"bus/input/devices": f"{MADE}\n{BLUETOOTH}"})
    made, bluetooth = read_inputs(roots)
    assert (made.is_made, made.name) == (True, "ydotoold virtual device")
    assert (bluetooth.is_made, bluetooth.bus) == (False, "Bluetooth")


def test_storage_is_named_and_what_is_built_in_is_known(roots: Roots) -> None:
    usb = "pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/host2/target2:0:0/2:0:0:0"
    _disk(roots, "sdb", usb, {"size": "62521344\n", "device/vendor": "SanDisk \n", "device/model": "Ultra  \n"})
    _disk(roots, "nvme0n1", "pci0000:00/nvme/nvme0", {"size": "1000215216\n", "device/model": "Samsung 980\n"})
    _disk(
        roots, "mmcblk0", "pci0000:00/mmc_host/mmc0", {"size": "61071360", "device/type": "SD", "device/name": "SU32G"}
    )
    _disk(
        roots,
        "mmcblk1",
        "pci0000:00/mmc_host/mmc1",
        {"size": "61071360", "device/type": "MMC", "device/name": "DF4032"},
    )
    _disk(roots, "vda", "pci0000:00/virtio1", {"size": "1024", "device/vendor": "0x1af4"})
    _disk(roots, "sr0", "pci0000:00/ata2", {"size": "0", "removable": "1"})
    _disk(roots, "loop0", "virtual", {"size": "8"})
    found = {storage.place: storage for storage in read_storage(roots)}
    assert found["sdb"] == Storage(
        place="sdb", model="SanDisk Ultra", size=62521344 * 512, bus="USB", is_removable=True
    )
    assert {place: storage.is_removable for place, storage in found.items()} == {
        "sdb": True,
        "nvme0n1": False,
        "mmcblk0": True,
        "mmcblk1": False,
        "vda": False,
    }
    assert found["vda"].model == ""


def test_a_stick_and_a_keyboard_that_come_and_go_are_reported_once_each(roots: Roots) -> None:
    events = DeviceEvents(())
    events.close()  # as where the kernel can't be heard: it is looked at every second
    clock = ManualClock()
    plugs = Plugs(clock, roots, events)
    watch = SurveyWatch(plugs, POLICY, clock, warn=lambda _concern: None)
    (listed,) = watch.begin()
    assert listed.facts == {
        "keyboards at the start": "AT Translated Set 2 keyboard (input4)",
        "mice at the start": "Logitech USB Optical Mouse (input12)",
    }
    assert watch.observe() == []
    _disk(roots, "sdb", "usb1/1-3", {"size": "62521344\n", "device/vendor": "SanDisk \n", "device/model": "Ultra  \n"})
    _write(roots.proc, {"bus/input/devices": f"{KEYBOARD}\n{MADE}\n"})
    clock.advance(1.0)
    found = [{"kind": finding.kind, **finding.facts} for finding in watch.observe()]
    assert [(one["device"], one["change"], one["name"]) for one in found] == [
        ("storage", "came", "SanDisk Ultra, 32 GB (sdb)"),
        ("keyboard", "came", "ydotoold virtual device (input20)"),
        ("mouse", "went", "Logitech USB Optical Mouse (input12)"),
    ]
    assert {one["kind"] for one in found} == {IncidentKind.DEVICE_CHANGED}
    clock.advance(1.0)
    assert watch.observe() == []


def test_a_kernel_that_names_no_keyboards_is_said(roots: Roots) -> None:
    (roots.proc / "bus/input/devices").unlink()
    plugs = Plugs(ManualClock(), roots)
    with pytest.raises(Unsupported, match="does not say which keyboards"):
        plugs.survey(POLICY)
    plugs.close()


def test_the_devices_of_this_computer_can_be_read() -> None:
    plugs = Plugs(ManualClock())
    places = {evidence.facts["place"] for evidence in plugs.survey(POLICY) if evidence.facts["device"] == "storage"}
    plugs.close()
    assert places <= {disk.name for disk in Path("/sys/block").iterdir()}


def test_the_kernel_is_heard_or_it_is_known_that_it_is_not() -> None:
    events = DeviceEvents(("block",))
    assert events.happened() in (True, False)
    events.close()
    events.close()
    assert not events.is_listening
    assert events.happened()


# --- cameras and sound ---------------------------------------------------------------------------------------------


def test_cameras_and_sound_cards_are_read(roots: Roots) -> None:
    real, made = roots.sys / "devices/pci0/usb1/1-7", roots.sys / "devices/virtual/video4linux/video4"
    for number in (0, 1):
        folder = real / f"video4linux/video{number}"
        _link(roots.sys / f"class/video4linux/video{number}", folder)
        _write(folder, {"name": "Integrated Camera\n"})
        _link(folder / "device", real)
    _link(real / "driver", roots.sys / "bus/usb/drivers/uvcvideo")
    _link(roots.sys / "class/video4linux/video4", made)
    _write(made, {"name": "HD Webcam\n"})
    (roots.sys / "module/v4l2loopback").mkdir(parents=True)
    cards = " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      HDA Intel PCH at 0xdf\n"
    cards += " 1 [Loopback       ]: Loopback - Loopback\n                      Loopback 1\n"
    _write(roots.proc, {"asound/cards": cards})
    _link(roots.sys / "class/sound/card1", roots.sys / "devices/virtual/sound/card1")
    assert read_media_devices(roots) == [
        MediaDevice(is_camera=True, name="Integrated Camera", driver="uvcvideo", relays=True),
        MediaDevice(is_camera=True, name="HD Webcam", on_a_bus=False, relays=True),
        MediaDevice(is_camera=False, name="HDA Intel PCH", driver="HDA-Intel"),
        MediaDevice(is_camera=False, name="Loopback", driver="snd_aloop", on_a_bus=False),
    ]


# --- network and login ---------------------------------------------------------------------------------------------

_TCP = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def _socket(local: int, remote: int, state: str, inode: int) -> str:
    return f"   0: 0100007F:{local:04X} 0100007F:{remote:04X} {state} 0:0 00:0 0 1000 0 {inode} 1\n"


def test_ports_of_remote_control_are_found_with_their_programs(roots: Roots) -> None:
    rows = (_socket(5900, 0, "0A", 11), _socket(5900, 50000, "01", 12), _socket(40000, 5938, "01", 13))
    others = (_socket(8000, 0, "0A", 14), _socket(3389, 0, "06", 15), _socket(7070, 0, "0A", 16))
    _write(roots.proc, {"net/tcp": _TCP + "".join((*rows, *others)), "net/tcp6": _TCP})
    for pid, inode in ((200, 11), (200, 12), (300, 16)):
        (roots.proc / f"{pid}/fd").mkdir(parents=True, exist_ok=True)
        (roots.proc / f"{pid}/fd/{inode}").symlink_to(f"socket:[{inode}]")
    (roots.proc / "200/exe").symlink_to("/usr/bin/x11vnc (deleted)")
    assert read_ports(roots, lambda pid: pid == 300) == [
        Port(number=5900, program="x11vnc", is_connected=False),
        Port(number=5900, program="x11vnc", is_connected=True),
        Port(number=5938, is_connected=True),
    ]


@pytest.mark.parametrize(
    ("record", "is_remote"),
    [
        ("UID=1000\nTYPE=x11\nREMOTE=1\n", True),
        ("UID=1000\nTYPE=wayland\nREMOTE=0\n", False),
        ("UID=1000\nTYPE=tty\nREMOTE=1\n", False),
        ("UID=1001\nTYPE=x11\nREMOTE=1\n", False),
    ],
)
def test_only_a_desktop_session_of_the_user_counts_as_remote(roots: Roots, record: str, is_remote: bool) -> None:
    _write(roots.run, {"systemd/sessions/2": record, "systemd/sessions/2.ref": ""})
    assert is_remote_desktop(roots, 1000) is is_remote


def test_of_variables_only_the_names_are_kept() -> None:
    assert remote_variables({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22", "HOME": "/"}) == ("SSH_CONNECTION",)


# --- our own processes ---------------------------------------------------------------------------------------------


def test_a_tracer_and_foreign_code_are_seen(roots: Roots) -> None:
    maps = (
        "7f00-7f10 r-xp 00000000 08:01 42 /home/kim/.cache/hook.so\n"
        "7f10-7f20 r--p 00000000 08:01 43 /home/kim/fonts/a.ttf\n"
        "7f20-7f30 r-xp 00000000 08:01 44 /usr/lib/libc.so.6\n"
        "7f30-7f40 r-xp 00000000 08:01 45 /home/kim/fairlock/lib/qt.so\n"
        "7f40-7f50 r-xp 00000000 08:01 46 /tmp/.glAbCdEf (deleted)\n"
        "7f50-7f60 rwxp 00000000 00:00 0 \n"
    )
    _write(roots.proc, {"100/status": "Name:\tx\nTracerPid:\t900\n", "100/maps": maps, "900/comm": "gdb\n"})
    _write(roots.etc, {"ld.so.preload": "/x.so\n"})
    assert read_insides(roots, [100], NOBODY, ["/home/kim/fairlock/"], "/home/kim") == Insides(
        tracers=("gdb",), libraries=("/home/kim/.cache/hook.so",), vanished=1, preloads=True
    )


def test_nothing_foreign_is_in_this_process_and_it_finds_its_family() -> None:
    me = os.getpid()
    assert read_insides(Roots(), [me], NOBODY, own_folders(), str(Path.home())).libraries == ()
    assert me in family(Roots(), me, NOBODY)
    assert family(Roots(), me, lambda pid: pid == os.getppid())[0] == os.getppid()


def test_the_surroundings_of_this_computer_can_be_surveyed() -> None:
    found = Surroundings(ManualClock(), NOBODY).survey(POLICY)
    assert {evidence.subject for evidence in found} <= set(Subject)
    assert all(evidence.signals for evidence in found)


# --- displays, sleep and lid ---------------------------------------------------------------------------------------


def test_connected_displays_are_named_by_what_they_say(roots: Roots) -> None:
    _write(
        roots.sys / "class/drm",
        {
            "card0/dev": "226:0",
            "card0-eDP-1/status": "connected\n",
            "card0-eDP-1/enabled": "enabled\n",
            "card0-eDP-1/modes": "1920x1200\n1280x800\n",
            "card0-eDP-1/edid": make_edid("BOE", 0x0A1C, ""),
            "card0-HDMI-A-1/status": "connected\n",
            "card0-HDMI-A-1/edid": make_edid("ELG", 1, "Elgato HD60") + bytes(128),
            "card0-DP-1/status": "disconnected\n",
        },
    )
    assert read_screens(roots) == [
        Screen(connector="HDMI-A-1", title="ELG Elgato HD60"),
        Screen(connector="eDP-1", title="BOE 0A1C", place="1920x1200"),
    ]
    found = KernelDisplays(ManualClock(), roots).survey(POLICY)
    assert [evidence.name for evidence in found if not evidence.ordinary] == [
        "ELG Elgato HD60 (HDMI-A-1)",
        "ELG Elgato HD60 (HDMI-A-1), BOE 0A1C (eDP-1)",
    ]


def test_without_a_graphics_driver_it_is_said_that_no_display_is_seen(roots: Roots) -> None:
    with pytest.raises(Unsupported, match="names no displays"):
        read_screens(roots)


def test_the_lid_is_reported_when_it_moves(roots: Roots) -> None:
    watch = LidWatch(roots)
    seen = [watch.observe()]
    for state in ("open", "open", "closed", "closed", "open"):
        _write(roots.proc, {"acpi/button/lid/LID0/state": f"state:      {state}\n"})
        seen.append(watch.observe())
    assert [[finding.facts["lid"] for finding in found] for found in seen] == [[], [], [], ["closed"], [], ["open"]]


def test_the_clock_that_counts_sleep_is_not_behind() -> None:
    clock = ManualClock(mono_ns=0)
    reading = read_clocks(clock)
    assert reading.at == clock.now()
    assert reading.boot_ns is not None
    assert reading.boot_ns > 0


# --- real processes and events -------------------------------------------------------------------------------------

_TRACER = """
import ctypes, subprocess, sys, time
child = subprocess.Popen(["sleep", "120"])
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE = 0x4206
ok = libc.ptrace(PTRACE_SEIZE, child.pid, None, None) == 0
print(child.pid if ok else f"refused {ctypes.get_errno()}", flush=True)
sys.stdin.read()
child.kill()
"""


def test_a_real_tracer_is_named() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", _TRACER], stdin=pipe, stdout=pipe, text=True) as tracer:
        assert tracer.stdout is not None
        said = tracer.stdout.readline().strip()
        if said.startswith("refused"):
            tracer.communicate()
            pytest.skip(f"this kernel lets no program trace its own child ({said})")
        insides = read_insides(Roots(), [int(said)], NOBODY, own_folders(), "/nowhere")
        ours = read_insides(Roots(), [int(said)], lambda pid: pid == tracer.pid, own_folders(), "/nowhere")
        tracer.communicate()
    assert insides.tracers == (Path(sys.executable).resolve().name,)
    assert ours.tracers == ()


@pytest.mark.parametrize("name", ["plain", os.fsdecode(b"\xff"), "line\nfeed"], ids=["plain", "no UTF-8", "line feed"])
def test_a_library_loaded_from_a_folder_of_the_user_is_named(tmp_path: Path, name: str) -> None:
    real = re.search(r"(/\S*libz\S*\.so\S*|/\S*libm\S*\.so\S*)", Path("/proc/self/maps").read_text(encoding="utf-8"))
    assert real is not None
    folder = tmp_path / name
    folder.mkdir()
    copy = folder / "hook.so"
    shutil.copy2(real[1], copy)
    code = f"import ctypes, sys; ctypes.CDLL({str(copy)!r}); print('loaded', flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loaded\n"
        seen = read_insides(Roots(), [process.pid], NOBODY, own_folders(), str(tmp_path))
        own = read_insides(Roots(), [process.pid], NOBODY, (*own_folders(), f"{folder}/"), str(tmp_path))
        process.communicate()
    assert seen.libraries == (str(copy),)
    assert own.libraries == ()


def test_the_kernels_word_about_a_device_is_heard() -> None:
    """The kernel is asked to say again that a disk changed, which it tells as if it had."""
    says_again = next(Path("/sys/block").glob("*/uevent"), None)
    if says_again is None or not os.access(says_again, os.W_OK):
        pytest.skip("only the administrator may ask the kernel to repeat itself")
    block, sound = DeviceEvents(("block",)), DeviceEvents(("sound",))
    if not block.is_listening:
        pytest.skip("the kernel is not to be heard here")
    block.happened()
    says_again.write_text("change")
    wait_for(block.happened, "the kernel's word")
    assert not sound.happened()
    for events in (block, sound):
        events.close()
