"""The company's directory over HTTP, the portal that knows its people, and a client that notes its waits."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from accessrequests.provisioner import Provisioner
from jitportal.demo import organisation as company
from jitportal.demo.directory import Directory, DirectoryServer, Person
from jitportal.entra.graph import Graph
from jitportal.entra.sync import Result, sync
from jitportal.models import User
from tests.accessrequests.conftest import Office, catalog, groups, office, user  # noqa: F401
from tests.directory import directory, directory_server  # noqa: F401


@pytest.fixture
def directory_people() -> tuple[Person, ...]:
    return company.PEOPLE


@pytest.fixture
def waits() -> list[float]:
    """How long the client would have waited, in seconds."""
    return []


@pytest.fixture
def client(directory_server: DirectoryServer, waits: list[float]) -> Callable[[], Graph]:  # noqa: F811
    """Makes a client with a minute's patience."""
    return lambda: Graph(60, waits.append)


class Portal:
    """A portal whose people are the company's, synced when told to."""

    def __init__(self, office: Office, server: DirectoryServer, client: Callable[[], Graph], aws: Provisioner) -> None:  # noqa: F811
        self.office = office
        self.server = server
        self.directory: Directory = server.directory
        self._client = client
        self._aws = aws

    def sync(self) -> Result:
        """One sync, which nobody else is doing."""
        result = sync(self._client(), self._aws)
        assert result is not None
        return result

    def row(self, person: Person) -> User:
        return User.objects.get(object_id=person.object_id)

    def inactive(self) -> set[str]:
        return set(User.objects.filter(is_active=False).values_list("name", flat=True))


@pytest.fixture
def portal(
    office: Office,  # noqa: F811
    directory_server: DirectoryServer,  # noqa: F811
    client: Callable[[], Graph],
    aws: Provisioner,
    settings: Settings,
) -> Portal:
    """Everybody is known, and a first sync has found nothing amiss."""
    User.objects.update(tenant_id=settings.ENTRA_TENANT_ID)
    made = Portal(office, directory_server, client, aws)
    assert made.sync() == Result(asked=11)
    return made
