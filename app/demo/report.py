"""The demonstration's report: one JSON for scripts and one table for people, from the same findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.contract.incidents import IncidentKind, Track
from app.contract.journal import EntryType
from app.contract.session import SessionState
from app.demo.examine import MEDIA, Findings
from app.messages import EXAM_LOADED
from app.standing import described, last_standing

# A segment's last frame has no successor, and an encoder primes: this much per track is not a loss.
DECODE_TOLERANCE_S = 1.0
# Tracks do not start in the same instant, but they run for the same time.
UNEVEN_TOLERANCE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What the run itself knows: exit code of the application and when it was started."""

    exit_code: int
    started_utc_ms: int
    console_url: str
    display: str


def build(findings: Findings, run: Rehearsed, session: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report (docs: README, "The demonstration's report")."""
    verdict = findings.verdict
    states = findings.bodies(EntryType.STATE)
    sources = {str(b.get("track")): str(b.get("origin")) for b in findings.bodies(EntryType.SOURCE)}
    notes: dict[str, Any] = {}
    for body in findings.bodies(EntryType.NOTE):
        notes.update(body)
    return {
        "session": session["session"],
        "state": SessionState.ENDED.value if session.get("ended") else session.get("state"),
        "exit_code": run.exit_code,
        "segments": dict(verdict.segments),
        "bytes": verdict.bytes,
        "by_agreement": list(findings.agreed),
        "gaps": [dict(body) for body in findings.bodies(EntryType.GAP)],
        "incidents": [_incident(body) for body in findings.incidents],
        "server_incidents": list(session.get("server_incidents", [])),
        "closed_processes": sorted(
            incident["facts"].get("name", "")
            for incident in map(_incident, findings.incidents)
            if incident["kind"] == "process_closed"
        ),
        "chain": verdict.chain,
        "complete": verdict.complete,
        "faults": [{"outcome": f.outcome, "where": f.where, "message": f.message} for f in verdict.faults],
        "unopened": list(findings.unopened),
        "recorded_seconds": {k: round(v, 2) for k, v in findings.recorded_seconds.items()},
        "decrypted_seconds": {k: round(v, 2) for k, v in findings.decoded_seconds.items()},
        "pictures": findings.pictures,
        "timings": _timings(states, run.started_utc_ms),
        "source": {**sources, "display": run.display},
        "lockdown": last_standing(findings.bodies(EntryType.LOCKDOWN)),
        "models": {k.removeprefix("model_"): v for k, v in notes.items() if k.startswith("model_")},
        "console": run.console_url,
    }


def losses(report: Mapping[str, Any]) -> list[str]:
    """Return a sentence for everything that is not as it should be; empty means the evidence stands."""
    lost = []
    if report["exit_code"] != 0:
        lost.append(f"The application ended with code {report['exit_code']}.")
    if report["chain"] != "intact":
        lost.append(f"The chain is not intact: {report['chain']}.")
    if not report["complete"]:
        lost.append("The server has not confirmed that everything arrived.")
    if report["gaps"]:
        lost.append(f"{len(report['gaps'])} stretches were not recorded.")
    lost += [f"A segment could not be opened: {name}" for name in report["unopened"]]
    for track in MEDIA:
        recorded = report["recorded_seconds"].get(track.value, 0.0)
        decoded = report["decrypted_seconds"].get(track.value, 0.0)
        if recorded == 0:
            lost.append(f"Nothing was recorded of the {track.value}.")
        elif recorded - decoded > DECODE_TOLERANCE_S:
            lost.append(f"Of {recorded:.1f} s of {track.value} only {decoded:.1f} s decode.")
    return lost + _uneven(report["recorded_seconds"]) + _failed(report["incidents"])


def _uneven(recorded: Mapping[str, float]) -> list[str]:
    """Compare the tracks with each other: one that ended early may decode well and have no gap."""
    there = {track.value: recorded[track.value] for track in MEDIA if recorded.get(track.value)}
    longest = max(there.values(), default=0.0)
    return [
        f"Only {seconds:.1f} s of {track} were recorded while another track has {longest:.1f} s."
        for track, seconds in there.items()
        if longest - seconds > UNEVEN_TOLERANCE_S
    ]


def _failed(incidents: Sequence[Mapping[str, Any]]) -> list[str]:
    lost = []
    if any(incident["kind"] == IncidentKind.SPOOL_FULL for incident in incidents):
        lost.append("The storage for the recording was full for a time.")
    kinds = (IncidentKind.COMPONENT_RESTARTED, IncidentKind.SOURCE_LOST)
    failed = {incident["source"] for incident in incidents if incident["kind"] in kinds}
    return lost + [f"The recording of the {track.value} failed for a time." for track in MEDIA if track.value in failed]


def table(report: Mapping[str, Any]) -> str:
    """Return the report as text for a terminal."""
    lines = ["", f"{'track':12} {'segments':>8} {'recorded s':>11} {'decodes s':>10}  source"]
    for track in Track:
        count = report["segments"].get(track.value, 0)
        recorded = report["recorded_seconds"].get(track.value)
        decoded = report["decrypted_seconds"].get(track.value)
        lines.append(
            f"{track.value:12} {count:8} {_number(recorded):>11} {_number(decoded):>10}  "
            f"{report['source'].get(track.value, '')}"
        )
    lines += ["", f"{report['bytes']:,} bytes sealed · gaps: {len(report['gaps'])} · chain: {report['chain']}"]
    lines += described(report["lockdown"])
    if report["by_agreement"]:
        lines.append(f"by agreement: {', '.join(report['by_agreement'])}")
    lines += [f"model for {task}: {name}" for task, name in sorted(report["models"].items())]
    lines += ["", f"{'from s':>8} {'to s':>8}  {'severity':8} incident"]
    for incident in report["incidents"]:
        what = f"{incident['title']}{_facts(incident['facts'])}"
        lines.append(f"{incident['from'] / 1000:8.1f} {incident['to'] / 1000:8.1f}  {incident['severity']:8} {what}")
    if not report["incidents"]:
        lines.append("       (none)")
    lines += ["", *(f"{name}: {value:.2f} s" for name, value in report["timings"].items())]
    return "\n".join(lines)


def _incident(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": body["kind"],
        "title": body["title"],
        "severity": body["severity"],
        "from": body["start_ms"],
        "to": body["end_ms"],
        "source": body["source"],
        "facts": dict(body["facts"]),
    }


def _timings(states: list[Mapping[str, Any]], started_utc_ms: int) -> dict[str, float]:
    """Return seconds since the application was started, per first reaching of a state and for the exam page."""
    reached: dict[str, float] = {}
    for body in states:
        seconds = (int(body["utc_ms"]) - started_utc_ms) / 1000
        name = "exec_to_exam_loaded_s" if body["why"] == EXAM_LOADED else f"exec_to_{body['state']}_s"
        reached.setdefault(name, round(seconds, 3))
    return reached


def _facts(facts: Mapping[str, str]) -> str:
    named = [facts[key] for key in ("name", "label", "url", "reason") if facts.get(key)]
    shown = named or [f"{key}: {value}" for key, value in sorted(facts.items())][:3]
    return f" ({', '.join(shown)})" if shown else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
