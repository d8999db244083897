"""`make test`: the whole suite on the embedded defaults, then once more on PostgreSQL and Redis what touches the rows.

`python -m tests.run [pytest's arguments]`. With REQUIRE_SERVICES=1 it fails without PostgreSQL, Redis or Chromium.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from tests import services

# What the database or the broker has a part in; the simulator, the directory and the browser are the same on either.
ON_SERVICES: Final = (
    "tests/accessrequests",
    "tests/auditlog",
    "tests/catalog",
    "tests/jitportal",
    "tests/processes/services",
)
ELSEWHERE: Final = ("tests/jitportal/simulator", "tests/jitportal/directory")
# Ours to decide, and not the machine's: a leftover variable must not make this another suite.
DECIDED: Final = ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "JITPORTAL_MODE", "PORT", "SIMULATOR_PORT", "PORTAL_URL")
NO_TESTS: Final = 5


@dataclass
class Run:
    """One run of pytest, and how it went."""

    name: str
    code: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.name}: {'passed' if self.code == 0 else f'FAILED (exit code {self.code})'}, {self.seconds:.0f} s"


def main(arguments: Sequence[str]) -> int:
    """Runs the suite; the exit code is 0 only if every run passed (130 after Ctrl-C)."""
    signal.signal(signal.SIGTERM, _interrupt)
    required = os.environ.get("REQUIRE_SERVICES", "") not in ("", "0")
    runs: list[Run] = []
    missing: list[str] = []
    try:
        with ExitStack() as stack:
            database = stack.enter_context(services.postgresql())
            broker = stack.enter_context(services.redis_index())
            missing = _missing(database, broker)
            if required and missing:
                return _end(runs, missing, required=True)
            runs.append(_pytest("on SQLite, in one process", ["--ignore=tests/processes/services", *arguments], {}))
            if database and broker:
                chosen = {"DATABASE_URL": database, "REDIS_URL": broker}
                runs.append(_pytest("on PostgreSQL and Redis", _on_services(arguments), chosen))
    except services.Unusable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; what the tests had made is gone.\n")
        return 130
    return _end(runs, missing, required=False)


def _missing(database: str | None, broker: str | None) -> list[str]:
    """Sentences: what this machine has not, and what is therefore not tested."""
    found = []
    if absent := [name for name, url in (("PostgreSQL", database), ("Redis", broker)) if not url]:
        found.append(
            f"no {' and no '.join(absent)}: rows and messages as in production, and workers in processes of their own"
        )
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        found.append("no Chromium: the pages in a browser")
    return found


def _on_services(arguments: Sequence[str]) -> list[str]:
    """The arguments for the run on services: of the paths that were named those that belong there, else all that do."""
    paths = [each for each in arguments if Path(each.partition("::")[0]).exists()]
    options = [each for each in arguments if each not in paths]
    chosen = [path for path in paths if path.startswith(ON_SERVICES) and not path.startswith(ELSEWHERE)]
    if not paths or "tests" in (path.rstrip("/") for path in paths):
        chosen = [path for path in ON_SERVICES if Path(path).exists()]
    return [*(f"--ignore={path}" for path in ELSEWHERE), *options, *chosen] if chosen else []


def _pytest(name: str, arguments: Sequence[str], chosen: dict[str, str]) -> Run:
    if not arguments:
        return Run(f"{name} (nothing of what was named)", 0, 0.0)
    sys.stdout.write(f"\n== {name}\n")
    sys.stdout.flush()
    began = time.monotonic()
    inherited = {key: value for key, value in os.environ.items() if key not in DECIDED}
    with tempfile.TemporaryDirectory(prefix="jitportal-", ignore_cleanup_errors=True) as data:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments], env={**inherited, **chosen, "DATA_DIR": data}
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # Ctrl-C has reached it, too; a second signal would keep it from dropping its database.
            _wait_for_the_end(process)
            raise
    return Run(name, 0 if code == NO_TESTS and len(arguments) > 1 else code, time.monotonic() - began)


def _wait_for_the_end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end(runs: Sequence[Run], missing: Sequence[str], *, required: bool) -> int:
    for run in runs:
        sys.stdout.write(f"{run}\n")
    if missing:
        word = "REQUIRE_SERVICES=1, but there is" if required else "Not tested, because there is"
        sys.stdout.write(f"{word} {'; '.join(missing)}.\n")
    sys.stdout.flush()
    return 1 if required or any(run.code for run in runs) else 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
