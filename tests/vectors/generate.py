"""Writes the vectors: ``python -m tests.vectors.generate``. The same code writes the same bytes every time.

Exports and expected outcomes come from ``cases``, made without the verifier; only the list of all ``faults`` in the
index is the verifier's own, so that a second one can be compared with it.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from app.contract import schema
from app.contract.sealing import keys
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.grants import Grants
from app.contract.sealing.verify import verify_session
from tests.vectors import forge
from tests.vectors.cases import KEYS, Case
from tests.vectors.draft import Draft
from tests.vectors.granting import CASES

FOLDER = Path(__file__).parent
EXPORTS, KEY_FILES, INDEX = "exports", "keys", "index.json"


class _Files:
    def __init__(self, draft: Draft) -> None:
        self._files, self._grants = draft.files, draft.grants_json()

    def read(self, name: str) -> bytes | None:
        return self._files.get(name)

    def grants(self) -> Grants | None:
        return None if self._grants is None else schema.loads(Grants, self._grants)


def found(case: Case, draft: Draft) -> dict[str, list[list[str]]]:
    """Return [outcome, where] of each fault and of each grant that the verifier reports."""
    if case.unreadable:
        return {"faults": [], "grants": []}
    key = None
    if case.key is not None:
        blob = schema.loads(keys.ProtectedKey, forge.canonical(forge.protected_key(case.key, KEYS[case.key])))
        key = keys.unprotect(blob, KEYS[case.key])
    pin = forge.key_id(forge.p256(case.pin)) if case.pin else None
    manifest = schema.loads(Manifest, draft.manifest())
    files = _Files(draft)
    verdict = verify_session(manifest, files, pin=pin, private_key=key, grants=files.grants)
    return {
        "faults": [[str(fault.outcome), fault.where] for fault in verdict.faults],
        "grants": [[str(grant.outcome), grant.where] for grant in verdict.grants],
    }


def entry(case: Case) -> dict[str, Any]:
    """Return the index's entry for a case."""
    draft = case.build()
    opened = case.outcome == "ok" and case.key is not None
    return {
        "name": case.name,
        "folder": f"{EXPORTS}/{case.name}",
        "about": case.about,
        "outcome": case.outcome,
        "complete": case.complete,
        "unreadable": case.unreadable,
        **found(case, draft),
        "key": f"{KEY_FILES}/{case.key}.json" if case.key else None,
        "passphrase": KEYS[case.key] if case.key else None,
        "pin": forge.key_id(forge.p256(case.pin)) if case.pin else None,
        "plaintext_sha256": {
            name: hashlib.sha256(b"".join(parts)).hexdigest()
            for name, parts in draft.fragments.items()
            if opened and name not in draft.unopened
        },
    }


def files() -> dict[str, bytes]:
    """Return every generated file by its path below this folder."""
    out: dict[str, bytes] = {}
    for name, passphrase in KEYS.items():
        out[f"{KEY_FILES}/{name}.json"] = forge.canonical(forge.protected_key(name, passphrase))
    for case in CASES.values():
        draft = case.build()
        out[f"{EXPORTS}/{case.name}/manifest.json"] = draft.manifest()
        if (grants := draft.grants_json()) is not None:
            out[f"{EXPORTS}/{case.name}/grants.json"] = grants
        for name, data in draft.files.items():
            out[f"{EXPORTS}/{case.name}/{name}"] = data
    index = [entry(case) for case in CASES.values()]
    out[INDEX] = (json.dumps(index, indent=1, ensure_ascii=False) + "\n").encode()
    return out


def main() -> None:
    """Replace the generated files."""
    for name in (EXPORTS, KEY_FILES):
        shutil.rmtree(FOLDER / name, ignore_errors=True)
    written = files()
    for name, data in written.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(CASES)} vectors, {len(written)} files, {sum(map(len, written.values()))} bytes")


if __name__ == "__main__":
    main()
