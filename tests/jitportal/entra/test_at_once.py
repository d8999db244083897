"""Leaving at the moment of a decision, of an ask, of a sign-in, and of another sync."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from accessrequests import due, offboarding
from accessrequests.models import Decision
from accessrequests.states import RequestStatus
from auditlog.actor import Actor
from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.entra.sync import Result
from jitportal.models import DirectorySync
from jitportal.signin.people import take_in
from tests.accessrequests.test_at_once import at_once
from tests.directory import claims_of
from tests.jitportal.entra.conftest import Portal

pytestmark = pytest.mark.django_db(transaction=True)


def unexpected(outcomes: list[object]) -> list[object]:
    return [outcome for outcome in outcomes if isinstance(outcome, Exception) and type(outcome).__name__ != "Refused"]


@pytest.fixture
def leaving(portal: Portal) -> Iterator[Portal]:
    """The directory has just disabled an approver."""
    portal.directory.change(company.CHIARA.object_id, enabled=False)
    yield portal
    numbers = list(Event.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_decision_at_that_moment_is_refused_or_set_aside(leaving: Portal) -> None:
    request = leaving.office.submit_production()
    outcomes = at_once(leaving.sync, lambda: leaving.office.decide(request, company.CHIARA))
    assert unexpected(outcomes) == []
    assert not leaving.row(company.CHIARA).is_active
    assert not Decision.objects.filter(set_aside_at=None).exists()
    assert leaving.office.again(request).stage == 1


def test_an_ask_at_that_moment_is_refused_or_withdrawn(leaving: Portal) -> None:
    asked = []
    outcomes = at_once(leaving.sync, lambda: asked.append(leaving.office.submit_production(company.CHIARA)))
    assert unexpected(outcomes) == []
    assert [leaving.office.again(request).status for request in asked] in ([], [RequestStatus.WITHDRAWN])


def test_a_start_at_that_moment_leaves_nothing_in_aws(leaving: Portal) -> None:
    request = leaving.office.submit(company.CHIARA)
    outcomes = at_once(leaving.sync, lambda: due.start(request.pk, leaving.office.aws))
    assert unexpected(outcomes) == []
    leaving.office.work()
    assert leaving.office.in_aws() == []
    assert leaving.office.again(request).status not in (RequestStatus.APPROVED, RequestStatus.ACTIVE)


def test_sign_ins_decisions_and_syncs_together_end_in_no_deadlock(portal: Portal, settings: Settings) -> None:
    office = portal.office
    requests = [office.submit_production() for _ in range(3)]
    for person in company.PEOPLE:
        portal.directory.change(person.object_id, department="Anything")
    claims = [claims_of(person, settings.ENTRA_TENANT_ID) for person in (company.ADA, company.CHIARA, company.EMMA)]
    outcomes = at_once(
        portal.sync,
        *(lambda each=each: take_in(each) for each in claims),
        *(lambda request=request: office.decide(request, company.CHIARA) for request in requests),
        lambda: offboarding.leave(office.user(company.EMMA).pk, "disabled", "Gone", actor=Actor.system("test")),
    )
    assert unexpected(outcomes) == []


def test_two_syncs_at_once_are_one(portal: Portal) -> None:
    portal.directory.change(company.CHIARA.object_id, enabled=False)
    outcomes = at_once(*(portal.sync for _ in range(4)))
    done = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    assert sum(result.left for result in done) == 1
    assert Event.objects.filter(action="person.left").count() == 1
    assert [outcome for outcome in outcomes if not isinstance(outcome, Result | AssertionError)] == []
    assert DirectorySync.objects.get().claim is None


def test_who_was_taken_back_by_a_sign_in_is_looked_at_again(portal: Portal, settings: Settings) -> None:
    portal.directory.change(company.CHIARA.object_id, enabled=False)
    portal.sync()
    # A token that was on its way.
    take_in(claims_of(company.CHIARA, settings.ENTRA_TENANT_ID))
    assert portal.row(company.CHIARA).is_active
    portal.office.moment.forward(timedelta(minutes=5))
    portal.sync()
    assert not portal.row(company.CHIARA).is_active
