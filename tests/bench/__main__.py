"""``make bench``: runs every ``bench_*.py`` in one go, prints one table and writes JSON.

A missed goal is said in the table; only a benchmark that could not run makes the exit code 1.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import traceback
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.bench.table import Row, format_table, missed


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="topics, e.g. sealing recorder")
    parser.add_argument("--json", type=Path, help="write the rows as JSON")
    given = parser.parse_args()
    found = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    wanted = [f"bench_{name}" for name in given.names] or found
    rows: list[Row] = []
    failed = []
    for name in wanted:
        print(f"· {name.removeprefix('bench_')}", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"tests.bench.{name}").run()
        # The others are worth running; the exit code says that one was not. Parts of tests end by pytest's own.
        except (Exception, pytest.fail.Exception):  # noqa: BLE001
            traceback.print_exc()
            failed.append(name.removeprefix("bench_"))
    print(format_table(rows))
    if failed:
        print(f"Could not run: {', '.join(failed)}")
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        machine = {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
        report = {**machine, "failed": failed, "rows": [{**asdict(row), "missed": missed(row)} for row in rows]}
        given.json.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
