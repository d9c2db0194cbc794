"""HTTP routes for how much an exam may store."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from server.accounts import audit
from server.accounts.logins import Administrator, SignedIn
from server.exams import policies, quotas, views
from server.web.bodies import Parts, answer, body_of, spoken

router = APIRouter(prefix="/api/v1/exams/{exam}/quota")
_TAG = "examiner"


@router.get("", **spoken(answers={200: views.QuotaView}, tag=_TAG))
def quota(parts: Parts, _examiner: SignedIn, exam: str) -> Response:
    """Return how much an exam may store, and how much it does."""
    with parts.database.read() as tx:
        return answer(quotas.view(tx, policies.find(tx, exam)))


@router.put("", **spoken(request=views.NewQuota, answers={200: views.QuotaView}, tag=_TAG))
def set_quota(
    parts: Parts, admin: Administrator, exam: str, body: Annotated[views.NewQuota, Depends(body_of(views.NewQuota))]
) -> Response:
    """Set how much an exam may store; null for no limit."""
    with parts.database.write(durable=True) as tx:
        row = policies.find(tx, exam, hold=True)
        row.quota = body.bytes
        said = {"bytes": "none" if body.bytes is None else str(body.bytes)}
        audit.note(tx, now_ms=parts.now(), account=admin.name, action="quota.set", subject=exam, **said)
        return answer(quotas.view(tx, row))
