"""`make bench`: prints tables and writes build/bench.json; ratios are what another machine can repeat."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests import services
from tests.bench import catalog, engine
from tests.processes.conftest import Demo, Demos
from tests.processes.desk import Desk
from tests.processes.started import PROJECT, Aws, environment

DELAY: Final = 2.0
ACCOUNTS: Final = ("Payments", "Ledger", "Onboarding", "Data Platform", "Website")
LEDGER: Final = "from tests.bench import ledger; ledger.main()"

Result = dict[str, Any]


def main() -> None:
    """Measures one thing after the other, so that none slows another."""
    results: dict[str, Result] = {}
    with tempfile.TemporaryDirectory(prefix="jitportal-bench-") as name:
        folder = Path(name)
        demos = Demos(folder)
        try:
            results["start of the demo"] = _starts(demos, folder / "demo")
            results["a grant in the demo"] = _grants(demos, folder / "demo")
        finally:
            demos.close()
        results["ledger on SQLite"] = _ledger(environment(DATA_DIR=folder / "sqlite"))
        with services.postgresql() as url:
            if url:
                results["ledger on PostgreSQL"] = _ledger(environment(DATA_DIR=folder / "postgresql", DATABASE_URL=url))
                results["ledger on PostgreSQL"]["appends_of_sqlite"] = round(
                    results["ledger on PostgreSQL"]["appends_per_s"] / results["ledger on SQLite"]["appends_per_s"], 2
                )
    for title, result in results.items():
        sys.stdout.write(f"\n{title}\n")
        for measure, value in result.items():
            sys.stdout.write(f"  {measure.replace('_', ' '):<36} {value:>10}\n")
    sys.stdout.write("\nthe catalog of a large company, on PostgreSQL\n")
    at_size = list(catalog.rows())
    sys.stdout.write("\nthe engine, on PostgreSQL and Redis with real workers\n")
    figures = list(engine.rows(engine.FIGURES))
    kept = PROJECT / "build" / "bench.json"
    kept.parent.mkdir(exist_ok=True)
    load = os.getloadavg()[0]
    kept.write_text(
        json.dumps({"cpus": os.cpu_count(), "load": load, **results, "catalog": at_size, "engine": figures}, indent=2)
        + "\n"
    )
    sys.stdout.write(f"\n{os.cpu_count()} CPUs, load {load:.1f}. Kept in {kept.relative_to(PROJECT)}.\n")


def _starts(demos: Demos, data: Path) -> Result:
    """Seconds from the command until it is ready and until it has stopped, first in an empty folder, then again."""
    first, stop_first = _start_and_stop(demos, data)
    second, stop_second = _start_and_stop(demos, data)
    return {
        "first_start_s": round(first, 2),
        "second_start_s": round(second, 2),
        "first_of_second": round(first / second, 1),
        "stop_s": round(max(stop_first, stop_second), 2),
    }


def _start_and_stop(demos: Demos, data: Path) -> tuple[float, float]:
    began = time.monotonic()
    demo = demos.start(data)
    demo.wait_until_ready()
    ready = time.monotonic()
    demo.process.stop()
    return ready - began, time.monotonic() - ready


def _grants(demos: Demos, data: Path) -> Result:
    """Seconds that the portal adds: from approval to AWS's confirmation, and from a grant's end to the deletion sent.

    They are asked for by another process, whose messages the demo's broker in memory does not carry: the sweep finds
    them.
    """
    demo: Demo = demos.start(data)
    demo.wait_until_ready()
    Aws(demo.port + 1).set_delay(DELAY)
    with Desk(demo.chosen) as desk:
        asked = [desk.ask("Ben Okafor", "Developer", "Sandbox", f"{account} Sandbox", 5) for account in ACCOUNTS]
        times = [desk.wait(request, "ended")["times"] for request in asked]
    demo.process.stop()
    confirmed = [each["activated"] - each["approved"] - DELAY for each in times]
    sent = [each["deletion_sent"] - each["ends"] for each in times]
    return {
        "approved_to_confirmed_s_median": round(statistics.median(confirmed), 2),
        "approved_to_confirmed_s_worst": round(max(confirmed), 2),
        "confirmed_of_aws_delay": round(statistics.median(confirmed) / DELAY, 2),
        "end_to_deletion_sent_s_median": round(statistics.median(sent), 2),
        "end_to_deletion_sent_s_worst": round(max(sent), 2),
    }


def _ledger(chosen: dict[str, str]) -> Result:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", LEDGER],
        cwd=PROJECT,
        env=chosen,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: Result = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    main()
