"""Whom the directory names as somebody's manager counts without a sign-in, and each change of it is on record."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.demo.directory import Fault, FaultKind, Person
from jitportal.entra.sync import Result
from jitportal.models import User
from tests.directory import known
from tests.jitportal.entra.conftest import Portal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_has_a_manager(portal: Portal) -> None:
    for person in company.PEOPLE:
        portal.directory.change(person.object_id, manager="")
    portal.sync()


def changed() -> list[str]:
    return [event.sentence for event in Event.objects.filter(action="person.changed").order_by("number")]


def test_a_new_manager_is_found_by_the_next_sync_and_recorded_by_name(portal: Portal) -> None:
    before = len(changed())
    portal.directory.change(company.ADA.object_id, manager=company.CHIARA.object_id)
    assert portal.sync() == Result(asked=1)
    assert portal.row(company.ADA).manager_object_id == company.CHIARA.object_id
    portal.directory.change(company.ADA.object_id, manager=company.EMMA.object_id)
    portal.sync()
    chiara, emma = (f"{each.name} ({each.object_id})" for each in (company.CHIARA, company.EMMA))
    assert changed()[before:] == [
        f"The directory describes Ada Lindqvist anew: manager nothing → {chiara}",
        f"The directory describes Ada Lindqvist anew: manager {chiara} → {emma}",
    ]


def test_a_manager_who_is_deleted_is_nobodys_manager_any_more(portal: Portal) -> None:
    portal.directory.change(company.ADA.object_id, manager=company.CHIARA.object_id)
    portal.sync()
    portal.directory.remove(company.CHIARA.object_id)
    portal.sync()
    assert portal.row(company.ADA).manager_object_id == ""


def test_a_manager_whom_nobody_knows_here_is_kept_by_object_id(portal: Portal) -> None:
    stranger = Person("e0000000-0000-4000-8000-00000000000a", "Ana Ruiz", "ana.ruiz@harbour.example")
    portal.directory.add(stranger)
    portal.directory.change(company.ADA.object_id, manager=stranger.object_id)
    portal.sync()
    assert portal.row(company.ADA).manager_object_id == stranger.object_id
    assert changed()[-1].endswith(f"manager nothing → {stranger.object_id}")


def test_a_sync_that_finds_the_same_manager_records_nothing(portal: Portal) -> None:
    portal.directory.change(company.ADA.object_id, manager=company.CHIARA.object_id)
    portal.sync()
    before = changed()
    portal.server.graph.deltas.forget()
    assert portal.sync() == Result(asked=11)
    assert changed() == before


def test_the_manager_of_somebody_new_is_known_after_the_sync_that_their_sign_in_asks_for(portal: Portal) -> None:
    newcomer = Person(
        "e0000000-0000-4000-8000-00000000000b", "Nia New", "nia@harbour.example", manager=company.EMMA.object_id
    )
    portal.directory.add(newcomer)
    portal.sync()
    person = known(newcomer, portal.directory.tenant_id)
    assert person.manager_object_id == ""
    portal.office.moment.forward(timedelta(seconds=5))
    assert portal.sync().asked == 1
    assert portal.row(newcomer).manager_object_id == company.EMMA.object_id


def test_the_page_of_a_person_in_the_admin_names_their_manager(portal: Portal) -> None:
    portal.directory.change(company.ADA.object_id, manager=company.CHIARA.object_id)
    portal.sync()
    browser = Client()
    browser.force_login(User.objects.get(object_id=company.INES.object_id))
    page = reverse("admin:jitportal_user_change", args=[portal.row(company.ADA).pk])
    assert "Chiara Rossi" in browser.get(page).content.decode()


def test_a_directory_whose_changes_cannot_tell_of_managers_is_followed_all_the_same(portal: Portal) -> None:
    portal.server.graph.deltas.forget()
    portal.server.graph.faults.add(Fault(FaultKind.REFUSED, path="/users/delta", spare=1))
    portal.directory.change(company.ADA.object_id, manager=company.CHIARA.object_id)
    result = portal.sync()
    assert (result.asked, result.trouble) == (11, "")
    assert portal.row(company.ADA).manager_object_id == company.CHIARA.object_id
