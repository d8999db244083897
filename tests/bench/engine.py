"""`python -m tests.bench.engine [FIGURE …]`: the engine's figures, each in a world of its own; a table, and JSON.

Everything is measured against the simulator under the limits that AWS publishes, with real workers on PostgreSQL and
Redis; ratios are of one run, so that another machine can repeat them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.bench.world import described
from tests.processes.started import PROJECT

FIGURES: Final = ("burst", "lateness", "crowded", "approval", "sweeping", "processes")
WIDTHS: Final = (62, 44, 32)


def main() -> None:
    """Prints the table as it comes, and writes it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", help=f"some of: {', '.join(FIGURES)} (default: all)")
    parser.add_argument("--json", type=Path, default=PROJECT / "build" / "bench-engine.json")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.figures if name not in FIGURES]:
        parser.error(f"unknown: {', '.join(unknown)}")
    figures = list(rows(chosen.figures or FIGURES))
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n")


def rows(names: Iterable[str]) -> Iterator[dict[str, str | bool]]:
    """Measures one figure after the other, prints each row as it comes, and yields it."""
    for name in names:
        for what, measured, target, met in measure(name):
            shown = f"{what:<{WIDTHS[0]}} {measured:<{WIDTHS[1]}} {target:<{WIDTHS[2]}}"
            print(shown, "met" if met else "NOT MET", flush=True)  # noqa: T201
            yield {"figure": what, "measured": measured, "target": target, "met": met}


def measure(name: str) -> list[tuple[str, str, str, bool]]:
    """The rows of one figure: what, measured, target, met."""
    with described() as variables:
        command = [sys.executable, "-m", "tests.bench.in_world", name]
        done = subprocess.run(command, cwd=PROJECT, env=variables, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return [(name, "could not be measured", "", False)]
    return [(what, measured, target, met) for what, measured, target, met in json.loads(done.stdout.splitlines()[-1])]


if __name__ == "__main__":
    main()
