"""HTTP routes of examiners: exams, rosters, sessions, evidence, actions. Each view of a session is audited."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from app.contract.sealing.evidence import Manifest
from server.accounts import audit
from server.accounts.logins import SignedIn
from server.actions import issuing
from server.actions.views import ActionView, NewAction
from server.exams import export, manifest, policies, roster, sessions, views
from server.exams.segment_answers import Placed, Range, segment_answer
from server.exams.store_threads import streamed, waited
from server.web.bodies import Parts, answer, body_of, spoken

router = APIRouter(prefix="/api/v1")
_TAG = "examiner"


@router.post(
    "/exams", **spoken(request=views.NewExam, answers={201: views.ExamAnswer, 200: views.ExamAnswer}, tag=_TAG)
)
def add_exam(
    parts: Parts, examiner: SignedIn, body: Annotated[views.NewExam, Depends(body_of(views.NewExam))]
) -> Response:
    """Store an exam by its signed policy."""
    with parts.database.write(durable=True) as tx:
        stored, new = policies.add(tx, parts, body.policy)
        if new:
            audit.note(tx, now_ms=parts.now(), account=examiner.name, action="exam.stored", subject=stored.exam)
    return answer(stored, 201 if new else 200)


@router.get("/exams", **spoken(answers={200: views.ExamList}, tag=_TAG))
def exams(parts: Parts, _examiner: SignedIn) -> Response:
    """List the exams."""
    with parts.database.read() as tx:
        return answer(policies.listed(tx))


@router.post(
    "/exams/{exam}/candidates", **spoken(request=views.NewCandidate, answers={201: views.Invitation}, tag=_TAG)
)
def add_candidate(
    parts: Parts,
    examiner: SignedIn,
    exam: str,
    body: Annotated[views.NewCandidate, Depends(body_of(views.NewCandidate))],
) -> Response:
    """Add a candidate and return the exam link; it is shown this once."""
    with parts.database.write(durable=True) as tx:
        invitation = roster.invite(tx, parts, exam, body)
        subject = invitation.candidate
        audit.note(tx, now_ms=parts.now(), account=examiner.name, action="candidate.added", subject=subject, exam=exam)
    return answer(invitation, 201)


@router.get("/exams/{exam}/candidates", **spoken(answers={200: views.CandidateList}, tag=_TAG))
def candidates(parts: Parts, _examiner: SignedIn, exam: str) -> Response:
    """List an exam's roster."""
    with parts.database.read() as tx:
        return answer(roster.listed(tx, exam))


@router.get("/sessions", **spoken(answers={200: views.SessionList}, tag=_TAG))
def session_list(parts: Parts, _examiner: SignedIn, exam: str | None = None) -> Response:
    """List the sessions, of one exam or of all."""
    with parts.database.read() as tx:
        return answer(sessions.listed(tx, parts, exam))


@router.get("/sessions/{session}", **spoken(answers={200: views.SessionDetail}, tag=_TAG))
def session_detail(parts: Parts, examiner: SignedIn, session: str) -> Response:
    """Show one session."""
    with parts.database.read() as tx:
        found = sessions.detail(tx, parts, session)
    audit.viewed(parts, examiner.name, "session.viewed", session)
    return answer(found)


@router.get("/deletions", **spoken(answers={200: views.DeletionList}, tag=_TAG))
def deletion_list(parts: Parts, _examiner: SignedIn, exam: str | None = None) -> Response:
    """Return the server's signed words on sessions that it deleted."""
    with parts.database.read() as tx:
        return answer(sessions.deleted(tx, exam))


@router.get("/sessions/{session}/manifest", **spoken(answers={200: Manifest}, tag=_TAG))
def session_manifest(parts: Parts, examiner: SignedIn, session: str) -> Response:
    """Return everything signed about a session."""
    gathered, _places = manifest.gather(parts, session)
    audit.viewed(parts, examiner.name, "manifest.viewed", session)
    return answer(gathered)


@router.get(
    "/sessions/{session}/segments/{epoch}/{track}/{sequence}", **spoken(answers={200: None, 206: None}, tag=_TAG)
)
async def session_segment(
    parts: Parts, request: Request, examiner: SignedIn, place: Placed, wanted: Range = None
) -> Response:
    """Return a sealed segment or a range of its bytes."""

    def found() -> Response:
        response = segment_answer(request, parts, place, wanted)
        audit.viewed(parts, examiner.name, "evidence.viewed", place.session)
        return response

    return await waited(request, found)


@router.get("/sessions/{session}/export", **spoken(answers={200: None}, tag=_TAG))
async def session_export(parts: Parts, request: Request, examiner: SignedIn, session: str) -> Response:
    """Return the session's evidence as a zip archive."""

    def gathered() -> export.Gathered:
        found = export.gather(parts, session)
        with parts.database.write() as tx:
            audit.note(tx, now_ms=parts.now(), account=examiner.name, action="evidence.exported", subject=session)
        return found

    headers = {"Content-Disposition": f'attachment; filename="fairlock-{session}.zip"'}
    content = export.zipped(parts.store, await waited(request, gathered))
    return StreamingResponse(streamed(request, content), media_type="application/zip", headers=headers)


@router.post("/sessions/{session}/actions", **spoken(request=NewAction, answers={201: ActionView}, tag=_TAG))
def add_action(
    parts: Parts, examiner: SignedIn, session: str, body: Annotated[NewAction, Depends(body_of(NewAction))]
) -> Response:
    """Issue an action; the session's next heartbeat takes it along."""
    with parts.database.write(durable=True) as tx:
        issued = issuing.issue(tx, parts, session, body, examiner.name)
        facts = {"kind": issued.kind.value, "id": issued.id}
        audit.note(tx, now_ms=parts.now(), account=examiner.name, action="action.issued", subject=session, **facts)
    return answer(issued, 201)
