"""HTTP routes of the application's binding and heartbeat, and of the gate."""

from typing import Annotated
from urllib.parse import quote

from anyio import from_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.contract.wire import BindAnswer, BindRequest, Heartbeat, HeartbeatAnswer
from server.verification import binding, cookies, gate
from server.verification.access import AccessToken
from server.verification.gate import Word
from server.verification.heartbeat import heartbeat
from server.web.bodies import Parts, answer, body_of, spoken
from server.web.pages import PAGE_POLICY, page

router = APIRouter()
_TAG = "application"


@router.post("/api/v1/sessions/{session}/bind", **spoken(request=BindRequest, answers={200: BindAnswer}, tag=_TAG))
def bind(parts: Parts, session: str, body: Annotated[BindRequest, Depends(body_of(BindRequest))]) -> Response:
    """Bind this run of the program to the session and open its next epoch."""
    bound = binding.bind(parts, session, body)
    from_thread.run_sync(parts.live.bound, session)
    return answer(bound)


@router.post(
    "/api/v1/sessions/{session}/heartbeat", **spoken(request=Heartbeat, answers={200: HeartbeatAnswer}, tag=_TAG)
)
def confirm(
    parts: Parts, session: str, token: AccessToken, body: Annotated[Heartbeat, Depends(body_of(Heartbeat))]
) -> Response:
    """Confirm that the program runs and which cookie token its browser holds."""
    return answer(heartbeat(parts, session, token, body))


@router.get("/gate/verify", **spoken(answers={204: None}, tag="gate"))
def verify(parts: Parts, request: Request) -> Response:
    """Answer a proxy's question: 204 pass, 401 no or unknown token or the exam is over, 403 frozen."""
    decision = gate.verify(parts, request.cookies.get(cookies.NAME, ""))
    if decision.word is not Word.PASS:
        return Response(status_code=403 if decision.word is Word.FROZEN else 401)
    # Candidates' names are any text, headers are not.
    who = {"X-Fairlock-Session": decision.session, "X-Fairlock-Candidate": quote(decision.candidate, safe=" ")}
    return _with_cookie(Response(status_code=204, headers=who), decision)


@router.get("/gate/enter", **spoken(answers={303: None}, tag="gate"))
def enter(parts: Parts, request: Request, ticket: str = "") -> Response:
    """Exchange the entry ticket for the first cookie token and go on to the exam."""
    decision = gate.enter(parts, ticket, request.cookies.get(cookies.NAME, ""))
    if decision.word is not Word.PASS:
        return _required()
    return _with_cookie(RedirectResponse(decision.start_url, status_code=303), decision)


@router.get("/gate/frozen", include_in_schema=False)
async def frozen() -> Response:
    """Show what a frozen candidate sees; the page looks again by itself."""
    text = (
        "<p>The exam server has not heard from Fairlock on this computer for ten seconds. Leave Fairlock open: "
        "this page goes on by itself as soon as the connection is back.</p>"
        "<p>If it does not, tell the person in charge of the exam.</p>"
    )
    return _page(page("The exam is on hold", text, refresh_s=3), 403)


@router.get("/gate/required", include_in_schema=False)
async def required() -> Response:
    """Show what somebody sees who comes without Fairlock."""
    return _required()


def _required() -> Response:
    text = "<p>This page opens in Fairlock only, while your exam runs. Use the exam link that you were given.</p>"
    return _page(page("This exam opens in Fairlock", text), 401)


def _page(html: str, status: int) -> Response:
    return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": PAGE_POLICY})


def _with_cookie(response: Response, decision: gate.Decision) -> Response:
    secure = decision.start_url.startswith("https:")
    response.set_cookie(cookies.NAME, decision.cookie, httponly=True, samesite="lax", secure=secure)
    return response
