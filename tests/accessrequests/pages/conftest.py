"""A browser without scripts for each person, and an ask as its form sends it."""

import uuid
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from django.test import Client

from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from tests.accessrequests.conftest import Office

Browse = Callable[[Person], Client]


@pytest.fixture
def browse(office: Office) -> Browse:
    """Makes a client that is signed in as one of the company's people."""

    def make(person: Person) -> Client:
        client = Client()
        client.force_login(office.user(person))
        return client

    return make


@pytest.fixture
def asker(browse: Browse) -> Client:
    """Ada, who may ask for Developer in the sandbox and in production."""
    return browse(company.ADA)


def typed(office: Office, **changes: Any) -> dict[str, Any]:
    """A good ask for production as its form sends it, but for the changes."""
    good = {
        "id": str(uuid.uuid4()),
        "role": "developer",
        "environment": "production",
        "accounts": [office.catalog.production_accounts[0].account_id],
        "duration": "3600",
        "minutes": "",
        "when": "now",
        "start": "",
        "zone": "UTC",
        "reason": "Look into the stuck settlement queue.",
        "ticket": "INC-4711",
    }
    return {**good, **changes}


class Answer(Protocol):
    """What a client gets back, as far as its words go."""

    @property
    def content(self) -> bytes: ...


def text(response: Answer) -> str:
    """The page's markup, with runs of white space made one."""
    return " ".join(response.content.decode().split())
