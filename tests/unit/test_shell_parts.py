"""The small pure parts of the shell: keys, time, pauses, quit code, reports, words, libraries, flags, colours."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.codes import stored_form
from app.contract.errors import Fatal, Unsupported, UserFacing
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability, Lockdown
from app.messages import Check, Engaged, ProcessInfo, Report, Visited
from app.shell import engine, icons, keys, libraries, quitting, selftest, text
from app.shell.checking import Machine, Round, own_checks
from app.shell.countdown import Countdown
from app.shell.locking import Lock, required_of
from app.shell.pauses import EVENTS, ORDER, Pauses
from app.shell.quitting import Answer, QuitCode
from app.shell.reports import MOST_IN_WINDOW, MOST_VISITS, Reports
from app.shell.route import Endpoint
from lockdown import linux_wayland
from lockdown.capabilities import Part
from lockdown.macos import desktop as macos
from lockdown.windows import desktop as windows
from tests.unit.shell_policies import POLICY

GOOD = Check(name="Camera", ok=True, blocking=True, message="")


@pytest.mark.parametrize(
    ("key", "modifiers", "name"),
    [
        ("Tab", {"Alt"}, "Alt+Tab"),
        ("Backtab", {"Alt", "Shift"}, "Alt+Shift+Tab"),
        ("F4", {"Alt"}, "Alt+F4"),
        ("Super_L", set(), "Super_L"),
        ("D", {"Meta"}, "Meta+D"),
        ("Print", set(), "Print"),
        ("F12", set(), "F12"),
        ("I", {"Ctrl", "Shift"}, "Ctrl+Shift+I"),
        ("Delete", {"Ctrl", "Alt"}, "Ctrl+Alt+Delete"),
        ("F1", {"Ctrl", "Alt"}, "Ctrl+Alt+F1"),
        ("P", {"Ctrl"}, "Ctrl+P"),
    ],
)
def test_combinations_that_mean_nothing_in_an_exam(key: str, modifiers: set[str], name: str) -> None:
    assert keys.blocked(key, modifiers) == name


@pytest.mark.parametrize(
    ("key", "modifiers"),
    [("A", set()), ("Tab", set()), ("Backtab", {"Shift"}), ("C", {"Ctrl"}), ("V", {"Ctrl"}), ("Z", {"Ctrl"}),
     ("B", {"Ctrl"}), ("Q", {"Ctrl", "Alt"}), ("E", {"Ctrl", "Alt"}), ("F5", set()), ("Left", {"Ctrl", "Shift"})],
)  # fmt: skip
def test_keys_needed_to_write_stay_free(key: str, modifiers: set[str]) -> None:
    assert keys.blocked(key, modifiers) is None


def test_the_countdown_stands_still_only_while_held() -> None:
    clock = ManualClock()
    time = Countdown(clock, 100)
    clock.advance(50)
    assert time.shown_s() == 100
    time.start()
    clock.advance(30)
    time.hold()
    clock.advance(500)
    time.hold()
    assert time.shown_s() == 70
    time.go_on()
    clock.jump_wall(10_000)
    clock.advance(69)
    assert not time.is_up()
    clock.advance(1)
    assert time.is_up()


def test_the_exam_closes_when_its_policy_ceases_to_hold_whatever_was_held() -> None:
    clock = ManualClock()
    time = Countdown(clock, 100, closes_in_s=50.0)
    clock.advance(60)
    assert not time.is_up(), "nobody has seen it yet"
    time = Countdown(clock, 100, closes_in_s=50.0)
    time.start()
    assert time.shown_s() == 50
    time.hold()
    clock.advance(49)
    assert not time.is_up()
    clock.advance(1)
    assert time.is_up()
    unlimited = Countdown(clock, None, closes_in_s=10.0)
    unlimited.start()
    clock.advance(10)
    assert unlimited.is_up()


def test_without_a_limit_the_time_counts_up() -> None:
    clock = ManualClock()
    time = Countdown(clock, None)
    time.start()
    clock.advance(61)
    assert time.shown_s() == 61
    assert not time.is_up()


def test_every_reason_to_pause_has_words_and_an_event() -> None:
    assert set(ORDER) == set(EVENTS) == set(text.COVER_TITLES) == set(text.COVER_LINES)


def test_the_last_reason_to_go_decides() -> None:
    pauses = Pauses()
    assert pauses.add("frozen")
    stopped = [pauses.stops_time]
    pauses.add("pause", "Fire alarm")
    stopped.append(pauses.stops_time)
    assert stopped == [False, True]
    assert pauses.first == ("pause", "Fire alarm")
    assert pauses.remove("pause")
    assert pauses.first == ("frozen", "")
    assert not pauses.remove("pause")


def test_wrong_quit_codes_take_longer_and_longer() -> None:
    clock = ManualClock()
    code = QuitCode(stored_form("31"), clock)
    waits = []
    assert code.attempt("no") == Answer.WRONG
    for _ in range(4):
        waited = 0
        while code.attempt("no") == Answer.TOO_SOON:
            clock.advance(1)
            waited += 1
        waits.append(waited)
    assert waits == sorted(waits)
    assert waits[-1] > waits[0]
    clock.advance(100)
    assert code.attempt(" 31 ") is Answer.RIGHT
    assert QuitCode(None, clock).attempt("") is Answer.WRONG


def test_quit_codes_tried_before_a_restart_make_the_next_wait_as_long() -> None:
    clock, counted = ManualClock(), list[int]()
    code = QuitCode(stored_form("31"), clock, tries=4, on_try=counted.append)
    clock.advance(15)
    assert code.attempt("31") is Answer.TOO_SOON
    assert counted == [], "what was not looked at is no try"
    clock.advance(2)
    assert code.attempt("no") is Answer.WRONG
    clock.advance(31)
    assert code.attempt("31") is Answer.TOO_SOON
    clock.advance(2)
    assert code.attempt("31") is Answer.RIGHT
    assert counted == [5, 6]


def test_a_quit_code_is_counted_before_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def looked_at(_code: str, _stored: bytes) -> bool:
        steps.append("looked at")
        return False

    monkeypatch.setattr(quitting, "is_code", looked_at)
    QuitCode(stored_form("31"), ManualClock(), on_try=lambda number: steps.append(f"try {number}")).attempt("31")
    assert steps == ["try 1", "looked at"]


def test_reports_wait_for_the_recording_and_never_flood() -> None:
    clock, sent = ManualClock(), list[object]()
    reports = Reports(clock)
    reports.note(IncidentKind.ENVIRONMENT, {"a": "1"})
    assert sent == []
    reports.open(sent.append)
    assert len(sent) == 1
    for _ in range(50):
        reports.note(IncidentKind.NAVIGATION_BLOCKED, {"address": "same"})
    assert len(sent) == 2
    for number in range(100):
        reports.note(IncidentKind.NAVIGATION_BLOCKED, {"address": str(number)})
    assert len(sent) == 1 + MOST_IN_WINDOW
    clock.advance(61)
    reports.note(IncidentKind.NAVIGATION_BLOCKED, {"address": "later"})
    left_out = sum(int(report.facts.get("left_out", 0)) for report in sent if isinstance(report, Report))
    assert left_out == 49 + 100 - (MOST_IN_WINDOW - 1)
    reports.hold()
    count = len(sent)
    reports.note(IncidentKind.DOWNLOAD_BLOCKED)
    assert len(sent) == count


def test_addresses_wait_for_the_recording_and_never_flood() -> None:
    clock, sent = ManualClock(), list[object]()
    reports = Reports(clock)
    for address in ("https://x/1", "https://x/1", "https://x/2", "https://x/1"):
        reports.visited(address)
    reports.open(sent.append)
    assert [visit.address[-1] for visit in sent if isinstance(visit, Visited)] == ["1", "2", "1"]
    for number in range(100):
        reports.visited(f"https://x/many/{number}")
    assert len(sent) == MOST_VISITS
    clock.advance(61)
    reports.visited("https://x/later")
    last = sent[-1]
    assert isinstance(last, Visited)
    assert (last.address, last.left_out) == ("https://x/later", 103 - MOST_VISITS)


def test_a_round_of_checks_is_good_only_when_everybody_has_answered() -> None:
    checks = Round()
    checks.add(GOOD)
    checks.recorder_done = True
    good = [checks.is_good]
    checks.examined()
    good.append(checks.is_good)
    checks.found(())
    good.append(checks.is_good)
    for blocking in (True, False):
        checks.add(Check(name="Camera", ok=False, blocking=blocking, message=""))
        good.append(checks.is_good)
    checks.could_not_close((ProcessInfo(pid=1, name="x", path="/x", rule="r"),))
    good.append(checks.is_good)
    assert good == [False, False, True, False, True, False]


def _absent(parts: Mapping[Capability, Part]) -> dict[Capability, Unsupported]:
    return {name: part for name, part in parts.items() if isinstance(part, Unsupported)}


def test_on_x11_the_desktop_is_good() -> None:
    checks = own_checks(Machine(platform="xcb", sandbox=True, displays=1), Lockdown().require)
    assert all(check.ok for check in checks)
    assert checks[0].message == text.DESKTOP_GOOD
    root = own_checks(Machine(platform="xcb", sandbox=False, displays=2), ())
    assert [check.message for check in root if not check.ok] == [text.SANDBOX_ROOT]


@pytest.mark.parametrize(
    ("platform", "parts", "lacks"),
    [
        ("wayland", linux_wayland.parts, {"holding the keyboard", "filling the screen"}),
        ("xcb", linux_wayland.parts, {"holding the keyboard", "filling the screen"}),  # X11 windows on Wayland
    ],
)
def test_what_a_desktop_cannot_hold_is_never_said_to_be_held(
    platform: str, parts: Callable[[], Mapping[Capability, Part]], lacks: set[str]
) -> None:
    machine = Machine(platform=platform, sandbox=True, displays=1, absent=_absent(parts()))
    desktop = own_checks(machine, ())[0]
    assert (desktop.ok, desktop.blocking) == (False, False)
    named = {name for name in text.CAPABILITY_NAMES.values() if f"{name} (" in desktop.message}
    assert named == lacks
    assert "written to the recording" in desktop.message
    refused = own_checks(machine, (Capability.INPUT_GUARD,))[0]
    assert (refused.ok, refused.blocking) == (False, True)
    assert "requires what is not available here: holding the keyboard (" in refused.message


@pytest.mark.parametrize(("platform", "absent"), [("windows", windows.absent), ("cocoa", macos.absent)])
def test_windows_and_macos_refuse_a_policy_that_hides_the_exam_from_recorders(
    platform: str, absent: Callable[[], Mapping[Capability, Unsupported]]
) -> None:
    machine = Machine(platform=platform, sandbox=True, displays=1, absent=absent())
    assert own_checks(machine, Lockdown().require)[0].ok
    refused = own_checks(machine, (Capability.CAPTURE_SHIELD,))[0]
    assert (refused.ok, refused.blocking) == (False, True)
    assert refused.message.endswith("take capture_shield out of what this exam requires.")


def test_wayland_is_refused_with_a_reason_where_the_policy_requires_as_usual() -> None:
    machine = Machine(platform="wayland", sandbox=True, displays=1, absent=_absent(linux_wayland.parts()))
    desktop = own_checks(machine, Lockdown().require)[0]
    assert desktop.blocking
    assert "filling the screen (Wayland lets no window keep itself on top)" in desktop.message
    assert desktop.message.endswith("choose the X11 (Xorg) session on the login screen, and log in again.")


def test_without_a_screen_only_an_exam_that_needs_none_starts() -> None:
    machine = Machine(platform="offscreen", sandbox=True, displays=1)
    assert [own_checks(machine, require)[0].blocking for require in ((), (Capability.KIOSK,))] == [False, True]


def test_what_the_window_lacks_counts_even_if_the_guard_holds_its_part() -> None:
    lock = Lock()
    lock.recording = lock.window = True
    complete = [lock.is_complete]
    lock.engaged = Engaged(holding=("input_guard",), missing={"sleep_guard": "none"})
    assert [*complete, lock.is_complete] == [False, True]
    missing = lock.missing({"input_guard": "not handed over"})
    assert required_of(missing, (Capability.INPUT_GUARD,)) == {"input_guard": "not handed over"}


@pytest.mark.parametrize(
    "said",
    [
        text.RECORDER_GONE,
        text.ASKED_TO_END,
        text.GUARD_GONE_ENDS,
        text.LOCK_TIMEOUT,
        text.IDENTITY_UNSUPPORTED,
        text.POLICY_UNREADABLE,
        text.END_DECLINED,
        text.END_CANCELLED,
        text.END_UNDO_HINT,
        text.PROGRAMS_LEFT,
        text.missing_capabilities({"kiosk": "It is not there."}),
    ],
)
def test_whatever_ends_or_stops_an_exam_says_what_to_do(said: str) -> None:
    deeds = "Open|open|Tell|tell|Ask|ask|Install|Start|Close"
    assert re.search(rf"(^|[.;] |, )(then )?({deeds}) ", said), said


def test_every_capability_has_a_name() -> None:
    assert set(text.CAPABILITY_NAMES) == {capability.value for capability in Capability}


def test_the_notice_says_what_the_policy_says() -> None:
    assert "your microphone" in text.recorded(POLICY).lower()
    assert text.readers(POLICY).startswith("Only Dr. Ada Okafor and Examination Office.")
    assert text.kept(POLICY) == "30 days, then University of Example deletes it."
    assert "decides" in text.detected(POLICY)


@pytest.mark.parametrize(
    ("objects", "faces", "said"),
    [
        (True, False, [True] * 3),
        (False, True, [False, True, False]),  # faces alone can't tell nobody from a lowered head
        (True, True, [True] * 3),
        (False, False, [False] * 3),
    ],
)
def test_whoever_counts_people_is_announced(objects: bool, faces: bool, said: list[bool]) -> None:
    words = text.detected(replace(POLICY, detection=replace(POLICY.detection, objects=objects, faces=faces)))
    assert [part in words for part in ("phones", "other persons", "or nobody being")] == said


@pytest.mark.parametrize(
    ("setting", "words"),
    [("looking_away", "a head turned away"), ("gaze", "eyes turned away"), ("continuity", "another face than at the")],
)
def test_what_is_asked_of_a_face_is_announced(setting: str, words: str) -> None:
    for on in (True, False):
        detection = replace(POLICY.detection, **{setting: on})
        assert (words in text.detected(replace(POLICY, detection=detection))) == on
        assert words not in text.detected(replace(POLICY, detection=replace(detection, faces=False)))


def test_durations_and_sizes_for_people() -> None:
    assert [text.clock(s) for s in (-5, 59.9, 61, 3661)] == ["00:00", "00:59", "01:01", "1:01:01"]
    assert [text.size(n) for n in (-1, 1_500, 2_500_000)] == ["0 kB", "2 kB", "2.5 MB"]


def test_a_missing_library_is_named_by_its_package(tmp_path: Path) -> None:
    cache = tmp_path / "ld.so.cache"
    cache.write_bytes(b"\0".join(name.encode() for name in libraries.ENGINE) + b"\0")
    libraries.check(x11=False, cache=cache)
    with pytest.raises(UserFacing) as caught:
        libraries.check(x11=True, cache=cache)
    assert "sudo apt install" in str(caught.value)
    assert "libxcb-cursor0" in str(caught.value)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    for name in libraries.X11:
        (bundle / name).touch()
    libraries.check(x11=True, cache=cache, bundle=bundle)
    libraries.check(x11=True, cache=tmp_path / "none")


def test_python_s_own_words_about_a_missing_library_become_a_sentence() -> None:
    error = ImportError("libnss3.so: cannot open shared object file: No such file or directory")
    assert "sudo apt install libnss3" in str(libraries.explain(error))
    assert "Install Fairlock again" in str(libraries.explain(ImportError("something else")))


def test_no_display_is_a_sentence() -> None:
    cache = Path(__file__)
    with pytest.raises(UserFacing) as caught:
        libraries.check_display({}, cache)
    assert caught.value.code == "E-DESKTOP"
    libraries.check_display({"DISPLAY": ":0"}, cache)


def test_the_engine_knows_only_the_hosts_of_the_exam() -> None:
    endpoints = [Endpoint(scheme="https", host=host, port=443) for host in ("*.example.org", "127.0.0.1")]
    flags = engine.flags(dict.fromkeys(endpoints, "DIRECT"), software_drawing=True)
    assert "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.example.org, EXCLUDE 127.0.0.1" in flags
    assert "--disable-gpu" in flags
    assert not [flag for flag in flags if "sandbox" in flag or "remote" in flag or "insecure" in flag]


def test_the_self_test_passes_here_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert selftest.run() == selftest.EXPECTED_COUNT
    monkeypatch.setattr(selftest, "CHECKS", selftest.CHECKS[1:])
    with pytest.raises(Fatal) as caught:
        selftest.run()
    assert caught.value.code == "E-SELF-TEST"


def test_the_self_test_notices_a_lost_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter((10_000, 9_800))
    monkeypatch.setattr("sys.getrefcount", lambda _object: next(counts))
    assert "lost" in selftest.check_none_is_kept()


def test_every_icon_is_there() -> None:
    assert all("currentColor" in icons.read(name) for name in icons.ICONS)
