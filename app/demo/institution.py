"""The institution's side of a demonstration: keys, a signed policy, an exam, a candidate and the link."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric import ec

from app.contract import canonical, schema
from app.contract.agreement import AGREEMENT_VERSION, Agreement, Allowance
from app.contract.errors import UserFacing
from app.contract.policy import POLICY_VERSION, Browser, Capture, Lockdown, Policy, Recipient, Server
from app.contract.sealing import jws, keys
from app.contract.sealing.agreements import AGREEMENT_TYPE
from app.contract.sealing.records import POLICY_TYPE
from app.contract.times import Clock
from app.contract.wire import ServerKeys
from app.demo.processes import DECOY
from lockdown.rule_lists import builtin_rules
from lockdown.select import system

EXAM = "demonstration"
CANDIDATE = "Grace Example"
BREAKS_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """What the institution holds, and the link its candidate opens."""

    policy_key: ec.EllipticCurvePrivateKey
    examiner_key: ec.EllipticCurvePrivateKey
    link: str
    pin: str


class ExaminerClient:
    """The examiner's API (docs/server.md), signed in with name and password."""

    def __init__(self, server: str) -> None:
        self._base = f"{server}/api/v1"
        self._http = requests.Session()
        self._http.headers["X-Fairlock"] = "1"

    def sign_in(self, name: str, password: str) -> None:
        """Open a session."""
        self.post("login", {"name": name, "password": password})

    def get(self, path: str) -> Any:
        """GET JSON."""
        return self._checked(self._http.get(f"{self._base}/{path}", timeout=30)).json()

    def post(self, path: str, body: canonical.Json) -> Any:
        """POST JSON."""
        return self._checked(self._http.post(f"{self._base}/{path}", json=body, timeout=30)).json()

    def download(self, path: str, to: Path) -> None:
        """GET a file, streamed to disk."""
        with self._http.get(f"{self._base}/{path}", stream=True, timeout=60) as response, to.open("wb") as file:
            for block in self._checked(response).iter_content(1 << 20):
                file.write(block)

    def _checked(self, response: requests.Response) -> requests.Response:
        if not response.ok:
            raise UserFacing(
                f"The server refused {response.request.method} {response.request.path_url}: {response.text[:300]}",
                advice="See its log.",
            )
        return response


def found(
    client: ExaminerClient,
    *,
    server: str,
    exam_site: str,
    password: str,
    seconds: int,
    clock: Clock,
    allowances: tuple[Allowance, ...] = (),
    extra_time_permille: int = 0,
) -> Institution:
    """Make the keys, register them, sign the policy, and invite one candidate, with what is granted to that one."""
    policy_key = ec.generate_private_key(ec.SECP256R1())
    examiner_key = ec.generate_private_key(ec.SECP256R1())
    public = keys.public_bytes(policy_key.public_key())
    client.post("institution", {"name": "Fairlock demonstration", "public": canonical.b64(public)})
    protected = schema.to_json(keys.protect(examiner_key, password))
    client.post("keys", {"label": "Demonstration examiner", "purpose": "evidence", "key": protected})
    server_keys = schema.from_json(ServerKeys, client.get("server"))
    policy = demonstration_policy(
        server=server, exam_site=exam_site, server_keys=server_keys, examiner=examiner_key, seconds=seconds, clock=clock
    )
    client.post("exams", {"policy": jws.sign(policy, policy_key, typ=POLICY_TYPE)})
    candidate: dict[str, canonical.Json] = {"name": CANDIDATE}
    if allowances or extra_time_permille:
        agreement = demonstration_agreement(allowances, extra_time_permille, policy)
        candidate["agreement"] = jws.sign(agreement, policy_key, typ=AGREEMENT_TYPE)
    invited = client.post(f"exams/{EXAM}/candidates", candidate)
    return Institution(
        policy_key=policy_key,
        examiner_key=examiner_key,
        link=str(invited["link"]),
        pin=keys.key_id(policy_key.public_key()),
    )


def demonstration_agreement(allowances: tuple[Allowance, ...], extra_time_permille: int, policy: Policy) -> Agreement:
    """Return what the demonstration's candidate is granted, for as long as its policy holds."""
    return Agreement(
        version=AGREEMENT_VERSION,
        exam=policy.exam,
        candidate=CANDIDATE,
        allowances=allowances,
        extra_time_permille=extra_time_permille,
        breaks_s=BREAKS_S if Allowance.BREAKS in allowances else 0,
        issued_ms=policy.issued_ms,
        expires_ms=policy.expires_ms,
    )


def demonstration_policy(
    *,
    server: str,
    exam_site: str,
    server_keys: ServerKeys,
    examiner: ec.EllipticCurvePrivateKey,
    seconds: int,
    clock: Clock,
) -> Policy:
    """Return the policy of the demonstration: everything recorded, everything looked for, and to be watched live."""
    now_ms = clock.now().utc_ms
    return Policy(
        version=POLICY_VERSION,
        exam=EXAM,
        title="Demonstration exam",
        institution="Fairlock demonstration",
        issued_ms=now_ms,
        expires_ms=now_ms + 24 * 3_600_000,
        demonstration=True,
        duration_s=max(60, seconds * 4),
        server=Server(url=server, token_key=server_keys.token_key, receipt_key=server_keys.receipt_key),
        browser=Browser(start_url=f"{exam_site}/", allow=(f"{exam_site}/",), submit_url=f"{exam_site}/submitted"),
        # A demonstration closes its own decoy, not the browser that somebody at this machine is working in.
        lockdown=Lockdown(close_grace_ms=1_000, permit=tuple(sorted(builtin_rules(system()).names - {DECOY}))),
        capture=Capture(live_view=True),
        recipients=(
            Recipient(
                id=keys.key_id(examiner.public_key()),
                name="Demonstration examiner",
                key=keys.public_bytes(examiner.public_key()),
            ),
        ),
    )
