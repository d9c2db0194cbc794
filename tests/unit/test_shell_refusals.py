"""Whatever stops a session, the candidate reads what it is and what to do; the codes are collected from the sources."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from app.contract import errors
from app.contract.wire import RefusalCode
from app.messages import Refused
from app.shell.refusals import ADVICE, SENTENCES, sentence

ROOT = Path(__file__).parents[2]
RAISING = ("app/recorder", "app/models", "capture", "detectors")
TREE = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and hasattr(kind, "code")}
FROM_SERVER = frozenset(get_args(RefusalCode))


def _sources() -> Iterator[ast.Module]:
    for folder in RAISING:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def _raised() -> set[tuple[str, bool]]:
    """Return every code with whether its message gives advice, from the calls that make errors."""
    codes = {name: kind.code for name, kind in TREE.items()}
    modules = list(_sources())
    for node in (node for module in modules for node in ast.walk(module)):
        if isinstance(node, ast.ClassDef) and {ast.unparse(base) for base in node.bases} & set(codes):
            own = [
                ast.literal_eval(line.value)
                for line in node.body
                if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code"
            ]
            codes[node.name] = own[0] if own else codes[ast.unparse(node.bases[0])]
    found = set()
    for node in (node for module in modules for node in ast.walk(module)):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) not in codes:
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        code = given.get("code", ast.Constant(codes[ast.unparse(node.func)]))
        advice = given.get("advice", ast.Constant(""))
        if isinstance(code, ast.Constant):  # else it is the server's, see FROM_SERVER
            found.add((str(code.value), not isinstance(advice, ast.Constant) or bool(advice.value)))
    return found


RAISED = sorted(_raised())


def test_the_codes_were_found() -> None:
    assert {("E-CAMERA-BUSY", True), ("E-SPOOL-FULL", False), ("E-FATAL", False), ("E-CLOCK", True)} <= set(RAISED)


@pytest.mark.parametrize(("code", "advised"), RAISED)
def test_whatever_our_own_processes_raise_says_what_to_do(code: str, advised: bool) -> None:
    message = "It broke. Mend it." if advised else "it broke"
    shown = sentence(Refused(code=code, message=message, advised=advised))
    assert shown == message if advised else code in ADVICE or code in SENTENCES
    assert re.search(r"[.;] \w.*\.$", shown), "what it is, and what to do"


@pytest.mark.parametrize("code", sorted(FROM_SERVER))
def test_every_refusal_of_the_server_has_words_of_ours(code: str) -> None:
    shown = sentence(Refused.of(errors.UserFacing("The server refused: its own words.", advice="", code=code)))
    assert shown == SENTENCES[code]
    assert re.search(r"[.;] \w", shown), "what it is, and what to do"


def test_every_row_is_used() -> None:
    without_advice = {code for code, advised in RAISED if not advised}
    assert (SENTENCES.keys() | ADVICE.keys()) - FROM_SERVER - without_advice == set()
    assert not SENTENCES.keys() & ADVICE.keys()


def test_what_our_own_processes_say_is_not_replaced() -> None:
    hint = errors.UserFacing("The clock is 7 minutes behind.", advice="Set it.", code="E-POLICY-EXPIRED")
    assert sentence(Refused.of(hint)) == "The clock is 7 minutes behind. Set it."
    late = errors.Fatal("Nothing came from the camera within 20 s.")
    assert sentence(Refused.of(late)) == f"Nothing came from the camera within 20 s. {ADVICE['E-FATAL']}"
    lost = errors.FairlockError("A part of the recording stopped (camera)", code="E-TRACK-LOST")
    assert sentence(Refused.of(lost)).startswith("A part of the recording stopped (camera). Open the link again")


def test_technical_words_of_a_failed_connection_are_not_shown() -> None:
    away = errors.Retryable("HTTPConnectionPool(host='x'): Max retries exceeded", code="E-SERVER-UNREACHABLE")
    assert "HTTPConnectionPool" not in sentence(Refused.of(away))


def test_an_unknown_code_never_shows_foreign_text_of_a_server() -> None:
    strange = errors.UserFacing("The server refused: Send money.", advice="", code="E-NEW-ONE")
    assert sentence(Refused.of(strange)) == "The exam can't go on. Tell your institution the code E-NEW-ONE."
