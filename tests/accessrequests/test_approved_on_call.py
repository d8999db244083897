"""Who is on call gets at once what their policy says: on call when they asked, and when it begins, if that is later."""

from datetime import timedelta
from typing import Any

import pytest

from accessrequests.models import AccessRequest
from accessrequests.states import RequestStatus
from auditlog.models import Event
from catalog.models import AccessPolicy, OnCallPerson, OnCallSchedule
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind
from jitportal.models import User
from tests.accessrequests.conftest import Office
from tests.accessrequests.extending import HOUR, extend
from tests.accessrequests.pages.conftest import text


@pytest.fixture
def rota(office: Office) -> OnCallSchedule:
    """Ada and Ben in turns of a week; Ada's has just begun. Production developers are approved at once in theirs."""
    row = OnCallSchedule.objects.create(
        name="Payments on call", zone="Europe/Berlin", first_handover=office.moment.time - HOUR
    )
    for position, person in enumerate((company.ADA, company.BEN), start=1):
        OnCallPerson.objects.create(schedule=row, position=position, person=office.user(person))
    policy = office.catalog.two_stages
    policy.automatic_approval, policy.on_call_schedule = "on_call", row
    policy.save()
    return row


@pytest.fixture
def by_group(office: Office) -> AccessPolicy:
    """Production developers are approved at once while in the support rota, as Ada is and Ben is not."""
    policy = office.catalog.two_stages
    policy.automatic_approval = "on_call"
    policy.on_call_group = office.user(company.ADA).directory_groups.get(name=company.ON_CALL.name)
    policy.save()
    return policy


def test_whoever_has_the_turn_is_approved_at_once_and_the_record_says_why(office: Office, rota: OnCallSchedule) -> None:
    request = office.submit_production()
    assert (request.status, request.stages.count()) == (RequestStatus.APPROVED, 0)
    version = request.terms["policies"][0]["version"]
    assert request.terms["approves_automatically"] == {
        "value": True,
        "rule": "Production developers",
        "version": version,
        "why": "on call by the schedule Payments on call",
        "on_call_by": [f"schedule:{rota.pk}"],
    }
    event = Event.objects.get(action="request.approved", subject_id=str(request.pk))
    assert event.actor == "system:policy"
    rule = f"“Production developers” (version {version} of that policy)"
    assert event.data["reason"] == f"{rule} approves it at once: on call by the schedule Payments on call."
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE


def test_whoever_has_not_waits_for_the_stages(office: Office, rota: OnCallSchedule) -> None:
    request = office.submit_production(company.BEN)
    assert (request.status, request.stages.count()) == (RequestStatus.PENDING, 2)
    assert request.terms["approves_automatically"]["why"] == "not on call by the schedule Payments on call"
    office.moment.forward(timedelta(days=7))
    assert office.submit_production(company.BEN).status == RequestStatus.APPROVED


def test_what_a_member_of_the_group_asked_starts_though_the_group_has_changed_hands_since(
    office: Office, by_group: AccessPolicy
) -> None:
    request = office.submit_production()
    assert request.terms["approves_automatically"]["why"] == f"on call in the group {company.ON_CALL.name}"
    assert by_group.on_call_group is not None
    office.user(company.ADA).directory_groups.remove(by_group.on_call_group)
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE
    assert office.submit_production(accounts=office.catalog.production_accounts[1:2]).status == RequestStatus.PENDING


def test_of_a_later_start_a_group_says_nothing_and_people_decide(office: Office, by_group: AccessPolicy) -> None:
    assert office.submit_production(start=office.moment.time + HOUR).status == RequestStatus.PENDING


def test_a_later_start_within_the_turn_is_approved_and_one_after_it_is_not(
    office: Office, rota: OnCallSchedule
) -> None:
    within = office.submit_production(start=office.moment.time + timedelta(days=6))
    after = office.submit_production(start=office.moment.time + timedelta(days=8))
    assert (within.status, after.status) == (RequestStatus.APPROVED, RequestStatus.PENDING)
    office.pass_time(days=6)
    assert office.again(within).status == RequestStatus.ACTIVE


def test_a_turn_that_was_given_to_another_stops_what_was_to_begin_in_it(office: Office, rota: OnCallSchedule) -> None:
    request = office.submit_production(start=office.moment.time + timedelta(days=2))
    ben = office.user(company.BEN)
    rota.covers.create(person=ben, starts_at=office.moment.time + HOUR, ends_at=office.moment.time + 72 * HOUR)
    office.pass_time(days=2)
    ended = office.again(request)
    assert ended.status == RequestStatus.FAILED
    assert "“Production developers” now asks for 1 of Engineering Leads decide to agree." in ended.outcome
    assert office.in_aws() == []


@pytest.mark.parametrize(("waits", "becomes"), [(HOUR, RequestStatus.ACTIVE), (2 * HOUR, RequestStatus.FAILED)])
def test_a_start_that_aws_keeps_waiting_counts_for_an_hour_after_the_turn_is_over(
    office: Office, rota: OnCallSchedule, waits: timedelta, becomes: RequestStatus
) -> None:
    office.simulator.faults.add(Fault(FaultKind.UNREACHABLE))
    request = office.submit_production()
    office.work()
    OnCallPerson.objects.filter(person=office.user(company.ADA)).delete()
    office.moment.forward(waits)
    office.simulator.faults.clear()
    office.work()
    assert (office.again(request).status, len(office.in_aws())) == (becomes, int(becomes == RequestStatus.ACTIVE))


@pytest.mark.parametrize(("still_in_it", "becomes"), [(True, RequestStatus.ACTIVE), (False, RequestStatus.FAILED)])
def test_a_start_that_aws_keeps_waiting_for_long_needs_the_group_still(
    office: Office, by_group: AccessPolicy, still_in_it: bool, becomes: RequestStatus
) -> None:
    office.simulator.faults.add(Fault(FaultKind.UNREACHABLE))
    request = office.submit_production()
    office.work()
    if not still_in_it:
        assert by_group.on_call_group is not None
        office.user(company.ADA).directory_groups.remove(by_group.on_call_group)
    office.moment.forward(2 * HOUR)
    office.simulator.faults.clear()
    office.work()
    assert office.again(request).status == becomes


def test_another_schedule_than_that_which_approved_it_stops_it(office: Office, rota: OnCallSchedule) -> None:
    request = office.submit_production(start=office.moment.time + HOUR)
    other = OnCallSchedule.objects.create(name="Ledger on call", zone="UTC", first_handover=rota.first_handover)
    OnCallPerson.objects.create(schedule=other, position=1, person=office.user(company.ADA))
    policy = office.catalog.two_stages
    policy.on_call_schedule = other
    policy.save()
    office.pass_time(hours=1)
    assert office.again(request).status == RequestStatus.FAILED


def test_more_time_is_approved_at_once_only_while_still_on_call(office: Office, rota: OnCallSchedule) -> None:
    office.moment.forward(timedelta(days=7) - 2 * HOUR)
    request = office.submit_production(duration=1.5 * HOUR)
    office.work()
    assert _more(office, request).status == RequestStatus.APPROVED
    office.work()
    office.pass_time(hours=1.2)
    extended = AccessRequest.objects.exclude(extends=None).get()
    assert _more(office, extended).status == RequestStatus.PENDING


def test_whoever_left_while_it_was_their_turn_gets_nothing(office: Office, rota: OnCallSchedule) -> None:
    request = office.submit_production(start=office.moment.time + HOUR)
    User.objects.filter(pk=office.user(company.ADA).pk).update(is_active=False)
    office.pass_time(hours=1)
    assert office.again(request).status in (RequestStatus.FAILED, RequestStatus.WITHDRAWN)
    assert office.in_aws() == []


def test_the_pages_tell_who_is_on_call_before_the_ask_and_why_after_it(
    office: Office, rota: OnCallSchedule, client: Any
) -> None:
    client.force_login(office.user(company.ADA))
    page = text(client.get("/requests/new/?role=developer&environment=production"))
    assert "At once while on call by the schedule Payments on call; else 1 of Engineering Leads decide" in page
    assert "You are on call now." in page
    page = text(client.get(f"/requests/{office.submit_production().pk}/"))
    assert "Approved at once, by policy “Production developers”" in page
    assert ": on call by the schedule Payments on call." in page


def _more(office: Office, request: AccessRequest) -> AccessRequest:
    return extend(office, request, duration=HOUR / 4, ticket="INC-4711")
