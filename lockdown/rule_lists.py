"""Reads rules: the lists that come with Fairlock (``resources/processes.toml``) and the policy's own entries. Pure."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import resources

from app.contract.errors import IntegrityError, Outcome
from app.contract.policy import Lockdown
from lockdown.rules import POLICY_RULE, Rule, Rules, key

_HASH_DIGITS = 64


def builtin_rules(system: str) -> Rules:
    """Return the rules that come with Fairlock for ``system``: "linux", "windows" or "macos"."""
    text = resources.files("resources").joinpath("processes.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    prohibit = tuple(
        Rule(id=category, names=_keys(row.get(system, ())), original_names=_keys(row.get(f"{system}_original", ())))
        for category, row in table["prohibited"].items()
    )
    return Rules(
        prohibit=prohibit,
        permit=Rule(id="permitted"),
        system=_keys(table["system"][system]),
        assistive=_keys(table["assistive"][system]),
        runtimes=_keys(table["runtime"]["names"]),
    )


def with_policy(rules: Rules, lockdown: Lockdown) -> Rules:
    """Return ``rules`` and the policy's. Raises ``IntegrityError(BAD_FORMAT)`` for an entry not understood."""
    own = policy_rule(POLICY_RULE, lockdown.prohibit)
    return replace(rules, prohibit=(own, *rules.prohibit), permit=policy_rule("permitted", lockdown.permit))


def policy_rule(rule: str, entries: Iterable[str]) -> Rule:
    """Read a policy's list: ``name``, ``original:NAME``, ``signer:NAME``, ``path:GLOB`` or ``sha256:HEX`` each.

    Raises ``IntegrityError(BAD_FORMAT)``: a misspelt entry must not mean "off".
    """
    found: Mapping[str, list[str]] = {"name": [], "original": [], "signer": [], "path": [], "sha256": []}
    for entry in entries:
        kind, colon, value = entry.partition(":")
        kind, value = (kind, value) if colon else ("name", entry)
        well_formed = bool(value.strip()) and (kind != "sha256" or _is_hash(value))
        if kind not in found or not well_formed:
            raise IntegrityError(Outcome.BAD_FORMAT, f"lockdown: {entry!r} is not a rule for programs")
        found[kind].append(value)
    return Rule(
        id=rule,
        names=_keys(found["name"]),
        original_names=_keys(found["original"]),
        signers=frozenset(value.strip().casefold() for value in found["signer"]),
        paths=tuple(found["path"]),
        hashes=frozenset(value.lower() for value in found["sha256"]),
    )


def _keys(names: Sequence[str]) -> frozenset[str]:
    return frozenset(key(name) for name in names)


def _is_hash(value: str) -> bool:
    return len(value) == _HASH_DIGITS and all(digit in "0123456789abcdefABCDEF" for digit in value)
