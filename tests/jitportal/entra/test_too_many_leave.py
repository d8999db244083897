"""A directory that says that many have left at once is not believed before an admin confirms it."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from pytest_django import Settings

from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import DirectorySync
from tests.jitportal.entra.conftest import Portal

pytestmark = pytest.mark.django_db

GONE = (company.ADA, company.BEN, company.CHIARA)


def disable(portal: Portal, *people: Person, enabled: bool = False) -> None:
    for person in people:
        portal.directory.change(person.object_id, enabled=enabled)


def actions() -> list[str]:
    return list(Event.objects.filter(action__startswith="sync.").order_by("number").values_list("action", flat=True))


@pytest.fixture
def held(portal: Portal) -> Portal:
    """Three of ten are said to have left, of whom one has access."""
    portal.office.submit()
    portal.office.work()
    disable(portal, *GONE)
    assert portal.sync().held == 3
    return portal


def test_two_of_ten_may_leave(portal: Portal) -> None:
    disable(portal, company.ADA, company.BEN)
    assert portal.sync().left == 2


def test_three_of_ten_may_leave_where_the_share_allows_it(portal: Portal, settings: Settings) -> None:
    settings.SYNC_MOST_LEAVERS = 30
    disable(portal, *GONE)
    assert portal.sync().left == 3


def test_too_many_change_nobody_and_are_recorded_once(held: Portal) -> None:
    held.directory.set_member(company.PAYMENTS.object_id, company.DANIEL.object_id, is_member=True)
    assert held.sync().held == 3
    assert held.inactive() == set()
    assert company.PAYMENTS.object_id not in held.row(company.DANIEL).group_ids
    assert len(held.office.in_aws()) == 1
    assert actions() == ["sync.held"]
    said = Event.objects.get(action="sync.held").sentence
    assert said.startswith("The directory says that 3 of 10 people have left")


def test_monitors_admins_and_auditors_see_it_and_others_do_not(held: Portal) -> None:
    browser = Client()
    assert browser.get("/readyz").json()["people"] == "3 people are said to have left: confirm it"
    for person, page, seen in (
        (company.INES, "/admin/", True),
        (company.INES, "/", True),
        (company.JONAS, "/audit/", True),
        (company.HUGO, "/", False),
    ):
        browser.force_login(held.row(person))
        assert ("people have left at once" in browser.get(page).content.decode()) is seen


def test_an_admin_confirms_with_a_reason_and_the_next_sync_goes_on(held: Portal) -> None:
    browser = Client()
    browser.force_login(held.row(company.INES))
    assert "Offboard 3 people" in browser.get("/admin/").content.decode()
    browser.post("/people/confirm-leavers/", {"reason": "The team was sold."})
    assert held.inactive() == set()
    assert held.sync().left == 3
    held.office.work()
    assert held.inactive() == {person.name for person in GONE}
    assert held.office.in_aws() == []
    assert actions() == ["sync.held", "sync.confirmed", "sync.released"]
    event = Event.objects.get(action="sync.confirmed")
    assert (event.actor, event.data["reason"]) == (f"person:{company.INES.object_id}", "The team was sold.")
    assert browser.get("/readyz").json()["people"] == "ok"
    assert DirectorySync.objects.get().confirmed == []


def test_without_a_reason_nothing_is_confirmed(held: Portal) -> None:
    browser = Client()
    browser.force_login(held.row(company.INES))
    browser.post("/people/confirm-leavers/", {"reason": " "})
    assert held.sync().held == 3


@pytest.mark.parametrize("person", [company.JONAS, company.HUGO])
def test_only_admins_confirm(held: Portal, person: Person) -> None:
    browser = Client()
    browser.force_login(held.row(person))
    assert browser.post("/people/confirm-leavers/", {"reason": "Trust me."}).status_code == 403
    assert Client().post("/people/confirm-leavers/", {"reason": "Trust me."}).status_code == 302
    assert held.sync().held == 3


def test_what_is_confirmed_is_who_was_named_and_nobody_else(held: Portal) -> None:
    browser = Client()
    browser.force_login(held.row(company.INES))
    browser.post("/people/confirm-leavers/", {"reason": "The team was sold."})
    disable(held, company.DANIEL, company.EMMA, company.FARID)
    assert held.sync().held == 6
    assert held.inactive() == set()


def test_a_directory_that_takes_it_back_is_followed_again(held: Portal) -> None:
    disable(held, *GONE, enabled=True)
    assert held.sync().held == 0
    assert held.inactive() == set()
    assert actions() == ["sync.held", "sync.released"]


def test_the_command_says_what_to_do_and_confirms(held: Portal) -> None:
    with pytest.raises(CommandError, match="--confirm REASON"):
        call_command("sync_people")
    with pytest.raises(CommandError, match="Say why"):
        call_command("sync_people", confirm=" ")
    call_command("sync_people", confirm="The team was sold.")
    assert held.inactive() == {person.name for person in GONE}
    with pytest.raises(CommandError, match="Nothing waits"):
        call_command("sync_people", confirm="Again.")
