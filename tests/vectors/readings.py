"""What the Python side says of hostile bytes: an outcome, or a digest of what was read. Any other error is let out."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from app.contract import canonical, schema
from app.contract.agreement import Agreement
from app.contract.errors import IntegrityError
from app.contract.journal import decode_entries, decode_picture
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.grants import GRANT_TYPE, Grant, Grants
from app.contract.sealing.keys import ProtectedKey
from app.contract.sealing.records import Binding, Completion, End, Receipt, Record
from app.contract.sealing.segment import open_segment, parse
from app.contract.sealing.verify import verify_session
from tests.vectors import forge
from tests.vectors.draft import EXAMINER
from tests.vectors.harming import SESSION, SIGNERS, Harmed

TABLES: dict[str, type] = {
    "Manifest": Manifest,
    "Grants": Grants,
    "Policy": Policy,
    "Agreement": Agreement,
    "ProtectedKey": ProtectedKey,
}
STATEMENTS: dict[str, tuple[type, str]] = {
    "policy": (Policy, "fairlock-policy+v1"),
    "binding": (Binding, "fairlock-binding+v1"),
    "record": (Record, "fairlock-record+v1"),
    "receipt": (Receipt, "fairlock-receipt+v1"),
    "end": (End, "fairlock-end+v1"),
    "completion": (Completion, "fairlock-completion+v1"),
    "grant": (Grant, GRANT_TYPE),
}


def reading(given: Harmed) -> str:
    """Return what ``given.reader`` says: ``outcome``, or ``ok`` with a digest of the canonical JSON of what it read."""
    if given.reader == SESSION:
        return _session(given)
    (data,) = given.files.values()
    try:
        read = _reader(given.reader)(data)
    except IntegrityError as error:
        return str(error.outcome)
    return f"ok {hashlib.sha256(canonical.dumps(read)).hexdigest()[:16]}"


def _reader(name: str) -> Callable[[bytes], canonical.Json]:
    kind, _, detail = name.partition(" ")
    if kind == "table":
        return lambda data: schema.to_json(schema.loads(TABLES[detail], data))
    if kind == "statement":
        return lambda data: _statement(detail, data)
    return {"canonical": canonical.loads, "journal": _journal, "picture": _picture, "parse": _parsed, "open": _opened}[
        kind
    ]


def _statement(kind: str, data: bytes) -> canonical.Json:
    cls, typ = STATEMENTS[kind]
    return schema.to_json(jws.verify(cls, data.decode("latin-1"), SIGNERS[kind].public_key(), typ=typ))


def _journal(data: bytes) -> canonical.Json:
    return [
        {"type": one.type.value, "at_ms": one.at_ms, "utc_ms": one.utc_ms, "body": dict(one.body)}
        for one in decode_entries(data)
    ]


def _picture(data: bytes) -> canonical.Json:
    meta, image = decode_picture(data)
    return [schema.to_json(meta), hashlib.sha256(image).hexdigest()]


def _parsed(data: bytes) -> canonical.Json:
    found = parse(data)
    return [schema.to_json(found.header), [len(one) for one in found.fragments], found.torn]


def _opened(data: bytes) -> canonical.Json:
    found = open_segment(data, forge.p256(EXAMINER))
    return [found.complete, [hashlib.sha256(one).hexdigest() for one in found.fragments]]


class _Files:
    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def read(self, name: str) -> bytes | None:
        return self._files.get(name)


def _session(given: Harmed) -> str:
    files = {name.removeprefix(f"{given.folder}/"): data for name, data in given.files.items()}
    granted = files.get("grants.json")
    try:
        manifest = schema.loads(Manifest, files["manifest.json"])
    except IntegrityError as error:
        return str(error.outcome)
    verdict = verify_session(
        manifest,
        _Files(files),
        pin=forge.key_id(SIGNERS["policy"]),
        private_key=forge.p256(EXAMINER),
        grants=lambda: None if granted is None else schema.loads(Grants, granted),
    )
    said: list[Any] = [f"{fault.outcome} {fault.where}" for fault in verdict.faults]
    said += [f"{grant.outcome} {grant.where}" for grant in verdict.grants]
    return "; ".join([*said, "complete" if verdict.complete else "not complete"])
