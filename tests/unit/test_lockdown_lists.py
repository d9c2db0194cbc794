"""The lists of programs that come with Fairlock: well formed, without common words, and never against the system."""

import tomllib
from collections import Counter
from importlib import resources
from typing import Any

import pytest

from app.contract import schema
from app.contract.policy import Lockdown
from lockdown.rule_lists import builtin_rules, policy_rule
from lockdown.rules import key

SYSTEMS = ("linux", "windows", "macos")
TABLE: dict[str, Any] = tomllib.loads(resources.files("resources").joinpath("processes.toml").read_text("utf-8"))
CATEGORIES = {
    "remote-desktop",
    "screen-recorder",
    "virtual-camera",
    "messaging",
    "assistant",
    "text-expander",
    "clipboard-manager",
    "virtual-machine",
    "browser",
    "terminal",
    "automation",
}
# Executables that many innocent programs are called, or that the system itself runs.
COMMON_WORDS = """
    app application browser calculator cat client code cmd conhost cscript daemon desktop editor electron explorer find
    finder game helper host java launcher less loom main messages music node notes office open paste player powershell
    preview python python3 pwsh run screens server service session setup sh ssh start st terminal tor update updater vim
    wscript
"""
COMMON = set(COMMON_WORDS.split())


def test_every_category_stands_for_every_system() -> None:
    assert set(TABLE["prohibited"]) == CATEGORIES
    for category, row in TABLE["prohibited"].items():
        assert set(row) == {*SYSTEMS, *(f"{system}_original" for system in SYSTEMS)}, category
        assert all(row.values()), category


@pytest.mark.parametrize("column", [*SYSTEMS, *(f"{system}_original" for system in SYSTEMS)])
def test_no_name_stands_twice(column: str) -> None:
    count = Counter(key(name) for row in TABLE["prohibited"].values() for name in row[column])
    assert [name for name, times in count.items() if times > 1] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_prohibited_name_is_nobody_elses(system: str) -> None:
    rules = builtin_rules(system)
    prohibited = {name for rule in rules.prohibit for name in rule.names}
    assert len(prohibited) > 150
    assert not prohibited & (rules.system | rules.assistive | rules.runtimes | COMMON)
    assert not {name for name in prohibited if len(name) < 3 or name != name.strip()}


@pytest.mark.parametrize("system", SYSTEMS)
def test_all_names_of_the_list_fit_into_a_policy_that_permits_them(system: str) -> None:
    names = tuple(sorted(builtin_rules(system).names))
    permit = schema.loads(Lockdown, schema.dumps(Lockdown(permit=names))).permit
    again = policy_rule("permitted", permit)
    rules = builtin_rules(system).prohibit
    assert again.names == {name for rule in rules for name in rule.names}
    assert again.original_names == {name for rule in rules for name in rule.original_names}


@pytest.mark.parametrize(
    ("system", "names"),
    [
        ("linux", {"anydesk", "obs", "webcamoid", "discord", "ollama", "espanso", "copyq", "virtualbox", "firefox"}),
        ("linux", {"gnome-terminal-server", "konsole", "xdotool", "ydotool", "plugin-container"}),
        (
            "windows",
            {"teamviewer", "obs64", "manycam", "whatsapp", "cluely", "phraseexpress", "ditto", "vmware", "msedge"},
        ),
        ("windows", {"windowsterminal", "autohotkey64", "mousewithoutborders"}),
        (
            "macos",
            {"screen sharing", "obs", "camtwist", "facetime", "chatgpt", "textexpander", "maccy", "utm", "safari"},
        ),
        ("macos", {"iterm2", "keyboard maestro", "automator", "google chrome helper"}),
    ],
)
def test_what_people_cheat_with_is_there(system: str, names: set[str]) -> None:
    assert names <= {name for rule in builtin_rules(system).prohibit for name in rule.names}


def test_common_words_are_listed_by_their_id_only() -> None:
    originals = {name for rule in builtin_rules("macos").prohibit for name in rule.original_names}
    assert {"com.apple.terminal", "com.apple.mobilesms", "com.loom.desktop"} <= originals
