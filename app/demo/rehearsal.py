"""The demonstration from beginning to end, readable from top to bottom."""

import contextlib
import json
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import paths
from app.clock import SystemClock
from app.contract import schema
from app.contract.agreement import Allowance
from app.contract.errors import UserFacing
from app.contract.sealing import keys
from app.demo import institution as founding
from app.demo import report as reporting
from app.demo import targets
from app.demo.examine import examine
from app.demo.processes import (
    Display,
    Program,
    answers,
    client_command,
    free_port,
    server_command,
    start_decoy,
    wait_until,
)
from app.models.fetch import obtain
from app.samples import ensure_samples

ADMIN = "examiner"
START_ALLOWANCE_S = 90
FLUSH_ALLOWANCE_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalOptions:
    """What ``fairlock demo`` was asked for."""

    seconds: int
    headless: bool
    report: Path | None
    export: Path | None
    size: str
    screenshots: Path | None
    samples: bool
    keep: Path | None
    allowances: tuple[Allowance, ...] = ()
    extra_time_permille: int = 0


def rehearse(options: RehearsalOptions) -> int:
    """Run the demonstration and return the exit code. Raises ``UserFacing``: of a wrong target before anything runs."""
    folders = {"--keep": options.keep, "--export": options.export, "--screenshots": options.screenshots}
    targets.check(folders, options.report)
    clock = SystemClock()
    cache = paths.cache_dir()
    say("Preparing the detection models")
    obtain(progress=say)
    say("Preparing the sample footage")
    samples = ensure_samples(cache / "samples", progress=say)
    with ExitStack() as stack:
        work = _workspace(options, stack)
        logs = work / "logs"
        logs.mkdir(exist_ok=True)
        password = secrets.token_urlsafe(12)
        server, exam_site = _start_servers(options, stack, work, logs, password)
        examiner = founding.ExaminerClient(server)
        examiner.sign_in(ADMIN, password)
        ours = founding.found(
            examiner,
            server=server,
            exam_site=exam_site,
            password=password,
            seconds=options.seconds,
            clock=clock,
            allowances=options.allowances,
            extra_time_permille=options.extra_time_permille,
        )
        display = stack.enter_context(Display(logs, headless=options.headless, size=options.size))
        stack.enter_context(start_decoy(work, logs))
        say("Starting the exam application" + (" on a virtual display" if display.kind == "virtual" else ""))
        started_ms = clock.now().utc_ms
        exit_code = _run_application(options, display, work, logs, ours.link, samples)
        session = _session(examiner)
        export = work / "export.zip"
        examiner.download(f"sessions/{session['session']}/export", export)
        say("Verifying the evidence as an examiner would")
        findings = examine(export, pin=ours.pin, private_key=ours.examiner_key)
        run = reporting.Rehearsed(
            exit_code=exit_code, started_utc_ms=started_ms, console_url=f"{server}/console/", display=display.kind
        )
        report = reporting.build(findings, run, session)
        print(reporting.table(report), flush=True)  # noqa: T201  (a command's answer)
        if options.report is not None:
            with targets.writing(options.report, "--report"):
                options.report.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if options.export is not None:
            with targets.writing(options.export, "--export"):
                _leave_export(options.export, export, ours, password)
        return _conclude(options, report, server, password)


def say(text: str) -> None:
    """Tell the person at the terminal what happens now."""
    print(f"· {text}", flush=True)  # noqa: T201  (a command's answer)


def _workspace(options: RehearsalOptions, stack: ExitStack) -> Path:
    if options.keep is not None:
        return options.keep.absolute()
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fairlock-demo-")))


def _start_servers(
    options: RehearsalOptions, stack: ExitStack, work: Path, logs: Path, password: str
) -> tuple[str, str]:
    data, secret = work / "server", work / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    init = Program(
        "server set-up",
        [*server_command(), "init", "--data", data, "--admin", ADMIN, "--password-file", secret],
        logs / "init.log",
    )
    with init:
        if init.wait(60) != 0:
            raise UserFacing(f"The server could not be set up.\n{init.tail()}", advice=f"See {init.log}.")
    port, exam_port = free_port(), free_port()
    server, exam_site = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{exam_port}"
    say(f"Starting the server at {server} and the exam site at {exam_site}")
    serving = stack.enter_context(
        Program("server", [*server_command(), "serve", "--data", data, "--port", str(port)], logs / "server.log")
    )
    site = stack.enter_context(
        Program(
            "exam site",
            [
                *server_command(),
                "demo-exam",
                "--port",
                str(exam_port),
                "--gate",
                server,
                "--rehearse",
                str(options.seconds),
            ],
            logs / "exam.log",
        )
    )
    wait_until(lambda: answers(f"{server}/api/v1/server"), what="The server", program=serving)
    wait_until(lambda: answers(f"{exam_site}/"), what="The exam site", program=site)
    return server, exam_site


def _run_application(
    options: RehearsalOptions, display: Display, work: Path, logs: Path, link: str, samples: Any
) -> int:
    home = work / "home"
    cache_models = paths.cache_dir() / "models"
    environment = {**display.environment, "FAIRLOCK_HOME": str(home), "FAIRLOCK_MODELS": str(cache_models)}
    command: list[str | Path] = [
        *client_command(),
        "open",
        link,
        "--rehearse",
        "--sample-camera",
        samples.camera,
        "--sample-microphone",
        samples.microphone,
        "--sample-note",
        samples.description,
    ]
    if options.samples:
        command.append("--prefer-samples")
    if options.screenshots is not None:
        command += ["--screenshots", options.screenshots.absolute()]
    with Program("application", command, logs / "application.log", environment=environment) as application:
        limit_s = START_ALLOWANCE_S + options.seconds + FLUSH_ALLOWANCE_S
        code = application.wait(limit_s)
        if code is None:
            application.stop()
            raise UserFacing(
                f"The application did not end within {limit_s} s.\n{application.tail()}",
                advice="Use --keep to see logs.",
            )
        if code != 0:
            say(f"The application ended with code {code}:\n{application.tail(30)}")
        return code


def _session(examiner: founding.ExaminerClient) -> dict[str, Any]:
    rows = examiner.get("sessions")["sessions"]
    if not rows:
        raise UserFacing(
            "The server knows of no session: the application never joined.", advice="Use --keep to see logs."
        )
    return {**rows[0], **examiner.get(f"sessions/{rows[0]['session']}")}


def _leave_export(folder: Path, export: Path, ours: founding.Institution, password: str) -> None:
    shutil.copy(export, folder / "export.zip")
    (folder / "examiner-key.json").write_bytes(schema.dumps(keys.protect(ours.examiner_key, password)))
    (folder / "passphrase").write_text(password)
    (folder / "pin").write_text(ours.pin)


def _conclude(options: RehearsalOptions, report: dict[str, Any], server: str, password: str) -> int:
    lost = reporting.losses(report)
    for sentence in lost:
        say(sentence)
    say("Evidence verified, nothing lost." if not lost else "The demonstration did NOT pass.")
    if not options.headless and sys.stdin.isatty():
        say(f"The console: {server}/console/   name: {ADMIN}   password and passphrase: {password}")
        say("The server stays up until you press Ctrl-C.")
        _wait_for_interrupt()
    return 1 if lost else 0


def _wait_for_interrupt() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        if hasattr(signal, "pause"):
            signal.pause()
        else:
            input()
