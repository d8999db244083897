"""The world of the engine's figures: PostgreSQL, Redis, the simulator and real workers, each a process of its own."""

import json
import os
import sys
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from tests import services
from tests.processes.started import Started, environment, until
from tests.services import free_port

# What AWS publishes, and what the simulator keeps to in every figure that is held against a ceiling.
PUBLISHED: Final = {"sso_tps": 20, "identitystore_tps": 20, "outstanding": 10, "delay": 2.0}
LIFTED: Final = {"sso_tps": None, "identitystore_tps": None, "outstanding": None, "delay": 0.0}


class Simulated:
    """The simulator's own counters and switches, past AWS's interface."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/_simulator"

    def limits(self, limits: Mapping[str, float | None]) -> None:
        self._ask("limits", "PUT", dict(limits))

    def calls(self) -> dict[str, Any]:
        return dict(self._ask("calls"))

    def forget_calls(self) -> None:
        self._ask("calls", "DELETE")

    def held(self) -> int:
        """How many assignments there are."""
        return len(self._ask("assignments")["assignments"])

    def _ask(self, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self._url}/{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")


class World:
    """A portal without pages in the environment that `described` gave: its AWS, and the processes that work on it."""

    def __init__(self) -> None:
        self.variables = dict(os.environ)
        self._folder = Path(os.environ["DATA_DIR"])
        self._stack = ExitStack()
        self._port = int(os.environ["SIMULATOR_PORT"])
        self.aws = Simulated(self._port)

    def __enter__(self) -> Self:
        self._start("simulator", ["manage.py", "simulator", "--port", str(self._port)])
        until("the simulator", lambda: _answers(self._port))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def work(self, processes: int = 1, threads: int = 10, **changed: object) -> list[Started]:
        """Starts workers, those that removals and the sweep have to themselves, and beat."""
        variables = {**self.variables, **{name: str(value) for name, value in changed.items()}}
        celery = ["-m", "celery", "-A", "jitportal"]
        pool = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-P", "threads"]
        started = [
            self._start(
                f"work-{n}",
                [*celery, "worker", "-Q", "work,removal", "-n", f"w{n}@bench", *pool, "-c", str(threads)],
                variables,
            )
            for n in range(processes)
        ]
        for queue, reserved in (("removal", "4"), ("sweep", "1")):
            command = [*celery, "worker", "-Q", queue, "-n", f"{queue}@bench", *pool, "-c", reserved]
            started.append(self._start(queue, command, variables))
        started.append(self._start("beat", [*celery, "beat"], variables))
        return started

    def stop(self, processes: Sequence[Started]) -> None:
        for process in processes:
            process.kill()

    def _start(self, name: str, command: list[str], variables: dict[str, str] | None = None) -> Started:
        log = self._folder / f"{name}-{uuid.uuid4().hex[:6]}.log"
        started = Started(command, variables or self.variables, log)
        self._stack.callback(started.kill)
        return started


@contextmanager
def described() -> Iterator[dict[str, str]]:
    """The environment of a world of its own: a database, a Redis index, a folder and free ports; gone afterwards.

    Raises:
        SystemExit: PostgreSQL or Redis is not to be had.
    """
    with ExitStack() as stack:
        database, broker = stack.enter_context(services.postgresql()), stack.enter_context(services.redis_index())
        if database is None or broker is None:
            sys.exit("The engine's figures are measured on PostgreSQL and Redis; this machine lacks one of them.")
        yield environment(
            DATA_DIR=stack.enter_context(tempfile.TemporaryDirectory()),
            PORT=free_port(),
            SIMULATOR_PORT=free_port(),
            DATABASE_URL=database,
            REDIS_URL=broker,
            LOG_LEVEL="ERROR",
            DJANGO_SETTINGS_MODULE="jitportal.settings",
        )


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_simulator/health", timeout=2):
            return True
    except OSError:
        return False


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
