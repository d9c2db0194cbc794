"""Three hours of exam at the machine's speed: do picture and sound stay together, and does memory stay flat?

The sound card runs 100 parts in a million fast, its blocks come in bursts, and pictures come late now and then
(``tests.unit.long_exam``). Everything recorded is decoded again. Takes some minutes.
"""

import tempfile
from pathlib import Path

from tests.bench.table import Row
from tests.unit.long_exam import Exam

HOURS = 3.0
PPM = 100
MOMENT_S = 20
_WARM = 5
"""The first minutes fill caches (numpy, FFmpeg, SQLite) that are there once."""


def run() -> list[Row]:
    """Record, decode, compare."""
    with tempfile.TemporaryDirectory() as folder:
        result = Exam(Path(folder), seconds=HOURS * 3600, ppm=PPM, moment_s=MOMENT_S).run()
    growth_mib = (max(result.memory[_WARM:]) - result.memory[_WARM]) / 2**20
    apart_ms = max(result.apart_ms())
    name = f"{HOURS:g} h exam at speed, {PPM} ppm drift"
    return [
        _row(f"{name}: moments seen and heard", len(result.heard), "", f"= {round(HOURS * 3600 / MOMENT_S)}"),
        _row(f"{name}: picture and sound apart, at most", apart_ms, "ms", "≤ 80"),
        _row(f"{name}: memory growth", growth_mib, "MiB", "≤ 5"),
    ]


def _row(name: str, value: float, unit: str, goal: str) -> Row:
    return Row(name=name, value=round(value, 2), unit=unit, peer=None, ratio=None, goal=goal)
