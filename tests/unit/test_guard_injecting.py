"""Injected input is dropped, recorded, or told to the candidate once: as the policy says."""

import pytest

from app.contract.incidents import IncidentKind
from app.contract.policy import Capability, Lockdown, Treatment
from app.guard.injecting import heeding
from app.messages import Concern
from lockdown.capabilities import Finding

INJECTED = Finding(kind=IncidentKind.INPUT_INJECTED, facts={"keys": "3", "by": "XTEST"})
OTHER = Finding(kind=IncidentKind.FOCUS_LOST, facts={"name": "xterm"})


@pytest.mark.parametrize(
    ("treatment", "told", "warned"),
    [
        (Treatment.IGNORE, [OTHER], 0),
        (Treatment.RECORD, [INJECTED, OTHER, INJECTED], 0),
        (Treatment.WARN, [INJECTED, OTHER, INJECTED], 1),
        (Treatment.REFUSE, [INJECTED, OTHER, INJECTED], 1),
    ],
)
def test_what_follows_from_injected_input(treatment: Treatment, told: list[Finding], warned: int) -> None:
    heard, concerns = list[Finding](), list[Concern]()
    tell = heeding(lambda finding, _: heard.append(finding), concerns.append, Lockdown(injected_input=treatment))
    for finding in (INJECTED, OTHER, INJECTED):
        tell(finding, Capability.INPUT_GUARD)
    assert heard == told
    assert [concern.treatment for concern in concerns] == [Treatment.WARN] * warned
    assert all("examiner" in concern.says for concern in concerns)
