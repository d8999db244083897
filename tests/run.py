"""`make test`: on PostgreSQL and Redis what touches the rows, on the embedded defaults all the rest and some of that.

Where PostgreSQL or Redis is missing, all is run on the embedded defaults; tests that are named are run on both.
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
from contextlib import ExitStack, nullcontext
from pathlib import Path
from types import FrameType
from typing import Final

from tests import services

# What the database or the broker has a part in; the simulator, the directory and the browser are the same on either.
# In shares that take about as long: each is a run with a database and an index of its own.
ON_SERVICES: Final = (
    ("tests/accessrequests", "tests/processes/services"),
    ("tests/auditlog", "tests/catalog", "tests/jitportal"),
)
ELSEWHERE: Final = ("tests/jitportal/simulator", "tests/jitportal/directory")
# Ours to decide, and not the machine's: a leftover variable must not make this another suite.
DECIDED: Final = ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "JITPORTAL_MODE", "PORT", "SIMULATOR_PORT", "PORTAL_URL")
NO_TESTS: Final = 5


class Run:
    """One run of pytest, in a data folder of its own; in the background it says all when it is waited for."""

    def __init__(
        self, name: str, arguments: Sequence[str], chosen: dict[str, str], *, is_whole: bool, in_background: bool
    ) -> None:
        self._name = name
        self._is_whole = is_whole
        self._folder = Path(tempfile.mkdtemp(prefix="jitportal-"))
        self._output = self._folder / "output.txt" if in_background else None
        self.code = 0
        inherited = {key: value for key, value in os.environ.items() if key not in DECIDED}
        # What failed last is remembered of the run that is shown.
        apart = ["-o", f"cache_dir={self._folder / 'cache'}"] if in_background else []
        command = [sys.executable, "-m", "pytest", *apart, *arguments]
        with open(self._output, "wb") if self._output else nullcontext() as output:  # noqa: PTH123 - or nothing to open
            environment = {**inherited, **chosen, "DATA_DIR": str(self._folder / "data")}
            self._process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    def finish(self) -> None:
        """Waits for its end."""
        code = self._process.wait()
        self.code = 0 if code == NO_TESTS and not self._is_whole else code
        if self._output:
            _say(f"\n== {self._name}\n{self._output.read_text(errors='replace')}")

    def close(self) -> None:
        """Sees that it has ended and dropped its database, and removes its folder."""
        # Ctrl-C has reached it, too, and a second signal would keep it from tidying up.
        for patience in (3, 20):
            try:
                self._process.wait(timeout=patience)
                break
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGINT)
        else:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __str__(self) -> str:
        said = "passed" if self.code == 0 else f"FAILED (exit code {self.code})"
        return f"{self._name}: {said}"


def main(arguments: Sequence[str]) -> int:
    """Runs the suite; the exit code is 0 only if every run passed (130 after Ctrl-C)."""
    signal.signal(signal.SIGTERM, _interrupt)
    required = os.environ.get("REQUIRE_SERVICES", "") not in ("", "0")
    began = time.monotonic()
    whole = not arguments
    runs: list[Run] = []
    missing: list[str] = []
    try:
        with ExitStack() as stack:
            database = stack.enter_context(services.postgresql())
            broker = stack.enter_context(services.redis_index())
            missing = _missing(database, broker)
            if required and missing:
                return _end(runs, missing, required=True)
            embedded = ["--ignore=tests/processes/services", *arguments]
            # All at once: each waits for AWS and for processes more than it works.
            if database and broker and (shares := _on_services(arguments)):
                embedded = [*(["-p", "tests.rows_elsewhere"] if whole else []), *embedded]
                for number, chosen in enumerate(shares, 1):
                    variables = {
                        "DATABASE_URL": stack.enter_context(services.own_database(database)),
                        "REDIS_URL": stack.enter_context(services.own_index(broker)),
                    }
                    name = f"On PostgreSQL and Redis, {number} of {len(shares)}"
                    runs.append(Run(name, chosen, variables, is_whole=whole, in_background=True))
                    stack.callback(runs[-1].close)
            runs.insert(0, Run("On SQLite, in one process", embedded, {}, is_whole=whole, in_background=False))
            stack.callback(runs[0].close)
            for run in runs:
                run.finish()
    except services.Unusable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; what the tests had made is gone.\n")
        return 130
    _say(f"In all: {time.monotonic() - began:.0f} s\n")
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


def _on_services(arguments: Sequence[str]) -> list[list[str]]:
    """The arguments for each run on services: of the paths that were named those of its share, else all of that."""
    paths = [each for each in arguments if Path(each.partition("::")[0]).exists()]
    options = [each for each in arguments if each not in paths]
    apart = ["-p", "tests.rows_only", *(f"--ignore={path}" for path in ELSEWHERE)]
    shares = []
    for share in ON_SERVICES:
        chosen = [path for path in paths if path.startswith(share) and not path.startswith(ELSEWHERE)]
        if not paths or "tests" in (path.rstrip("/") for path in paths):
            chosen = [path for path in share if Path(path).exists()]
        if chosen:
            shares.append([*apart, *options, *chosen])
    return shares


def _end(runs: Sequence[Run], missing: Sequence[str], *, required: bool) -> int:
    _say("".join(f"{run}\n" for run in runs))
    if missing:
        word = "REQUIRE_SERVICES=1, but there is" if required else "Not tested, because there is"
        _say(f"{word} {'; '.join(missing)}.\n")
    return 1 if required or any(run.code for run in runs) else 0


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
