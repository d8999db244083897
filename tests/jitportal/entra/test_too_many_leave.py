"""A directory that says that many have left at once is not believed before an admin confirms it."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from pytest_django import Settings

from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import DirectorySync, User
from tests.conftest import Clock
from tests.jitportal.entra.conftest import Portal

pytestmark = pytest.mark.django_db

GONE = (company.ADA, company.BEN, company.CHIARA)


def disable(portal: Portal, *people: Person, enabled: bool = False) -> None:
    for person in people:
        portal.directory.change(person.object_id, enabled=enabled)


def shown(browser: Client) -> str:
    """What the form on the admin's front page carries for those whom it lists."""
    found = re.search(r'name="shown" value="([0-9a-f]+)"', browser.get("/admin/").content.decode())
    assert found
    return found[1]


def confirm(browser: Client, reason: str, these: str) -> str:
    """What the page says after the form was sent."""
    answer = browser.post("/people/confirm-leavers/", {"reason": reason, "shown": these}, follow=True)
    return answer.content.decode()


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


def test_who_leaves_by_and_by_counts_with_those_of_the_day_before(portal: Portal, moment: Clock) -> None:
    disable(portal, company.ADA, company.BEN)
    assert portal.sync().left == 2
    moment.forward(timedelta(hours=2))
    disable(portal, company.CHIARA)
    assert portal.sync().held == 1
    assert portal.inactive() == {company.ADA.name, company.BEN.name}
    said = Event.objects.get(action="sync.held").sentence
    assert said.startswith("The directory says that 1 of 11 people have left, after 2 within a day")
    assert Client().get("/readyz").json()["people"] == "1 person is said to have left: confirm it"
    browser = Client()
    browser.force_login(portal.row(company.INES))
    page = browser.get("/admin/").content.decode()
    assert "1 person has left, after 2 others within a day, which is too many" in page
    assert "Offboard 1 person<" in page
    moment.forward(timedelta(hours=23))
    assert portal.sync().left == 1
    assert Event.objects.get(action="sync.released").data["reason"] == "fewer have left within a day"


def test_nobody_who_leaves_one_by_one_each_day_is_held(portal: Portal, moment: Clock) -> None:
    for person in company.PEOPLE[:3]:
        disable(portal, person)
        assert portal.sync().left == 1
        moment.forward(timedelta(hours=25))


def test_who_was_confirmed_counts_against_nobody_who_leaves_later(held: Portal) -> None:
    browser = Client()
    browser.force_login(held.row(company.INES))
    confirm(browser, "The team was sold.", shown(browser))
    assert held.sync().left == 3
    disable(held, company.DANIEL)
    assert held.sync().left == 1


def test_too_many_change_nobody_and_are_recorded_once(held: Portal) -> None:
    held.directory.set_member(company.PAYMENTS.object_id, company.DANIEL.object_id, is_member=True)
    assert held.sync().held == 3
    assert held.inactive() == set()
    assert company.PAYMENTS.object_id not in held.row(company.DANIEL).group_ids
    assert len(held.office.in_aws()) == 1
    assert actions() == ["sync.held"]
    said = Event.objects.get(action="sync.held").sentence
    assert said.startswith("The directory says that 3 of 11 people have left")


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
    confirm(browser, "The team was sold.", shown(browser))
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
    confirm(browser, " ", shown(browser))
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
    confirm(browser, "The team was sold.", shown(browser))
    disable(held, company.DANIEL, company.EMMA, company.FARID)
    assert held.sync().held == 6
    assert held.inactive() == set()


def test_who_confirms_a_list_that_has_grown_since_is_shown_the_new_one_and_confirms_nothing(held: Portal) -> None:
    browser = Client()
    browser.force_login(held.row(company.INES))
    before = shown(browser)
    disable(held, *(person for person in company.PEOPLE if person != company.INES))
    assert held.sync().held == 10
    page = confirm(browser, "These three were sold.", before)
    assert "The directory says something else by now: 10 people have left. Nothing was confirmed" in page
    assert "Offboard 10 people" in page
    assert held.sync().held == 10
    assert held.inactive() == set()
    assert "sync.confirmed" not in actions()
    assert "Nothing was confirmed" in confirm(browser, "Without a list.", "")


def test_the_form_names_everybody_however_many_with_a_link_to_each(held: Portal, settings: Settings) -> None:
    many = [
        User(
            tenant_id=settings.ENTRA_TENANT_ID,
            object_id=f"d0000000-0000-4000-8000-{number:012}",
            user_name=f"leaver{number}@example.com",
            name=f"Leaver {number}",
            to_check=True,
        )
        for number in range(30)
    ]
    User.objects.bulk_create(many)
    assert held.sync().held == 33
    browser = Client()
    browser.force_login(held.row(company.INES))
    page = browser.get("/admin/").content.decode()
    for person in User.objects.filter(object_id__in=DirectorySync.objects.get().held):
        assert f'/admin/jitportal/user/{person.pk}/change/"><bdi>{person.name}</bdi>' in page


def test_the_command_names_everybody_and_confirms_nobody_else(held: Portal) -> None:
    said = StringIO()
    with pytest.raises(CommandError, match="--confirm REASON --these") as first:
        call_command("sync_people", stdout=said)
    assert [line.strip() for line in said.getvalue().splitlines()] == [
        f"{person.name} ({person.user_name})" for person in GONE
    ]
    these = re.search(r"--these ([0-9a-f]+)", str(first.value))
    assert these
    disable(held, company.DANIEL)
    held.sync()
    with pytest.raises(CommandError, match="something else by now: 4 people"):
        call_command("sync_people", confirm="These three were sold.", these=these[1], stdout=said)
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
    with pytest.raises(CommandError, match="Say also whom you mean") as said:
        call_command("sync_people", confirm="The team was sold.", stdout=StringIO())
    these = str(said.value).split()[-1]
    call_command("sync_people", confirm="The team was sold.", these=these)
    assert held.inactive() == {person.name for person in GONE}
    with pytest.raises(CommandError, match="Nothing waits"):
        call_command("sync_people", confirm="Again.")
