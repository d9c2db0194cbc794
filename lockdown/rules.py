"""Which programs are prohibited: pure decisions over what was seen of a process. No system call is made here.

A rule names an executable by its exact name (case folded, without ``.exe``), its original name, a glob over its whole
path, or its SHA-256; never by a part of a name, which is how others locked out honest students. Some processes are
never matched: another user's, the system's, our own, and assistive technology.
"""

import fnmatch
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import PurePath, PureWindowsPath

from app.contract.errors import IntegrityError, Outcome
from app.contract.policy import Lockdown
from lockdown.processes import Program

POLICY_RULE = "policy"
_HASH_DIGITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; matches if any of its identities does. ``id`` is shown to people and written to incidents."""

    id: str
    names: frozenset[str] = frozenset()
    original_names: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    hashes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A program that a rule hit, and by which identity: "name", "original name", "path" or "hash"."""

    program: Program
    rule: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Who we are: ``user`` as ``Program.user`` spells it, and the process ids of our own tree."""

    user: str
    own: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of a session. ``permit`` takes back built-in rules; what the policy prohibits stays prohibited."""

    prohibit: tuple[Rule, ...]
    permit: Rule
    system: frozenset[str]
    assistive: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """Every prohibited name; for a policy that permits all but a few (rehearsals on a developer's machine)."""
        return frozenset(name for rule in self.prohibit for name in rule.names)

    @property
    def wants_hashes(self) -> bool:
        """Whether any rule needs the SHA-256 of executables, which costs reading them once."""
        return bool(self.permit.hashes) or any(rule.hashes for rule in self.prohibit)

    def with_policy(self, lockdown: Lockdown) -> "Rules":
        """Return these rules and the policy's. Raises ``IntegrityError(BAD_FORMAT)`` for an entry not understood."""
        own = policy_rule(POLICY_RULE, lockdown.prohibit)
        return replace(self, prohibit=(own, *self.prohibit), permit=policy_rule("permitted", lockdown.permit))


def builtin_rules(system: str) -> Rules:
    """Return the rules that come with Fairlock for ``system``: "linux", "windows" or "macos"."""
    text = resources.files("resources").joinpath("processes.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    prohibit = tuple(
        Rule(id=category, names=_keys(row.get(system, ())), original_names=_keys(row.get("original", ())))
        for category, row in table["prohibited"].items()
    )
    return Rules(
        prohibit=prohibit,
        permit=Rule(id="permitted"),
        system=_keys(table["system"][system]),
        assistive=_keys(table["assistive"][system]),
    )


def policy_rule(rule: str, entries: Iterable[str]) -> Rule:
    """Read a policy's list: ``name``, ``original:NAME``, ``path:GLOB`` or ``sha256:HEX`` each.

    Raises ``IntegrityError(BAD_FORMAT)``: a misspelt entry must not mean "off".
    """
    found: Mapping[str, list[str]] = {"name": [], "original": [], "path": [], "sha256": []}
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
        paths=tuple(found["path"]),
        hashes=frozenset(value.lower() for value in found["sha256"]),
    )


def match(
    program: Program, rules: Rules, around: Surroundings, sha256: Callable[[Program], str | None]
) -> Match | None:
    """Return the first rule that ``program`` breaks, or ``None``. ``sha256`` is asked only if a rule needs it."""
    if is_untouchable(program, around):
        return None
    digest = sha256(program) if rules.wants_hashes else None
    permitted = _hit(program, rules.permit, digest) is not None
    for rule in rules.prohibit:
        by = _hit(program, rule, digest)
        if by is None or (permitted and rule.id != POLICY_RULE):
            continue
        if by in ("name", "path") and is_protected_by_name(program, rules):
            continue
        return Match(program=program, rule=rule.id, by=by)
    return None


def is_untouchable(program: Program, around: Surroundings) -> bool:
    """Whether no rule may ever name it: another user's, the first processes, threads of the kernel, our own tree."""
    return program.user != around.user or program.pid in around.own or program.pid <= 2 or program.parent == 2


def is_protected_by_name(program: Program, rules: Rules) -> bool:
    """Whether it calls itself a part of the system or assistive technology.

    A name can be borrowed, so this guards against rules by name and path only: a hash or an original name is stronger.
    """
    return bool(_names(program) & (rules.system | rules.assistive))


def key(name: str) -> str:
    """Return the form in which names of executables are compared."""
    return name.strip().casefold().removesuffix(".exe")


def descendants(root: int, programs: Mapping[int, int]) -> frozenset[int]:
    """Return ``root`` and everything it started; ``programs`` maps each process id to its parent's.

    What started ``root`` is not part of it: a browser must not be safe because the exam's link was opened there.
    """
    children: dict[int, list[int]] = {}
    for pid, parent in programs.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children.get(pid, ()))
    return frozenset(found)


def _hit(program: Program, rule: Rule, digest: str | None) -> str | None:
    if _names(program) & rule.names:
        return "name"
    if program.original_name and key(program.original_name) in rule.original_names:
        return "original name"
    path = program.path.casefold()
    if path and any(fnmatch.fnmatchcase(path, glob.casefold()) for glob in rule.paths):
        return "path"
    if digest is not None and digest in rule.hashes:
        return "hash"
    return None


def _names(program: Program) -> frozenset[str]:
    """Both names it goes by: the process's, which it can change, and the file's. Never its arguments."""
    file = PureWindowsPath(program.path).name if "\\" in program.path else PurePath(program.path).name
    return frozenset(key(name) for name in (program.name, file) if name)


def _keys(names: Sequence[str]) -> frozenset[str]:
    return frozenset(key(name) for name in names)


def _is_hash(value: str) -> bool:
    return len(value) == _HASH_DIGITS and all(digit in "0123456789abcdefABCDEF" for digit in value)
