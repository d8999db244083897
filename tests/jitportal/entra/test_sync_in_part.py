"""What the directory does not tell makes nobody leave, and keeps nobody here who is known to have left."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from jitportal.demo import organisation as company
from jitportal.demo.directory import Fault, FaultKind, Person
from jitportal.entra.sync import MOST_IN_A_ROW, Result
from jitportal.models import DirectorySync, User
from tests.conftest import Clock
from tests.jitportal.entra.conftest import Portal

pytestmark = pytest.mark.django_db


def test_a_page_that_fails_in_the_middle_changes_nothing_and_the_next_sync_goes_on(portal: Portal) -> None:
    portal.server.graph.page_size = 1
    for person in (company.ADA, company.BEN):
        portal.directory.change(person.object_id, enabled=False)
    portal.server.graph.faults.add(Fault(FaultKind.CUT, path="/users/delta", spare=1))
    assert portal.sync().trouble
    assert portal.inactive() == set()
    assert DirectorySync.objects.get().trouble
    asked = portal.sync()
    assert (asked.left, asked.trouble) == (2, "")
    assert DirectorySync.objects.get().trouble == ""


def test_an_old_link_means_that_everybody_is_looked_at(portal: Portal) -> None:
    portal.directory.change(company.ADA.object_id, enabled=False)
    portal.server.graph.deltas.forget()
    result = portal.sync()
    assert (result.asked, result.left) == (11, 1)
    assert portal.sync().asked == 0


def test_everybody_is_looked_at_once_a_day(portal: Portal, moment: Clock) -> None:
    moment.forward(timedelta(days=1, minutes=1))
    assert portal.sync().asked == 11
    assert portal.sync().asked == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.UNAVAILABLE, path="/users/", times=1000),
        Fault(FaultKind.THROTTLED, path="/users/b", times=1000, retry_after=600),
        Fault(FaultKind.NOT_FOUND, path="/users/b", times=1000),
        Fault(FaultKind.CUT, path="/users/b", times=1000),
        Fault(FaultKind.REFUSED, path="/users/b", times=1000),
    ],
)
def test_errors_make_nobody_leave(portal: Portal, fault: Fault) -> None:
    for person in company.PEOPLE:
        portal.directory.change(person.object_id, job_title="Anything")
    portal.server.graph.faults.add(fault)
    assert portal.sync().trouble
    assert portal.inactive() == set()
    portal.server.graph.faults.clear()
    assert portal.sync().asked == 11


def test_a_missing_permission_changes_nobody_and_is_told(portal: Portal) -> None:
    portal.directory.change(company.ADA.object_id, enabled=False)
    portal.server.graph.permissions.discard("User.Read.All")
    assert "User.Read.All" in portal.sync().trouble
    assert portal.inactive() == set()


def test_one_person_who_cannot_be_read_does_not_keep_the_others(portal: Portal) -> None:
    for person in (company.ADA, company.BEN):
        portal.directory.change(person.object_id, enabled=False)
    portal.server.graph.faults.add(Fault(FaultKind.REFUSED, path=f"/users/{company.ADA.object_id}", times=1))
    result = portal.sync()
    assert (result.left, result.passed_over) == (1, 1)
    assert portal.inactive() == {"Ben Okafor"}
    assert portal.sync().left == 1


def cannot_be_read(portal: Portal, *people: Person) -> None:
    for person in people:
        portal.directory.change(person.object_id, job_title="Anything")
        portal.server.graph.faults.add(Fault(FaultKind.REFUSED, path=f"/users/{person.object_id}", times=1000))


def test_three_who_cannot_be_read_keep_nobody_from_leaving(portal: Portal) -> None:
    cannot_be_read(portal, company.ADA, company.BEN, company.CHIARA)
    portal.directory.change(company.DANIEL.object_id, enabled=False)
    portal.directory.set_member(company.PAYMENTS.object_id, company.HUGO.object_id, is_member=True)
    assert portal.sync() == Result(asked=2, left=1, passed_over=3)
    assert portal.inactive() == {company.DANIEL.name}
    assert company.PAYMENTS.object_id in portal.row(company.HUGO).group_ids


def test_who_is_known_to_have_left_goes_though_of_nearly_nobody_else_is_told(portal: Portal) -> None:
    *others, leaver = company.PEOPLE
    cannot_be_read(portal, *others)
    portal.directory.change(leaver.object_id, enabled=False)
    result = portal.sync()
    assert (result.left, result.passed_over, result.stopped) == (1, len(others), True)
    assert portal.inactive() == {leaver.name}
    assert DirectorySync.objects.get().trouble


def test_nobody_goes_on_asking_in_vain(portal: Portal, settings: Settings) -> None:
    many = [
        User(
            tenant_id=settings.ENTRA_TENANT_ID,
            object_id=f"d0000000-0000-4000-8000-{number:012}",
            user_name=f"x{number}@example.com",
            name=f"Somebody {number}",
            to_check=True,
        )
        for number in range(MOST_IN_A_ROW + 20)
    ]
    User.objects.bulk_create(many)
    portal.server.graph.faults.add(Fault(FaultKind.REFUSED, path="/users/d0", times=1000))
    result = portal.sync()
    assert (result.passed_over, result.stopped) == (MOST_IN_A_ROW, True)
