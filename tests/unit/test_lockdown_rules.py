"""Which programs are prohibited, and which must never be touched."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.errors import IntegrityError
from app.contract.policy import Lockdown
from lockdown.fake import FAKE_USER
from lockdown.family import ancestors, descendants
from lockdown.processes import Identity, Program
from lockdown.rule_lists import builtin_rules, policy_rule, with_policy
from lockdown.rules import Match, Rules, Surroundings, is_permitted, key, match

US = Surroundings(user=FAKE_USER, own=frozenset({500}))
BUILTIN = builtin_rules("linux")
HASH = "ab" * 32


class Executable:
    """What reading an executable would say; ``reads`` counts who asked for its hash."""

    def __init__(self, *, digest: str | None = None, original: str = "", signer: str = "", copy_of: str = "") -> None:
        self._digest = digest
        self._identity = Identity(original_name=original, signer=signer)
        self._copy_of = copy_of
        self.reads = 0

    def identity(self, _program: Program) -> Identity:
        return self._identity

    def sha256(self, _program: Program) -> str | None:
        self.reads += 1
        return self._digest

    def copy_of(self, _program: Program) -> str:
        return self._copy_of


def _program(name: str, *, path: str = "", pid: int = 900, user: str = FAKE_USER) -> Program:
    return Program(pid=pid, parent=1, created=1.0, name=name, path=path or f"/usr/bin/{name}", user=user)


def _rules(*prohibit: str, permit: tuple[str, ...] = ()) -> Rules:
    return with_policy(BUILTIN, Lockdown(prohibit=prohibit, permit=permit))


def _match(program: Program, rules: Rules = BUILTIN, **executable: Any) -> Match | None:
    return match(program, rules, US, Executable(**executable))


def _by(program: Program, rules: Rules = BUILTIN, **executable: Any) -> str | None:
    found = _match(program, rules, **executable)
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
    hit = _match(_program(name, path="/usr/bin/other"))
    assert (hit is not None) == (key(name) == "anydesk")


def test_the_name_of_the_file_counts_when_the_process_calls_itself_something_else() -> None:
    assert _by(_program("notes", path="/opt/anydesk")) == "name"
    assert _by(_program("notes", path="C:\\Program Files\\AnyDesk.exe")) == "name"


def test_a_renamed_file_is_caught_by_its_original_name() -> None:
    windows = builtin_rules("windows")
    assert _by(_program("notes"), windows, original="AnyDesk.exe") == "original name"
    assert _by(_program("notes"), windows, original="notepad.exe") is None


@pytest.mark.parametrize("id_", ["com.anydesk.Anydesk", "org.mozilla.firefox", "org.gnome.Terminal"])
def test_a_flatpak_or_desktop_id_counts_whatever_the_file_is_called(id_: str) -> None:
    assert _by(_program("app"), original=id_) == "original name"
    assert _by(_program("app"), original=f"{id_}.Extra") is None


def test_a_program_is_named_by_its_signer() -> None:
    rules = _rules("signer:AnyDesk Software GmbH")
    assert _by(_program("notes"), rules, signer="ANYDESK SOFTWARE GMBH") == "signer"
    assert _by(_program("notes"), rules, signer="AnyDesk Software") is None
    assert (
        _by(_program("anydesk"), _rules(permit=("signer:AnyDesk Software GmbH",)), signer="AnyDesk Software GmbH")
        is None
    )


def test_a_copy_of_an_installed_program_counts_as_that_program() -> None:
    found = _match(_program("notes"), copy_of="AnyDesk")
    assert found is not None
    assert (found.by, found.copy_of, found.rule) == ("copy", "anydesk", "remote-desktop")
    assert _match(_program("notes"), copy_of="libreoffice") is None
    assert _by(_program("notes"), _rules(permit=("anydesk",)), copy_of="anydesk") is None


def test_a_copy_that_borrows_the_name_of_a_screen_reader_is_a_copy_all_the_same() -> None:
    assert _by(_program("orca"), copy_of="anydesk") == "copy"


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
    executable = Executable(digest=HASH)
    assert match(_program("notes"), BUILTIN, US, executable) is None
    assert executable.reads == 0
    match(_program("notes"), _rules(f"sha256:{HASH}"), US, executable)
    assert executable.reads == 1


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
def test_the_system_and_assistive_technology_are_not_matched_by_what_they_are_called(name: str) -> None:
    assert _by(_program(name), _rules(name, "path:/usr/bin/*", "signer:GNOME"), signer="GNOME") is None


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_every_system_protects_its_screen_readers(system: str) -> None:
    reader = {"windows": "nvda.exe", "macos": "VoiceOver"}[system]
    rules = with_policy(builtin_rules(system), Lockdown(prohibit=(reader,)))
    assert _by(_program(reader), rules) is None


def test_a_borrowed_name_does_not_hide_a_listed_hash() -> None:
    assert _by(_program("orca"), _rules(f"sha256:{HASH}"), digest=HASH) == "hash"


@pytest.mark.parametrize("link", ["orca", "systemd", "bash"])
def test_a_link_with_a_protected_name_hides_nothing(link: str) -> None:
    """The name of a process is that of the link it was started by; its file keeps its own."""
    assert _by(_program(link, path="/usr/share/discord/discord")) == "name"
    assert _by(_program(link, path="/opt/notes/notes"), _rules("path:/opt/*")) == "path"


def test_a_link_with_a_permitted_name_hides_nothing() -> None:
    rules = _rules(permit=("firefox",))
    assert _by(_program("firefox", path="/usr/share/discord/discord"), rules) == "name"
    assert _by(_program("firefox", path="/opt/x/notes"), rules, original="com.discordapp.Discord") == "original name"
    assert _by(_program("firefox", path="/opt/x/launcher"), rules) is None


def test_a_screen_reader_that_an_interpreter_runs_is_protected_by_its_name() -> None:
    assert _by(_program("orca", path="/usr/bin/python3.11"), _rules("orca", "python3.11", "path:/usr/bin/*")) is None
    assert _by(_program("orca", path="/usr/bin/orca"), _rules("orca")) is None


@pytest.mark.parametrize("entry", ["sha265:" + HASH, "sha256:abc", "name:", "signer: ", "", "  ", "http://x"])
def test_a_misspelt_rule_is_refused(entry: str) -> None:
    with pytest.raises(IntegrityError, match="not a rule"):
        policy_rule("policy", [entry])


def test_permitting_all_names_takes_every_built_in_rule_back() -> None:
    rules = _rules(permit=tuple(BUILTIN.names))
    assert rules.prohibited_names() == frozenset()
    assert _by(_program("app"), rules, original="org.mozilla.firefox") is None
    assert "firefox" in BUILTIN.prohibited_names()
    assert "firefox" in _rules("firefox", permit=("firefox",)).prohibited_names()


def test_a_permitted_program_is_known_by_any_identity() -> None:
    rules = _rules(permit=("original:org.gnome.Calculator",))
    assert is_permitted(_program("app"), rules, Executable(original="org.gnome.Calculator"))
    assert not is_permitted(_program("app"), rules, Executable())


def test_a_terminal_that_started_us_is_closed_only_if_the_policy_itself_says_so() -> None:
    below = Surroundings(user=FAKE_USER, own=frozenset({500}), above=frozenset({900}))
    terminal, browser = _program("konsole"), _program("firefox")
    assert match(terminal, BUILTIN, below, Executable()) is None
    assert match(browser, BUILTIN, below, Executable()) is not None
    assert match(terminal, _rules("konsole"), below, Executable()) is not None


def test_what_started_us_is_followed_to_its_beginning() -> None:
    assert ancestors(40, {40: 30, 30: 20, 20: 1, 1: 0, 21: 20}) == {30, 20, 1}
    assert ancestors(2, {2: 3, 3: 2}) == {2, 3}
    assert ancestors(7, {}) == frozenset()


def test_our_tree_is_what_we_started_and_not_what_started_us() -> None:
    parents = {1: 0, 10: 1, 20: 10, 30: 20, 40: 30, 21: 10, 11: 1}
    assert descendants(20, parents) == {20, 30, 40}
    assert descendants(7, {}) == {7}
    assert descendants(2, {2: 3, 3: 2}) == {2, 3}
