"""Which programs are prohibited, and which must never be touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.errors import IntegrityError
from app.contract.policy import Lockdown
from lockdown.fake import FAKE_USER
from lockdown.processes import Program
from lockdown.rules import Rules, Surroundings, builtin_rules, descendants, key, match, policy_rule

US = Surroundings(user=FAKE_USER, own=frozenset({500}))
BUILTIN = builtin_rules("linux")
HASH = "ab" * 32


def _program(name: str, *, path: str = "", pid: int = 900, **fields: str) -> Program:
    values = {"user": FAKE_USER, "original_name": "", **fields}
    return Program(pid=pid, parent=1, created=1.0, name=name, path=path or f"/usr/bin/{name}", **values)


def _rules(*prohibit: str, permit: tuple[str, ...] = ()) -> Rules:
    return BUILTIN.with_policy(Lockdown(prohibit=prohibit, permit=permit))


def _by(program: Program, rules: Rules = BUILTIN, *, digest: str | None = None) -> str | None:
    found = match(program, rules, US, lambda _program: digest)
    return found.by if found is not None else None


@pytest.mark.parametrize("name", ["anydesk", "AnyDesk", "ANYDESK.EXE", "obs", "telegram-desktop", "firefox-esr"])
def test_a_listed_name_matches_in_any_case(name: str) -> None:
    assert _by(_program(name)) == "name"


@pytest.mark.parametrize("name", ["obsidian", "jobs", "myanydesk", "anydesk2", "zoomtext", "steams", "firefoxy", "o"])
def test_a_part_of_a_name_never_matches(name: str) -> None:
    assert _by(_program(name)) is None


@given(prefix=st.text(max_size=8), suffix=st.text(max_size=8))
def test_only_the_whole_name_matches(prefix: str, suffix: str) -> None:
    name = f"{prefix}anydesk{suffix}".replace("/", "-").replace("\\", "-")
    hit = match(_program(name, path="/usr/bin/other"), BUILTIN, US, lambda _program: None)
    assert (hit is not None) == (key(name) == "anydesk")


def test_the_name_of_the_file_counts_when_the_process_calls_itself_something_else() -> None:
    assert _by(_program("notes", path="/opt/anydesk")) == "name"
    assert _by(_program("notes", path="C:\\Program Files\\AnyDesk.exe")) == "name"


def test_a_renamed_file_is_caught_by_its_original_name() -> None:
    windows = builtin_rules("windows")
    assert _by(_program("notes", original_name="AnyDesk.exe"), windows) == "original name"
    assert _by(_program("notes", original_name="notepad.exe"), windows) is None


def test_a_renamed_file_is_caught_by_its_hash() -> None:
    rules = _rules(f"sha256:{HASH.upper()}")
    assert _by(_program("notes"), rules, digest=HASH) == "hash"
    assert _by(_program("notes"), rules, digest="cd" * 32) is None
    assert _by(_program("notes"), rules, digest=None) is None


def test_a_path_matches_as_a_whole() -> None:
    rules = _rules("path:/home/*/cheats/*")
    assert _by(_program("x", path="/home/me/cheats/x"), rules) == "path"
    assert _by(_program("x", path="/mnt/home/me/cheats/x"), rules) is None


def test_hashes_are_not_computed_when_no_rule_wants_them() -> None:
    def never(program: Program) -> str | None:
        raise AssertionError("read an executable for nothing")

    assert match(_program("notes"), BUILTIN, US, never) is None


def test_the_policy_permits_what_the_list_prohibits() -> None:
    assert _by(_program("firefox"), _rules(permit=("Firefox",))) is None
    assert _by(_program("chromium"), _rules(permit=("Firefox",))) == "name"


def test_what_the_policy_prohibits_it_does_not_permit() -> None:
    assert _by(_program("firefox"), _rules("firefox", permit=("firefox",))) == "name"


@pytest.mark.parametrize(
    "program",
    [
        _program("anydesk", user="0"),
        _program("anydesk", pid=500),
        _program("anydesk", pid=1),
    ],
    ids=["another user's", "our own", "the first process"],
)
def test_some_processes_are_never_touched_whatever_they_are(program: Program) -> None:
    assert _by(program, _rules("anydesk", f"sha256:{HASH}", "path:*"), digest=HASH) is None


@pytest.mark.parametrize("name", ["orca", "systemd", "gnome-shell", "Xorg", "onboard", "bash"])
def test_the_system_and_assistive_technology_are_not_matched_by_name_or_path(name: str) -> None:
    assert _by(_program(name), _rules(name, "path:/usr/bin/*")) is None


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_every_system_protects_its_screen_readers(system: str) -> None:
    reader = {"windows": "nvda.exe", "macos": "VoiceOver"}[system]
    rules = builtin_rules(system).with_policy(Lockdown(prohibit=(reader,)))
    assert _by(_program(reader), rules) is None


def test_a_borrowed_name_does_not_hide_a_listed_hash() -> None:
    assert _by(_program("orca"), _rules(f"sha256:{HASH}"), digest=HASH) == "hash"


@pytest.mark.parametrize("entry", ["sha265:" + HASH, "sha256:abc", "name:", "", "  ", "http://x"])
def test_a_misspelt_rule_is_refused(entry: str) -> None:
    with pytest.raises(IntegrityError, match="not a rule"):
        policy_rule("policy", [entry])


@pytest.mark.parametrize("system", ["linux", "windows", "macos"])
def test_the_list_is_sane(system: str) -> None:
    rules = builtin_rules(system)
    prohibited = [name for rule in rules.prohibit for name in rule.names]
    assert len(prohibited) > 40
    assert len(prohibited) == len(set(prohibited)), "a name stands in two categories"
    assert not set(prohibited) & (rules.system | rules.assistive)
    assert not {"python", "python3", "code", "terminal", "explorer", "finder"} & set(prohibited)


def test_our_tree_is_what_we_started_and_not_what_started_us() -> None:
    parents = {1: 0, 10: 1, 20: 10, 30: 20, 40: 30, 21: 10, 11: 1}
    assert descendants(20, parents) == {20, 30, 40}
    assert descendants(7, {}) == {7}
    assert descendants(2, {2: 3, 3: 2}) == {2, 3}
