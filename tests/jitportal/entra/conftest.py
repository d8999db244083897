"""A directory over HTTP, and a client of it that notes its waits instead of waiting."""

from collections.abc import Callable

import pytest

from jitportal.demo.directory import DirectoryServer
from jitportal.entra.graph import Graph
from tests.directory import directory, directory_people, directory_server  # noqa: F401


@pytest.fixture
def waits() -> list[float]:
    """How long the client would have waited, in seconds."""
    return []


@pytest.fixture
def client(directory_server: DirectoryServer, waits: list[float]) -> Callable[[], Graph]:  # noqa: F811
    """Makes a client with a minute's patience."""
    return lambda: Graph(60, waits.append)
