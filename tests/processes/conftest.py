"""A demo's first start, made once: what it said, how it ended, and its data for others to go on with."""

import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.processes.started import Started, environment, fetch, until
from tests.services import free_port

# With them all is said that a start has to say.
LAST_WORDS: Final = "Mail that would be sent is in"


@dataclass
class Demo:
    """A demo that has been started: its process, where it is served, and the environment that its commands need."""

    process: Started
    folder: Path
    port: int
    chosen: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> str:
        """Waits until it is ready; what it has said until then."""
        said = self.process.wait_for(LAST_WORDS)
        until("/readyz", lambda: fetch(f"{self.url}/readyz")[0] == 200)
        return said


class Demos:
    """Starts demos on ports of their own; all have ended when the test has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Started] = []

    def start(self, data: Path, **chosen: object) -> Demo:
        """`manage.py demo` on this data."""
        variables = environment(**{"DATA_DIR": data, "PORT": free_port(), **chosen})
        process = self.command(["manage.py", "demo"], variables)
        return Demo(process, data, int(variables["PORT"]), variables)

    def command(self, command: list[str], variables: dict[str, str]) -> Started:
        """Any command of Python's, in this environment."""
        started = Started(command, variables, self._folder / f"output-{len(self._running)}.log")
        self._running.append(started)
        return started

    def close(self) -> None:
        """Kills what still runs."""
        for each in self._running:
            each.kill()


@pytest.fixture
def demos(tmp_path: Path) -> Iterator[Demos]:
    made = Demos(tmp_path)
    yield made
    made.close()


@dataclass
class FirstStart:
    """How a first start went, from an empty folder to Ctrl-C."""

    data: Path
    before: tuple[int, str]
    said: str
    ready: tuple[int, str]
    exit_code: int
    said_in_all: str


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstStart]:
    """A demo started in an empty folder, and stopped by Ctrl-C as soon as it was ready."""
    folder = tmp_path_factory.mktemp("first")
    made = Demos(folder)
    try:
        demo = made.start(folder / "data")
        before = until("a first answer", lambda: found if (found := fetch(f"{demo.url}/readyz"))[0] else None)
        said = demo.wait_until_ready()
        ready = fetch(f"{demo.url}/readyz")
        code = demo.process.stop(signal.SIGINT)
        yield FirstStart(folder / "data", before, said, ready, code, demo.process.said())
    finally:
        made.close()


@pytest.fixture
def seeded(first_start: FirstStart, tmp_path: Path) -> Path:
    """A copy of the data that a first start has left."""
    return copied(first_start, tmp_path)


@pytest.fixture(scope="module")
def shared_data(first_start: FirstStart, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `seeded`, one for all the tests of a module."""
    return copied(first_start, tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def shared_demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demos]:
    """As `demos`, for all the tests of a module."""
    made = Demos(tmp_path_factory.mktemp("output"))
    yield made
    made.close()


def copied(first: FirstStart, folder: Path) -> Path:
    """The first start's data, in this folder."""
    return Path(shutil.copytree(first.data, folder / "data"))
