"""A portal in processes that may be killed: Redis, workers and the scheduler; AWS and the rows stay."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Self

import psycopg
import redis

from tests.processes.started import Started, environment, fetch, until
from tests.services import free_port, own_database

WORKER: Final = (
    *("-m", "celery", "-A", "jitportal", "worker", "-l", "WARNING"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "-P", "threads"),
)
COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "worker 1": (*WORKER, "-Q", "work", "-n", "worker-1@soak", "-c", "6"),
    "worker 2": (*WORKER, "-Q", "work", "-n", "worker-2@soak", "-c", "6"),
    "remover": (*WORKER, "-Q", "removal", "-n", "remover@soak", "-c", "4"),
    "sweeper": (*WORKER, "-Q", "sweep", "-n", "sweeper@soak", "-c", "1"),
    "scheduler": ("-m", "celery", "-A", "jitportal", "beat", "-l", "WARNING"),
}
REDIS: Final = "Redis"
CONNECTIONS: Final = "connections"
# Run in a world's environment; see `tests.chaos.soak`.
SOAK: Final = ("manage.py", "shell", "--no-imports", "-c", "from tests.chaos import soak; soak.main()")
# Whatever may die: processes by kill -9, Redis with all that it held, the database's connections by its administrator.
MORTAL: Final = (*COMMANDS, REDIS, CONNECTIONS)


@contextmanager
def described(server: str) -> Iterator[dict[str, str]]:
    """The environment of a world of its own, beside the database that the URL names; gone afterwards."""
    with ExitStack() as stack:
        yield environment(
            DATA_DIR=stack.enter_context(tempfile.TemporaryDirectory(prefix="jitportal-", ignore_cleanup_errors=True)),
            PORT=free_port(),
            SIMULATOR_PORT=free_port(),
            DATABASE_URL=stack.enter_context(own_database(server)),
            REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
            LOG_LEVEL="WARNING",
            DJANGO_SETTINGS_MODULE="jitportal.settings",
        )


class SimulatedAws:
    """The simulator's switches, past AWS's interface."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/_simulator"

    def is_there(self) -> bool:
        return fetch(f"{self._url}/health")[0] == 200

    def fail(self, **fault: object) -> None:
        """Puts a fault in force; its fields are those of `jitportal.demo.simulator.Fault`."""
        self._ask("faults", "POST", fault)

    def put(self, key: Mapping[str, str]) -> None:
        """Makes an assignment exist, as somebody with a console would."""
        self._ask("assignments", "POST", dict(key))

    def held(self) -> dict[str, Any]:
        """`assignments` that exist, and every one of the `operations` that there were, as they were accepted."""
        return self._ask("assignments")

    def _ask(self, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> dict[str, Any]:
        status, said = fetch(f"{self._url}/{path}", method, body)
        assert status == 200, said
        answer: dict[str, Any] = json.loads(said)
        return answer


class World:
    """The processes of one portal; the block is left with all of them ended."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = dict(variables)
        self._folder = Path(variables["DATA_DIR"])
        self._stack = ExitStack()
        self._running: dict[str, Started] = {}
        self._logs: list[Path] = []
        self._database = psycopg.connect(variables["DATABASE_URL"], autocommit=True)
        self.aws = SimulatedAws(int(variables["SIMULATOR_PORT"]))

    def __enter__(self) -> Self:
        self._stack.enter_context(self._database)
        self._stack.callback(self._end)
        self._run("simulator", ("manage.py", "simulator", "--port", self._variables["SIMULATOR_PORT"]))
        self.start(REDIS)
        until("the simulator", self.aws.is_there)
        until("Redis", self._redis_answers)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def work(self) -> None:
        """Starts the workers and the scheduler."""
        for name in COMMANDS:
            self.start(name)

    def kill(self, name: str) -> None:
        """Kills it without a word."""
        if name == CONNECTIONS:
            self._database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        else:
            self._running.pop(name).kill()

    def start(self, name: str) -> None:
        """Starts it; it is ready some time later. Connections are made by those who need them."""
        if name == REDIS:
            port = self._variables["REDIS_URL"].rpartition(":")[2].partition("/")[0]
            options = ("--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder))
            self._run(name, options, "redis-server")
        elif name != CONNECTIONS:
            self._run(name, COMMANDS[name])

    def recorded(self) -> int:
        """How many events there are: by these the world tells the time."""
        row = self._database.execute("SELECT number FROM auditlog_chainhead").fetchone()
        assert row is not None
        number: int = row[0]
        return number

    def circles(self) -> int:
        """How often some waited for one another, until the database chose one of them to fail."""
        row = self._database.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        assert row is not None
        number: int = row[0]
        return number

    def said(self) -> str:
        """The last words of each process there was."""
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in self._logs)

    def _run(self, name: str, command: tuple[str, ...], *program: str) -> None:
        log = self._folder / f"{name}-{len(self._logs)}.log"
        self._logs.append(log)
        self._running[name] = Started(command, self._variables, log, *program)

    def _end(self) -> None:
        for process in self._running.values():
            process.kill()

    def _redis_answers(self) -> bool:
        try:
            with redis.Redis.from_url(self._variables["REDIS_URL"], socket_connect_timeout=3) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
