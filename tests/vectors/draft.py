"""A draft of an exported session: builds a sound one step by step, and lets each step go wrong on purpose."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors import forge

EXAMINER, DEPUTY, STRANGER = "examiner", "deputy", "stranger"
START_MS = 1_800_000_000_000


def policy(who: Sequence[str] = (EXAMINER,), /, **edits: Any) -> dict[str, Any]:
    """Return a policy that leaves out what has a default; ``edits`` replace or add top-level settings."""
    names = {EXAMINER: "Dr. Ada Prüfer", DEPUTY: "Deputy", STRANGER: "A stranger"}
    return {
        "version": 1,
        "exam": "algebra-1",
        "title": "Algebra I – “Klausur” 🎓",
        "institution": "Universität Beispiel",
        "issued_ms": START_MS - 86_400_000,
        "expires_ms": START_MS + 86_400_000,
        "server": {
            "url": "https://exams.example.org",
            "token_key": forge.b64(b"\x30\x82" + forge.seeded("token key", 30)),
            "receipt_key": forge.b64(forge.public(forge.ed("server"))),
        },
        "browser": {
            "start_url": "https://exams.example.org/exam",
            "allow": ["https://exams.example.org/exam"],
            "submit_url": "https://exams.example.org/exam/submit",
        },
        "recipients": [
            {"id": forge.key_id(forge.p256(n)), "name": names[n], "key": forge.b64(forge.public(forge.p256(n)))}
            for n in who
        ],
        **edits,
    }


class Draft:
    """One session's export in the making. ``tokens`` of each kind and ``files`` stay open to any edit.

    ``unopened`` names segments that the key at hand opens in no way.
    """

    def __init__(
        self, session: str, *, recipients: Sequence[str] = (EXAMINER,), policy_edits: Mapping[str, Any] | None = None
    ) -> None:
        self.session = session
        self.recipients = [forge.p256(name) for name in recipients]
        self.institution = forge.p256("institution")
        self.server = forge.ed("server")
        self.policy = forge.token(policy(recipients, **(policy_edits or {})), self.institution, "fairlock-policy+v1")
        self.bindings: list[str] = []
        self.records: list[str] = []
        self.receipts: list[str] = []
        self.end: str | None = None
        self.completion: str | None = None
        self.files: dict[str, bytes] = {}
        self.fragments: dict[str, list[bytes]] = {}
        self.manifest_edits: dict[str, Any] = {}
        self.grants: list[dict[str, Any]] = []
        self.grants_edits: dict[str, Any] = {}
        self.unopened: set[str] = set()
        self.epoch = -1
        self._sequences: Counter[tuple[int, str]] = Counter()
        self._per_track: Counter[str] = Counter()
        self._clock = START_MS

    @property
    def genesis(self) -> bytes:
        """What the first record calls ``previous``."""
        fields = {"policy": forge.b64(forge.token_digest(self.policy)), "session": self.session, "version": 1}
        return hashlib.sha256(b"fairlock-genesis-v1\0" + forge.canonical(fields)).digest()

    @property
    def head(self) -> bytes:
        """The digest of the last record."""
        return forge.token_digest(self.records[-1]) if self.records else self.genesis

    def epoch_key(self, epoch: int) -> Ed25519PrivateKey:
        """The session's signing key of an epoch."""
        return forge.ed(f"{self.session} epoch {epoch}")

    def bind(self, **edits: Any) -> None:
        """Open the next epoch."""
        self.epoch += 1
        payload = {
            "version": 1,
            "session": self.session,
            "exam": "algebra-1",
            "candidate": "Zoë Łukasz 王\u2028✓",
            "epoch": self.epoch,
            "signing_key": forge.b64(forge.public(self.epoch_key(self.epoch))),
            "program": forge.b64(forge.seeded(f"program {self.epoch}")),
            "policy": forge.b64(forge.token_digest(self.policy)),
            "bound_ms": self._tick(),
            **edits,
        }
        self.bindings.append(forge.token(payload, self.server, "fairlock-binding+v1"))

    def segment(
        self,
        track: str,
        *,
        epoch: int | None = None,
        signer: Ed25519PrivateKey | None = None,
        previous: bytes | None = None,
        final: bool = True,
        header: Mapping[str, Any] | None = None,
        record: Mapping[str, Any] | None = None,
        edit: Callable[[bytes], bytes] = lambda data: data,
        typ: str = "fairlock-record+v1",
        plaintexts: Sequence[bytes] = (),
        **forging: Any,
    ) -> str:
        """Seal, record and receipt one segment of three fragments, or of ``plaintexts``; return its name.

        ``header`` and ``record`` override fields, ``edit`` changes the file before it is recorded, ``forging`` goes to
        ``forge.segment``.
        """
        epoch = self.epoch if epoch is None else epoch
        sequence = self._sequences[epoch, track]
        self._sequences[epoch, track] += 1
        self._per_track[track] += 1
        name = f"segments/{epoch}-{track}-{sequence}.fls"
        place = {"session": self.session, "epoch": epoch, "track": track, "sequence": sequence}
        start = {"start_ms": len(self.records) * 1_000}
        fields = {**place, **start, "mime": "application/octet-stream", "utc_ms": self._tick()}
        fields["previous"] = forge.b64(self.head if previous is None else previous)
        plaintexts = list(plaintexts) or [f"{name} fragment {index}".encode() * (index + 1) for index in range(3)]
        recipients = forging.pop("recipients", self.recipients)
        data = edit(forge.segment({**fields, **(header or {})}, recipients, plaintexts, final=final, **forging))
        self.files[name] = data
        self.fragments[name] = plaintexts
        payload = {
            "version": 1,
            **place,
            **start,
            "fragments": len(forge.split(data)) - 1,
            "size": len(data),
            "digest": forge.b64(hashlib.sha256(data).digest()),
            "previous": forge.b64(self.head),
            "duration_ms": 1_000,
            "closed_ms": self._tick(),
            "complete": final,
            **(record or {}),
        }
        self.records.append(forge.token(payload, signer or self.epoch_key(self.epoch), typ))
        self.receipt(payload)
        return name

    def receipt(self, record: Mapping[str, Any], **edits: Any) -> None:
        """Add the receipt of the last record."""
        payload = {
            "version": 1,
            "session": self.session,
            "record": forge.b64(self.head),
            "digest": record["digest"],
            "size": record["size"],
            "received_ms": self._tick(),
            **edits,
        }
        self.receipts.append(forge.token(payload, self.server, "fairlock-receipt+v1"))

    def finish(self, *, signer: Ed25519PrivateKey | None = None, **edits: Any) -> "Draft":
        """Add the end and the completion."""
        payload = {
            "version": 1,
            "session": self.session,
            "head": forge.b64(self.head),
            "records": len(self.records),
            "segments": dict(self._per_track),
            "reason": "submit",
            "ended_ms": self._tick(),
            **edits,
        }
        self.end = forge.token(payload, signer or self.epoch_key(self.epoch), "fairlock-end+v1")
        self.complete()
        return self

    def complete(self, **edits: Any) -> None:
        """Add the completion of the end."""
        assert self.end is not None
        end = forge.b64(forge.token_digest(self.end))
        payload = {"version": 1, "session": self.session, "end": end, "completed_ms": self._tick(), **edits}
        self.completion = forge.token(payload, self.server, "fairlock-completion+v1")

    def manifest(self) -> bytes:
        """Return ``manifest.json``."""
        return forge.canonical(
            {
                "version": 1,
                "session": self.session,
                "institution_key": forge.b64(forge.public(self.institution)),
                "policy": self.policy,
                "bindings": self.bindings,
                "records": self.records,
                "receipts": self.receipts,
                "end": self.end,
                "completion": self.completion,
                "server_incidents": [{"kind": "server_unreachable", "at_ms": START_MS, "facts": {"seconds": "4"}}],
                **self.manifest_edits,
            }
        )

    def grants_json(self) -> bytes | None:
        """Return ``grants.json``, or ``None`` where nobody was added."""
        return forge.canonical({"version": 1, "grants": self.grants, **self.grants_edits}) if self.grants else None

    def _tick(self) -> int:
        self._clock += 250
        return self._clock
