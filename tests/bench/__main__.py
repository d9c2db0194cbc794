"""``make bench``: runs every ``bench_*.py`` in one go, prints one table and writes JSON."""

import argparse
import importlib
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from tests.bench.table import Row, format_table


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="topics, e.g. sealing recorder")
    parser.add_argument("--json", type=Path, help="write the rows as JSON")
    given = parser.parse_args()
    found = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    wanted = [f"bench_{name}" for name in given.names] or found
    rows: list[Row] = []
    for name in wanted:
        print(f"· {name.removeprefix('bench_')}", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"tests.bench.{name}").run()
    print(format_table(rows))
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        machine = {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
        report = {**machine, "rows": [asdict(row) for row in rows]}
        given.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
