"""Every parser of the format, the policy, the journal and the wire meets broken files: a clear error or an answer.

Never another exception, never more than a second of the processor, never memory out of proportion to the input.
``FAIRLOCK_FUZZ=20000`` tries that many files on each instead of the usual few.
"""

import io
import os
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.contract import canonical, journal, live, schema, wire
from app.contract.actions import Action
from app.contract.agreement import Agreement
from app.contract.errors import FairlockError
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.sealing.archive import open_export
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.keys import load_ed25519, load_p256
from app.contract.sealing.records import Binding, Completion, End, Opening, Receipt, Record
from app.contract.sealing.segment import open_segment, parse
from app.contract.sealing.verify import verify_session
from app.contract.wire import ExamLink
from tests.property.mutations import manifests, segments, statements, wounded

EXAMPLES = int(os.environ.get("FAIRLOCK_FUZZ", "60"))
MOST_S = 1.0
MOST_BYTES = 64 * 2**20
STRANGER = ec.derive_private_key(7, ec.SECP256R1())
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
STATEMENTS = (Policy, Binding, Record, Receipt, End, Completion, Action, Agreement, Opening)
MESSAGES = (wire.JoinRequest, wire.BindRequest, wire.Heartbeat, wire.HeartbeatAnswer, wire.EndRequest, wire.Tokens)

Parser = Callable[[bytes], object]


def text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def every_statement(data: bytes) -> None:
    for kind in STATEMENTS:
        refused(lambda kind=kind: jws.unverified(kind, text(data)))  # type: ignore[misc]  # a default binds it
        refused(lambda kind=kind: jws.verify(kind, text(data), SIGNER, typ="fairlock-record"))  # type: ignore[misc]


def every_message(data: bytes) -> None:
    for kind in MESSAGES:
        refused(lambda kind=kind: schema.loads(kind, data))  # type: ignore[misc]


def refused(parser: Callable[[], object]) -> None:
    try:
        parser()
    except FairlockError:
        return


PARSERS: dict[str, tuple[Parser, list[bytes]]] = {
    "canonical JSON": (canonical.loads, manifests()),
    "statements": (every_statement, statements()),
    "policy": (lambda data: schema.loads(Policy, data), manifests()),
    "messages": (every_message, [b'{"actions":[],"frozen":false,"health":0,"server_ms":1}', *manifests()[:3]]),
    "segment": (parse, segments()),
    "segment opened": (lambda data: open_segment(data, STRANGER), segments()),
    "journal": (journal.decode_entries, [b'[{"at_ms":1,"body":{},"type":"note","utc_ms":2}]']),
    "picture": (journal.decode_picture, [b"\0\0\0\x29" + b'{"at_ms":1,"incident":"a","mime":"image/jpeg"}' + b"jpeg"]),
    "key of P-256": (load_p256, [b"\4" + bytes(64)]),
    "key of Ed25519": (load_ed25519, [bytes(32)]),
    "live pieces": (live.decode, [b"\0\0\0\x0e\1\2" + bytes(10) + b"ab", bytes(4) * 200]),
    "exam link": (
        lambda data: ExamLink.parse(text(data)),
        [ExamLink(server="https://a.example", exam="e", invite="i" * 8, pin="p" * 43).url().encode()],
    ),
}


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_broken_bytes_are_an_error_or_an_answer(name: str, data: st.DataObject) -> None:
    parser, good = PARSERS[name]
    broken = data.draw(wounded(good))
    measured(lambda: refused(lambda: parser(broken)))


@settings(max_examples=max(20, EXAMPLES // 4), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_broken_export_is_an_error_or_a_verdict(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("export")
    (folder / "segments").mkdir()
    (folder / "manifest.json").write_bytes(data.draw(wounded(manifests())))
    for number in range(3):
        (folder / "segments" / f"0-camera-{number}.fls").write_bytes(data.draw(wounded(segments())))
    measured(lambda: refused(lambda: verified(folder)))


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_broken_archive_is_an_error_or_a_verdict(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("archive") / "export.zip"
    path.write_bytes(data.draw(wounded([ARCHIVE])))
    measured(lambda: refused(lambda: verified(path)))


def verified(path: Path) -> None:
    with open_export(path) as export:
        verify_session(export.manifest(), export, pin=None, private_key=STRANGER)


def _archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("manifest.json", manifests()[-1])
        for number, segment in enumerate(segments()[:2]):
            packed.writestr(f"segments/0-camera-{number}.fls", segment)
    return out.getvalue()


ARCHIVE = _archive()


def measured(do: Callable[[], object]) -> None:
    """Run ``do`` and look at what it took. The processor's time of this thread: others may be busy."""
    tracemalloc.start()
    began = time.thread_time()
    try:
        do()
        took = time.thread_time() - began
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES, f"{peak:,} bytes"
    assert took < MOST_S, f"{took:.2f} s"


def test_manifests_are_read_as_manifests() -> None:
    """The good ones are good: otherwise the wounds above would show nothing."""
    assert all(schema.loads(Manifest, data) for data in manifests()[:3])
    assert all(parse(data) for data in segments()[:3])
