"""A directory over HTTP for an application of the tests' own, which needs no portal and no database."""

from collections.abc import Iterator

import pytest

from jitportal.demo.directory import Directory, DirectoryServer
from tests.jitportal.directory.application import (
    CALLBACK,
    CLIENT,
    DEB,
    ERIN,
    GUS,
    LANDING,
    TENANT,
    Application,
    Clock,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[DirectoryServer]:
    directory = Directory(
        tenant_id=TENANT,
        client_id=CLIENT,
        client_secret="secret",
        is_redirect_uri=frozenset({CALLBACK, LANDING}).__contains__,
        people=(ERIN, GUS, DEB),
        clock=clock,
    )
    served = DirectoryServer(directory).start()
    yield served
    served.stop()


@pytest.fixture
def application(server: DirectoryServer, clock: Clock) -> Application:
    return Application(server.directory, clock)
