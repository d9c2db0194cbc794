"""How good parts of evidence are broken: wounds in their bytes, as a disk leaves them, and other values where a value
stands, written and signed anew with the right keys, as somebody leaves them who holds those keys.
"""

import json
import random
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.vectors import forge
from tests.vectors.breaking import BOMBS, EDGES, changed, wounded
from tests.vectors.cases import small
from tests.vectors.draft import EXAMINER, Draft
from tests.vectors.generate import EXPORTS
from tests.vectors.granting import CASES

SESSION = "session"
EPOCH_SESSION = "session-hostile"
SIGNERS: dict[str, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey] = {
    "policy": forge.p256("institution"),
    "binding": forge.ed("server"),
    "record": forge.ed(f"{EPOCH_SESSION} epoch 0"),
    "receipt": forge.ed("server"),
    "end": forge.ed(f"{EPOCH_SESSION} epoch 0"),
    "completion": forge.ed("server"),
    "grant": forge.p256(EXAMINER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmed:
    """What a reader is given: one file or, for a whole session, those of an export below ``folder``."""

    reader: str
    folder: str
    files: dict[str, bytes]

    @property
    def signer(self) -> str:
        """Whose key such statements are to be signed with; the institution's is the pin of a session."""
        kind, _, detail = self.reader.partition(" ")
        return detail if kind == "statement" else "policy"


def harmed(rng: random.Random) -> Harmed:
    """Return something broken for one of the readers."""
    make = rng.choice(
        (_bytes, _bytes, _table, _statement, _statement, _segment, _journal, _signed_session, _torn_session)
    )
    return make(rng)


@cache
def _export(name: str) -> dict[str, bytes]:
    draft = CASES[name].build()
    return _files(f"{EXPORTS}/{name}", draft)


def _files(folder: str, draft: Draft) -> dict[str, bytes]:
    files = {f"{folder}/manifest.json": draft.manifest()}
    if (grants := draft.grants_json()) is not None:
        files[f"{folder}/grants.json"] = grants
    return files | {f"{folder}/{name}": data for name, data in draft.files.items()}


def _bytes(rng: random.Random) -> Harmed:
    """Wounds in the bytes of something, or bytes that have broken parsers before."""
    files = _export(rng.choice(("ok", "grant-opens")))
    name = rng.choice(sorted(files))
    if name.endswith(".fls"):
        readers = ("parse", "open")
    else:
        readers = ("canonical", "table Manifest" if name.endswith("manifest.json") else "table Grants")
    data = rng.choice(BOMBS) if rng.random() < 0.2 else wounded(files[name], rng)
    return Harmed(reader=rng.choice(readers), folder="", files={name: data})


def _table(rng: random.Random) -> Harmed:
    """One value of a table replaced."""
    name = rng.choice(("Manifest", "Grants", "Policy", "Agreement", "ProtectedKey"))
    return Harmed(reader=f"table {name}", folder="", files={f"a {name}": dumped(changed(_tables()[name], rng))})


@cache
def _tables() -> dict[str, Any]:
    files = _export("grant-opens")
    manifest = json.loads(files[f"{EXPORTS}/grant-opens/manifest.json"])
    return {
        "Manifest": manifest,
        "Grants": json.loads(files[f"{EXPORTS}/grant-opens/grants.json"]),
        "Policy": payload_of(manifest["policy"]),
        "Agreement": {
            "version": 1,
            "exam": "algebra-1",
            "candidate": "Zoë",
            "issued_ms": 1,
            "expires_ms": 2,
            "allowances": ["breaks", "magnifier"],
            "breaks_s": 60,
            "extra_time_permille": 250,
        },
        "ProtectedKey": forge.protected_key(EXAMINER, "x"),
    }


def _statement(rng: random.Random) -> Harmed:
    """A statement with another value, signed anew, or with wounds."""
    kind, token = rng.choice(sorted(_statements().items()))
    if rng.random() < 0.3:
        data = wounded(token.encode(), rng)
    else:
        data = resigned(changed(payload_of(token), rng), kind, _type_of(token)).encode()
    return Harmed(reader=f"statement {kind}", folder="", files={f"a {kind}": data})


@cache
def _hostile() -> Draft:
    return small("hostile", 1).finish()


@cache
def _statements() -> dict[str, str]:
    draft = _hostile()
    assert draft.end is not None
    assert draft.completion is not None
    return {
        "policy": draft.policy,
        "binding": draft.bindings[0],
        "record": draft.records[0],
        "receipt": draft.receipts[0],
        "end": draft.end,
        "completion": draft.completion,
        "grant": CASES["grant-opens"].build().grants[0]["statement"],
    }


def _segment(rng: random.Random) -> Harmed:
    """A segment whose header says something else, sealed under that header."""
    header = {"session": EPOCH_SESSION, "epoch": 0, "track": "camera", "sequence": 0, "mime": "video/mp4"}
    header |= {"start_ms": 0, "utc_ms": 1, "previous": forge.b64(bytes(32))}
    value = changed({**header, "version": 1}, rng)
    fragments = [forge.seeded(str(n), rng.randrange(0, 60)) for n in range(rng.randrange(0, 4))]
    try:
        data = forge.segment(value, [forge.p256(EXAMINER)], fragments, final=rng.random() < 0.7)
    except (KeyError, TypeError, ValueError):  # not even the second writer can write that
        return _segment(rng)
    if rng.random() < 0.3:
        data = wounded(data, rng)
    return Harmed(reader=rng.choice(("parse", "open")), folder="", files={"a segment": data})


def _journal(rng: random.Random) -> Harmed:
    """A fragment of the journal, or a picture's, with another value."""
    if rng.random() < 0.3:
        meta = dumped(changed({"incident": "a", "at_ms": 1, "mime": "image/jpeg"}, rng))
        length = rng.choice((len(meta), len(meta), len(meta) + 1, rng.choice(EDGES)))
        return Harmed(reader="picture", folder="", files={"a picture": struct.pack(">I", length) + meta + b"jpeg"})
    entries = [
        {"type": "incident", "at_ms": 1, "utc_ms": 2, "body": {"id": "a", "facts": {"x": "y"}, "evidence": None}},
        {"type": "notice", "at_ms": 3, "utc_ms": 4, "body": {"text": "é\nb", "sha256": "ab" * 32, "policy": "0" * 64}},
        {"type": "quality", "at_ms": 4, "utc_ms": 5, "body": {"picture": "dark", "state": "began", "candidate": True}},
        {"type": "state", "at_ms": 5, "utc_ms": 6, "body": {"state": "running", "why": ""}},
    ]
    data = dumped(changed(entries, rng))
    return Harmed(reader="journal", folder="", files={"a fragment": wounded(data, rng) if rng.random() < 0.2 else data})


def _signed_session(rng: random.Random) -> Harmed:
    """A session in which one statement says something else, signed with the right key."""
    draft = small("hostile", rng.randrange(1, 3)).finish()
    kind = rng.choice([name for name in SIGNERS if name != "grant"])
    for _ in range(rng.randrange(1, 3)):
        _replace(draft, kind, rng)
    folder = f"{EXPORTS}/ok"
    return Harmed(reader=SESSION, folder=folder, files=_files(folder, draft))


def _replace(draft: Draft, kind: str, rng: random.Random) -> None:
    def anew(token: str) -> str:
        return resigned(changed(payload_of(token), rng), kind, _type_of(token))

    if kind in ("policy", "end", "completion"):
        setattr(draft, kind, anew(getattr(draft, kind)))
    else:
        tokens: list[str] = getattr(draft, f"{kind}s")
        at = rng.randrange(len(tokens))
        tokens[at] = anew(tokens[at])


def _torn_session(rng: random.Random) -> Harmed:
    """An export of which a file or two have wounds."""
    name = rng.choice(("ok", "grant-opens", "grant-second-opens"))
    files = dict(_export(name))
    for path in rng.sample(sorted(files), k=min(len(files), rng.randrange(1, 3))):
        if path.endswith(".json"):
            files[path] = dumped(changed(json.loads(files[path]), rng))
        else:
            files[path] = wounded(files[path], rng)
    return Harmed(reader=SESSION, folder=f"{EXPORTS}/{name}", files=files)


def dumped(value: Any) -> bytes:
    """Return canonical JSON, or what stands for it where a value has no canonical form."""
    return forge.canonical(value)


def payload_of(token: str) -> Any:
    """Return what a statement says."""
    return json.loads(forge.unb64(token.split(".")[1]))


def _type_of(token: str) -> str:
    typ: str = json.loads(forge.unb64(token.split(".", maxsplit=1)[0]))["typ"]
    return typ


def resigned(payload: Any, kind: str, typ: str) -> str:
    """Return a statement of whatever payload, signed as one of ``kind`` is."""
    return forge.token(payload, SIGNERS[kind], typ)
