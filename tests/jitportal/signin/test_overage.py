"""Somebody in too many groups for a token: the directory is asked for them, and without its answer nobody gets in."""

from dataclasses import replace

import pytest

from auditlog.models import Event
from catalog.models import DirectoryGroup
from jitportal.demo.directory import DirectoryServer, Fault, FaultKind, Group
from jitportal.models import User
from tests.browser import Browser
from tests.directory import ADMINS, ENGINEER, PAYMENTS, is_signed_in, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

MANY = tuple(Group(f"d0000000-0000-4000-8000-{number:012}", f"Group {number}") for number in range(201))


@pytest.fixture
def crowded(directory_server: DirectoryServer) -> DirectoryServer:
    """The engineer is in 202 groups, one of them known to the portal."""
    DirectoryGroup.objects.create(object_id=PAYMENTS.object_id, name="Payments engineers")
    directory_server.directory.add(replace(ENGINEER, groups=(*MANY, PAYMENTS)))
    return directory_server


def test_the_groups_that_the_portal_knows_are_read_from_graph(browser: Browser, crowded: DirectoryServer) -> None:
    assert sign_in(browser, ENGINEER).status_code == 200
    assert User.objects.get().group_ids == {PAYMENTS.object_id}
    assert DirectoryGroup.objects.count() == 1


def test_the_admin_group_counts_before_the_catalog_knows_it(browser: Browser, crowded: DirectoryServer) -> None:
    crowded.directory.change(ENGINEER.object_id, groups=(*MANY, ADMINS))
    sign_in(browser, ENGINEER)
    assert User.objects.get().is_staff


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(FaultKind.THROTTLED, retry_after=600), "Microsoft Graph has had too many questions."),
        (Fault(FaultKind.CUT), "cannot be read"),
        (Fault(FaultKind.REFUSED), "The request cannot be processed."),
        (Fault(FaultKind.NOT_FOUND), "cannot be read"),
    ],
)
def test_without_an_answer_nobody_gets_in(browser: Browser, crowded: DirectoryServer, fault: Fault, words: str) -> None:
    crowded.graph.faults.add(fault)
    page = sign_in(browser, ENGINEER)
    assert page.status_code == 403
    assert "more than 200 directory groups" in page.text
    assert words in page.text
    assert Event.objects.get(action="person.refused").data["rule"] == "sign-in.groups-overage"
    assert not User.objects.exists()
    assert not is_signed_in(browser)


def test_a_missing_permission_is_named(browser: Browser, crowded: DirectoryServer) -> None:
    crowded.graph.permissions.discard("GroupMember.Read.All")
    page = sign_in(browser, ENGINEER)
    assert page.status_code == 403
    assert "GroupMember.Read.All" in page.text
