"""Which programs are prohibited: pure decisions over what was seen of a process. No system call is made here.

A rule names an executable by its exact name (case folded, without ``.exe``), its original name, its signer, a glob over
its whole path, or its SHA-256; never by a part of a name, which is how others locked out honest students. A copy of a
prohibited program under another name counts as that program. Some processes are never matched: another user's, the
system's, our own, and assistive technology. ``lockdown.rule_lists`` reads the rules.
"""

import fnmatch
from dataclasses import dataclass
from typing import Protocol

from lockdown.processes import Identity, Program

POLICY_RULE = "policy"
TERMINAL_RULE = "terminal"
WEAK = frozenset({"name", "path", "signer"})
"""What protects a part of the system or assistive technology that a rule hits by nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; matches if any of its identities does. ``id`` is shown to people and written to incidents."""

    id: str
    names: frozenset[str] = frozenset()
    original_names: frozenset[str] = frozenset()
    signers: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    hashes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A program that a rule hit, and by what: "name", "path", "original name", "signer", "hash", or "copy".

    ``copy_of`` is the name of the installed program that a copy was made of.
    """

    program: Program
    rule: str
    by: str
    copy_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Who we are: ``user`` as ``Program.user`` spells it, the process ids of our own tree, and of what started it."""

    user: str
    own: frozenset[int]
    above: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of a session. ``permit`` takes back built-in rules; what the policy prohibits stays prohibited.

    ``runtimes`` are programs that run other people's programs: being one says nothing about what runs.
    """

    prohibit: tuple[Rule, ...]
    permit: Rule
    system: frozenset[str]
    assistive: frozenset[str]
    runtimes: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every prohibited name and original name, as a policy's entries; for a policy that permits all but a few.

        (Rehearsals on a developer's machine close nothing but their own decoys.)
        """
        plain = {name for rule in self.prohibit for name in rule.names}
        return frozenset(plain | {f"original:{name}" for rule in self.prohibit for name in rule.original_names})

    @property
    def wants_hashes(self) -> bool:
        """Whether any rule needs the SHA-256 of executables, which costs reading them once."""
        return bool(self.permit.hashes) or any(rule.hashes for rule in self.prohibit)

    def is_runtime(self, name: str) -> bool:
        """Whether ``name`` is a runtime's, with or without its version ("python3.11")."""
        return key(name) in self.runtimes or key(name).rstrip("0123456789.-") in self.runtimes

    def prohibited_names(self) -> frozenset[str]:
        """Return the names by which alone a program is prohibited."""
        policys = {name for rule in self.prohibit if rule.id == POLICY_RULE for name in rule.names}
        return frozenset({name for rule in self.prohibit for name in rule.names} - self.permit.names | policys)


class Inspection(Protocol):
    """What is asked of an executable only if its name decides nothing, because it costs reading it."""

    def identity(self, program: Program) -> Identity:
        """Return what it says it is."""
        ...

    def sha256(self, program: Program) -> str | None:
        """Return its SHA-256 (hex), or ``None`` if that is not known; asked only if a rule lists hashes."""
        ...

    def copy_of(self, program: Program) -> str:
        """Return the prohibited name of the installed program of which it is a copy, or an empty text."""
        ...


def match(program: Program, rules: Rules, around: Surroundings, inspect: Inspection) -> Match | None:
    """Return the first rule that ``program`` breaks, or ``None``."""
    if is_untouchable(program, around):
        return None
    traits = _Traits(program, rules, inspect)
    permitted = traits.permitted()
    for rule in rules.prohibit:
        by = None if rule.id != POLICY_RULE and (permitted or traits.permitted_by_name(rule)) else traits.hit(rule)
        if by is None or (by in WEAK and is_protected_by_name(program, rules)):
            continue
        if rule.id == TERMINAL_RULE and program.pid in around.above:
            continue  # Fairlock was started in it, and would end with it
        return Match(program=program, rule=rule.id, by=by, copy_of=traits.copy_of if by == "copy" else "")
    return None


def is_untouchable(program: Program, around: Surroundings) -> bool:
    """Whether no rule may ever name it: another user's, the first processes, threads of the kernel, our own tree."""
    return program.user != around.user or program.pid in around.own or program.pid <= 2 or program.parent == 2


def is_protected_by_name(program: Program, rules: Rules) -> bool:
    """Whether it calls itself a part of the system or assistive technology.

    A name can be borrowed, so this guards against ``WEAK`` hits only: what it is counts more than what it is called.
    The name of the process is whatever link it was started by: it counts only where the file says nothing.
    """
    return bool(_certain_names(program, rules) & (rules.system | rules.assistive))


def is_permitted(program: Program, rules: Rules, inspect: Inspection) -> bool:
    """Whether the policy names it among the permitted programs."""
    return _Traits(program, rules, inspect).permitted()


def key(name: str) -> str:
    """Return the form in which names of executables are compared."""
    return name.strip().casefold().removesuffix(".exe")


def names_of(program: Program) -> frozenset[str]:
    """Return both names it goes by: the process's, which it can change, and the file's. Never its arguments."""
    return frozenset(key(name) for name in (program.name, _file_of(program)) if name)


def _certain_names(program: Program, rules: Rules) -> frozenset[str]:
    """Return the names that speak for a program: its file's, and its own where the file says nothing about it."""
    file = _file_of(program)
    return names_of(program) if not file or rules.is_runtime(file) else frozenset({key(file)})


def _file_of(program: Program) -> str:
    return program.path.rpartition("\\" if "\\" in program.path else "/")[2]


class _Traits:
    """By what a rule hits one program; what costs reading the executable is asked for once."""

    def __init__(self, program: Program, rules: Rules, inspect: Inspection) -> None:
        identity = inspect.identity(program)
        self._names = names_of(program)
        self._certain_names = _certain_names(program, rules)
        self._permit = rules.permit
        self._original = key(identity.original_name)
        self._signer = identity.signer.strip().casefold()
        self._path = program.path.casefold()
        self._digest = inspect.sha256(program) if rules.wants_hashes else None
        self.copy_of = key(inspect.copy_of(program))

    def permitted(self) -> bool:
        """Whether the policy permits it, by what it is."""
        return bool(self._certain_names & self._permit.names) or self._hit_by_more(self._permit) is not None

    def permitted_by_name(self, rule: Rule) -> bool:
        """Whether each name by which ``rule`` names it is permitted as well; another one of its names is not enough."""
        names = self._names & rule.names
        return bool(names) and names <= self._permit.names

    def hit(self, rule: Rule) -> str | None:
        """Return by what ``rule`` names this program."""
        if self._names & rule.names:
            return "name"
        return self._hit_by_more(rule)

    def _hit_by_more(self, rule: Rule) -> str | None:
        if self._original and self._original in rule.original_names:
            return "original name"
        if self._signer and self._signer in rule.signers:
            return "signer"
        if rule.paths and self._path and any(fnmatch.fnmatchcase(self._path, glob.casefold()) for glob in rule.paths):
            return "path"
        if self._digest is not None and self._digest in rule.hashes:
            return "hash"
        return "copy" if self.copy_of and self.copy_of in rule.names else None
