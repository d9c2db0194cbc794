"""Policies for the shell's tests. No Qt, so that the processes it starts can use them too."""

from dataclasses import replace
from typing import Any

from app.contract.policy import POLICY_VERSION, Browser, Lockdown, Policy, Recipient, Server

POLICY = Policy(
    version=POLICY_VERSION,
    exam="stat-1",
    title="Introduction to Statistics, final exam",
    institution="University of Example",
    issued_ms=0,
    expires_ms=2**50,
    duration_s=5400,
    server=Server(url="http://127.0.0.1:8000", token_key=b"k", receipt_key=bytes(32)),
    browser=Browser(
        start_url="http://127.0.0.1:8000/exam",
        allow=("http://127.0.0.1:8000",),
        submit_url="http://127.0.0.1:8000/submit",
    ),
    recipients=(
        Recipient(id="a" * 43, name="Dr. Ada Okafor", key=bytes(65)),
        Recipient(id="b" * 43, name="Examination Office", key=bytes(65)),
    ),
    lockdown=Lockdown(require=()),
)


def policy_for(site: str, **changes: Any) -> Policy:
    """Return a policy whose exam is at ``site`` (an origin)."""
    browser = Browser(start_url=f"{site}/", allow=(site,), submit_url=f"{site}/submit")
    return replace(POLICY, browser=browser, **changes)
