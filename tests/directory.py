"""A directory for tests, with people in it, and ways to be signed in as one of them.

`directory` is a fixture; with `Browser` use `sign_in`, with Django's test client `known` and force_login.
"""

import copy
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from pytest_django import Settings

from jitportal.demo.directory import Directory, DirectoryServer, Group, Person
from jitportal.models import User
from jitportal.signin.claims import Claims
from jitportal.signin.people import take_in
from tests.browser import Browser

ADMINS = Group("a0000000-0000-4000-8000-000000000001", "Portal administrators")
COMPLIANCE = Group("a0000000-0000-4000-8000-000000000002", "Compliance")
PAYMENTS = Group("b0000000-0000-4000-8000-000000000001", "Payments engineers")
PLATFORM = Group("b0000000-0000-4000-8000-000000000002", "Platform leads")

ENGINEER = Person(
    "e0000000-0000-4000-8000-000000000001",
    "Erin Engineer",
    "erin@example.com",
    "erin@example.com",
    "Payments",
    "Engineer",
    (PAYMENTS,),
    part="Asks for access.",
)
APPROVER = Person(
    "e0000000-0000-4000-8000-000000000002",
    "Ari Approver",
    "ari@example.com",
    "ari@example.com",
    "Platform",
    "Team lead",
    (PLATFORM,),
    part="Decides what Payments may have.",
)
ADMIN = Person(
    "e0000000-0000-4000-8000-000000000003",
    "Ada Admin",
    "ada@example.com",
    "ada@example.com",
    "Platform",
    "Administrator",
    (ADMINS,),
    part="Keeps the catalog.",
)
AUDITOR = Person(
    "e0000000-0000-4000-8000-000000000004",
    "Cam Compliance",
    "cam@example.com",
    "cam@example.com",
    "Risk",
    "Auditor",
    (COMPLIANCE,),
    part="Reads the record.",
)
PEOPLE = (ENGINEER, APPROVER, ADMIN, AUDITOR)

_RETURNS = ("/sign-in/entra/callback/", "/sign-in/")


@pytest.fixture
def directory_people() -> tuple[Person, ...]:
    """Who is in the directory; override this fixture to have others."""
    return PEOPLE


@pytest.fixture
def directory(directory_server: DirectoryServer) -> Directory:
    """Who is in the directory that the settings name."""
    return directory_server.directory


@pytest.fixture
def directory_server(settings: Settings, directory_people: tuple[Person, ...]) -> Iterator[DirectoryServer]:
    """A directory served in a thread of its own, which the settings name as the one that signs people in."""
    providers = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    app = providers["openid_connect"]["APPS"][0]
    found = Directory(
        tenant_id=settings.ENTRA_TENANT_ID,
        client_id=app["client_id"],
        client_secret=app["secret"],
        is_redirect_uri=_is_portal_of_test,
        people=directory_people,
    )
    server = DirectoryServer(found).start()
    app["settings"]["server_url"] = found.issuer
    settings.SOCIALACCOUNT_PROVIDERS = providers
    settings.ENTRA_ISSUER = found.issuer
    settings.GRAPH_URL = found.graph_url
    policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["form-action"] = [*policy["DIRECTIVES"]["form-action"], found.base_url]
    settings.CONTENT_SECURITY_POLICY = policy
    yield server
    server.stop()


def sign_in(browser: Browser, person: Person, going_to: str = "/") -> requests.Response:
    """Signs a person in through every page on the way; the answer is the page that they arrive at."""
    return browser.get(pick(browser, person, going_to))


def pick(browser: Browser, person: Person, going_to: str = "/") -> str:
    """As `sign_in`, up to the address of the portal that the directory sends the browser back to."""
    browser.get(f"/sign-in/?next={going_to}")
    browser.send(browser.form("/entra/login/"))
    answer = browser.send(browser.form(), follow=False, person=person.object_id)
    return answer.headers["Location"]


def is_signed_in(browser: Browser) -> bool:
    """Whether the portal knows who this is: only then does the sign-in page send them on."""
    return browser.session.get(f"{browser.home}/sign-in/", allow_redirects=False, timeout=20).status_code == 302


def claims_of(person: Person, tenant_id: str) -> Claims:
    """What the portal reads from this person's token."""
    return Claims(
        tenant_id=tenant_id,
        object_id=person.object_id,
        user_name=person.user_name,
        name=person.name,
        email=person.email,
        department=person.department,
        groups=frozenset(group.object_id for group in person.groups),
    )


def known(person: Person, tenant_id: str) -> User:
    """The person's row as their first sign-in makes it, without any page: for `client.force_login`."""
    return take_in(claims_of(person, tenant_id))


def _is_portal_of_test(address: str) -> bool:
    """The live server's port is not known beforehand; the rest of the address is compared whole."""
    parts = urlsplit(address)
    return (
        parts.hostname in ("127.0.0.1", "localhost")
        and address == f"http://{parts.netloc}{parts.path}"
        and parts.path in _RETURNS
    )
