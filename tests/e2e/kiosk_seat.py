"""A testing centre's seat for tests: the files as ``install.sh`` lays them out, the account, the real compositor.

The compositor has no display (``WLR_BACKENDS=headless``) and will not run as root, so that all of it happens in a mount
namespace of its own with another ``/etc`` (the account, the declaration), another ``/tmp`` and an account that is used
for nothing else. What the test sees of it is below ``folder``.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KIOSK = ROOT / "packaging" / "kiosk"
ACCOUNT = 64_771
INSIDE = Path("/mnt/seat")
TEMPORARY = Path("/tmp")  # noqa: S108  (a seat has another one; a checkout below this one is kept)
PROGRAMS = {"cage": "cage", "Xwayland": "xwayland", "grim": "grim", "xdotool": "xdotool", "setpriv": "util-linux"}
# Turned upside down: a picture that fills a display without a graphics card is otherwise handed to it as it is, and
# wlroots 0.15 copies nothing of such a one.
UPSIDE_DOWN = "-r -r"

_NAMESPACE = """
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /mnt
mkdir /mnt/seat /mnt/etc /mnt/keep
mount --bind "$FOLDER" /mnt/seat
mount --bind /etc /mnt/etc
i=0
for place in $KEEP; do i=$((i + 1)); mkdir -p /mnt/keep/$i; mount --bind "$place" /mnt/keep/$i; done
for place in $CLOSED; do mount -t tmpfs -o mode=755 none "$place"; done
mount -t tmpfs -o mode=1777 none /tmp
i=0
for place in $KEEP; do i=$((i + 1)); mkdir -p "$place"; mount --move /mnt/keep/$i "$place"; done
mount -t tmpfs -o mode=755 none /etc
for entry in /mnt/etc/*; do ln -s "$entry" /etc/; done
rm -rf /etc/passwd /etc/group /etc/fairlock
cp /mnt/etc/passwd /mnt/etc/group /etc/
echo "fairlock-kiosk:x:$ACCOUNT:$ACCOUNT::/mnt/seat/evidence:/usr/sbin/nologin" >> /etc/passwd
echo "fairlock-kiosk:x:$ACCOUNT:" >> /etc/group
ln -s /mnt/seat/root/etc/fairlock /etc/fairlock
mkdir -p /mnt/seat/run /mnt/seat/evidence
chown "$ACCOUNT:$ACCOUNT" /mnt/seat/run /mnt/seat/evidence
chmod 700 /mnt/seat/run /mnt/seat/evidence
exec setpriv --reuid="$ACCOUNT" --regid="$ACCOUNT" --clear-groups --inh-caps=-all env -i "$@"
"""
# The X server took the first number that was free on the whole machine; in this /tmp there is no other.
_ON_ITS_DISPLAY = 'DISPLAY=:$(ls /tmp/.X11-unix | tr -d X) exec "$@"'


class Seat:
    """Lays a seat out below ``folder`` and runs turns on it; ``settings`` is the text of its ``kiosk.toml``."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder = folder
        root = folder / "root"
        program = folder / "fairlock"
        # The copies under test, whatever is installed.
        program.write_text(f'#!/bin/sh\ncd "$HOME"\nPYTHONPATH= exec {sys.executable} -c "{_LAUNCH}" "$@"\n')
        program.chmod(0o755)
        command = [str(KIOSK / "install.sh"), "--root", str(root), "--fairlock", str(INSIDE / "fairlock")]
        subprocess.run(command, check=True, timeout=30)
        declaration = root / "etc" / "fairlock" / "kiosk.toml"
        declaration.write_text(settings)
        declaration.chmod(0o644)
        folder.chmod(0o755)

    @property
    def evidence(self) -> Path:
        """What outlives a turn."""
        return self.folder / "evidence"

    @property
    def home(self) -> Path:
        """The home of this turn."""
        return self.folder / "run" / "fairlock-home"

    def shows_exam(self) -> bool:
        """Whether the exam was on the screen, by the pictures that a demonstration takes of itself."""
        return any((self.evidence / "pictures").glob("*-exam.png"))

    @contextmanager
    def turn(self, *arguments: str, **environment: str) -> "Iterator[subprocess.Popen[bytes]]":
        """Run ``kiosk-session`` for the duration of the block."""
        script = INSIDE / "root" / "usr" / "lib" / "fairlock" / "kiosk-session"
        with (self.folder / "turn.log").open("ab") as log:
            turn = subprocess.Popen(
                self._command([str(script), *arguments], environment),
                env=self._outside(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield turn
        finally:
            if turn.poll() is None:
                os.killpg(turn.pid, signal.SIGTERM)
            turn.wait(30)

    def join(self, turn: "subprocess.Popen[bytes]", *command: str) -> subprocess.CompletedProcess[str]:
        """Run ``command`` beside a turn, on its display and account, as somebody who got that far could."""
        variables = [f"{name}={value}" for name, value in {"WAYLAND_DISPLAY": "wayland-0", **_plain()}.items()]
        enter = ["nsenter", f"--mount=/proc/{turn.pid}/ns/mnt", "setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}"]
        enter += ["--clear-groups", "env", "-i", *variables, "sh", "-c", _ON_ITS_DISPLAY, "join"]
        return subprocess.run([*enter, *command], capture_output=True, text=True, timeout=30, check=False)

    def picture(self, turn: "subprocess.Popen[bytes]", name: str) -> Path:
        """Return a picture of what the seat's display shows now."""
        done = self.join(turn, "grim", str(INSIDE / "run" / name))
        assert done.returncode == 0, done.stderr
        return self.folder / "run" / name

    def log(self) -> str:
        """Return what the turns wrote."""
        return (self.folder / "turn.log").read_text(errors="replace")

    def _command(self, command: Sequence[str], extra: Mapping[str, str]) -> list[str]:
        environment = {
            "FAIRLOCK_HOME": str(INSIDE / "evidence"),
            "FAIRLOCK_CAGE_OPTIONS": UPSIDE_DOWN,
            "WLR_BACKENDS": "headless",
            "WLR_RENDERER": "pixman",
            "WLR_LIBINPUT_NO_DEVICES": "1",
            **_plain(),
            **extra,
        }
        variables = [f"{name}={value}" for name, value in environment.items()]
        return ["unshare", "--mount", "sh", "-c", _NAMESPACE, "seat", *variables, *command]

    def _outside(self) -> dict[str, str]:
        keep = sorted({*map(str, (ROOT, Path(sys.prefix), Path(sys.base_prefix)))})
        closed = sorted({str(place) for path in keep if (place := _closed(Path(path))) is not None})
        return {
            "PATH": os.environ["PATH"],
            "FOLDER": str(self.folder),
            "ACCOUNT": str(ACCOUNT),
            "KEEP": " ".join(
                path for path in keep if _closed(Path(path)) is not None or TEMPORARY in Path(path).parents
            ),
            "CLOSED": " ".join(closed),
        }


_LAUNCH = f"import sys; sys.path[:0] = ['{ROOT}']; from app.__main__ import main; sys.exit(main())"


def _plain() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(INSIDE / "run")}


def _closed(path: Path) -> Path | None:
    """Return the outermost folder above ``path`` that others may not enter, such as root's home."""
    return next((place for place in reversed(path.parents) if not place.stat().st_mode & 0o001), None)


def require() -> None:
    """Skip where a seat can't be built."""
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian package {package})")
    probe = ["unshare", "--mount", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs none /mnt"]
    if os.geteuid() != 0 or subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs more rights: only root builds a seat, in a mount namespace of its own")
