"""An ask within the limit of its policy is approved at once; a longer one, or one that adds up to more, is decided."""

from datetime import timedelta
from typing import Any

import pytest

from accessrequests import workflow
from accessrequests.models import AccessRequest
from accessrequests.states import RequestStatus
from auditlog.models import Event
from catalog.models import AccessPolicy, ApprovalStage, ApproverGroup, Role
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind
from tests.accessrequests.conftest import Office
from tests.accessrequests.extending import extend
from tests.accessrequests.pages.conftest import text

HALF = timedelta(minutes=30)


@pytest.fixture(autouse=True)
def policy(office: Office) -> AccessPolicy:
    """Production developers get half an hour at once; of more a lead and a security officer decide."""
    row = office.catalog.two_stages
    row.automatic_approval, row.automatic_up_to = "up_to", HALF
    row.save()
    return row


def test_a_short_ask_is_approved_at_once_and_says_by_which_version_of_which_rule(office: Office) -> None:
    request = office.submit_production(duration=HALF)
    assert (request.status, request.stages.count()) == (RequestStatus.APPROVED, 0)
    version = request.terms["policies"][0]["version"]
    assert request.terms["approves_automatically"] == {
        "value": True,
        "rule": "Production developers",
        "version": version,
        "why": "within 30 minutes",
    }
    event = Event.objects.get(action="request.approved", subject_id=str(request.pk))
    assert event.actor == "system:policy"
    rule = f"“Production developers” (version {version} of that policy)"
    assert event.data["reason"] == f"{rule} approves it at once: within 30 minutes."
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE


def test_a_longer_ask_waits_for_all_stages(office: Office) -> None:
    request = office.submit_production(duration=HALF + timedelta(minutes=1))
    assert (request.status, request.stages.count()) == (RequestStatus.PENDING, 2)
    assert request.terms["approves_automatically"]["why"] == "longer than 30 minutes"
    assert office.approve(request).status == RequestStatus.APPROVED


def test_an_extension_beyond_the_limit_in_all_is_decided_by_people(office: Office) -> None:
    request = office.submit_production(duration=HALF / 2)
    office.work()
    within = _more(office, request, HALF / 2)
    assert within.status == RequestStatus.APPROVED
    office.work()
    beyond = _more(office, within, timedelta(minutes=1))
    assert (beyond.status, beyond.stages.count()) == (RequestStatus.PENDING, 2)


def test_a_limit_that_came_down_since_stops_what_it_approved(office: Office, policy: AccessPolicy) -> None:
    request = office.submit_production(duration=HALF, start=office.moment.time + timedelta(hours=2))
    policy.automatic_up_to = HALF / 2
    policy.save()
    office.pass_time(hours=2)
    ended = office.again(request)
    assert ended.status == RequestStatus.FAILED
    assert "“Production developers” now asks for 1 of Engineering Leads decide to agree." in ended.outcome
    assert office.in_aws() == []


def test_what_people_agreed_to_starts_however_the_limit_moved(office: Office, policy: AccessPolicy) -> None:
    request = office.approve(office.submit_production(duration=2 * HALF, start=office.moment.time + timedelta(hours=2)))
    policy.automatic_up_to = HALF / 2
    policy.save()
    office.pass_time(hours=2)
    assert office.again(request).status == RequestStatus.ACTIVE


def test_a_short_ask_needs_nobody_who_could_decide(office: Office) -> None:
    for group in ApproverGroup.objects.all():
        group.directory_groups.clear()
    assert office.submit_production(duration=HALF).status == RequestStatus.APPROVED


def test_the_pages_tell_both_ways_before_the_ask_and_the_one_taken_after_it(office: Office, client: Any) -> None:
    client.force_login(office.user(company.ADA))
    both = "At once up to 30 minutes; else 1 of Engineering Leads decide, then 1 of Security Duty Officers decide"
    assert both in text(client.get("/catalog/"))
    assert both in text(client.get("/requests/new/?role=developer&environment=production"))
    page = text(client.get(f"/requests/{office.submit_production(duration=HALF).pk}/"))
    assert "Approved at once, by policy “Production developers”" in page
    assert ": within 30 minutes." in page


def _more(office: Office, request: AccessRequest, duration: timedelta) -> AccessRequest:
    return extend(office, request, duration=duration, ticket="INC-4711")


def test_short_asks_one_after_the_other_add_up(office: Office) -> None:
    now = office.moment.time
    first = office.submit_production(duration=HALF)
    later = [office.submit_production(duration=HALF, start=now + n * HALF) for n in (1, 2)]
    assert first.status == RequestStatus.APPROVED
    assert {request.status for request in later} == {RequestStatus.PENDING}
    why = "longer than 30 minutes with your other requests for the same access"
    assert later[0].terms["approves_automatically"]["why"] == why


def test_after_a_pause_as_long_as_the_limit_an_ask_stands_by_itself(office: Office) -> None:
    office.submit_production(duration=HALF)
    office.work()
    office.pass_time(minutes=30)
    assert office.submit_production(duration=HALF).status == RequestStatus.PENDING
    office.pass_time(minutes=31)
    assert office.submit_production(duration=HALF).status == RequestStatus.APPROVED


def test_what_was_given_back_early_counts_for_as_long_as_it_was_held(office: Office) -> None:
    request = office.submit_production(duration=HALF)
    office.work()
    office.pass_time(minutes=5)
    workflow.give_back(office.user(company.ADA).pk, request.pk)
    office.work()
    office.pass_time(minutes=1)
    assert office.submit_production(duration=HALF - timedelta(minutes=10)).status == RequestStatus.APPROVED


def test_other_accounts_and_other_people_are_not_counted(office: Office) -> None:
    office.submit_production(duration=HALF)
    elsewhere = office.catalog.production_accounts[1:2]
    assert office.submit_production(duration=HALF, accounts=elsewhere).status == RequestStatus.APPROVED


def test_two_accounts_of_one_person_add_up(office: Office) -> None:
    office.submit_production(duration=HALF)
    office.work()
    ada, ben = office.user(company.ADA), office.user(company.BEN)
    ben.directory_groups.set(ada.directory_groups.all())
    ada.refresh_from_db()
    assert ada.principal_id
    ben.principal_id = ada.principal_id
    ben.save()
    office.pass_time(minutes=29)
    assert office.submit_production(company.BEN, duration=HALF).status == RequestStatus.PENDING


def test_an_extension_counts_from_when_its_chain_began(office: Office) -> None:
    """What came before the chain is as near to it as when all of it is asked for at once."""
    quarter = HALF / 2
    office.submit_production(duration=quarter)
    office.work()
    office.pass_time(minutes=40)
    again = office.submit_production(duration=quarter)
    assert again.status == RequestStatus.APPROVED
    office.work()
    office.pass_time(minutes=14)
    assert _more(office, again, quarter).status == RequestStatus.PENDING


def test_what_began_late_counts_for_as_long_as_it_was_held(office: Office) -> None:
    office.submit_production(duration=HALF)
    office.moment.forward(HALF * 0.9)
    office.work()
    office.pass_time(minutes=31)
    office.pass_time(minutes=10)
    assert office.submit_production(duration=HALF).status == RequestStatus.PENDING


def test_another_role_of_the_same_permission_set_adds_up(office: Office, policy: AccessPolicy) -> None:
    other = Role.objects.create(name="Replayer", slug="replayer", description="Replays what is stuck.")
    asked_by, stages = list(policy.requestable_by.all()), list(policy.stages.all())
    policy.pk, policy.name, policy.role = None, "Production replayers", other
    policy._state.adding = True
    policy.save()
    policy.requestable_by.set(asked_by)
    for stage in stages:
        ApprovalStage.objects.create(policy=policy, position=stage.position, approver_group=stage.approver_group)
    office.submit_production(duration=HALF)
    office.work()
    office.pass_time(minutes=29)
    assert office.submit_production(duration=HALF, role=other).status == RequestStatus.PENDING


def test_a_policy_that_became_stricter_stops_what_people_decided_because_it_was_too_much_together(
    office: Office, policy: AccessPolicy
) -> None:
    request = _too_much_together(office)
    policy.stages.update(approvals_needed=2)
    office.pass_time(minutes=45)
    ended = office.again(request)
    assert ended.status == RequestStatus.FAILED
    assert "“Production developers” now asks for 2 of Engineering Leads decide to agree." in ended.outcome


def test_what_people_decided_because_it_was_too_much_together_starts_by_the_same_terms(office: Office) -> None:
    request = _too_much_together(office)
    office.pass_time(minutes=45)
    assert office.again(request).status == RequestStatus.ACTIVE


def test_what_people_decided_starts_where_they_are_asked_about_nothing_by_now(
    office: Office, policy: AccessPolicy
) -> None:
    request = _too_much_together(office)
    policy.stages.update(approvals_needed=2)
    policy.automatic_approval, policy.automatic_up_to = "always", None
    policy.save()
    office.pass_time(minutes=45)
    assert office.again(request).status == RequestStatus.ACTIVE


def _too_much_together(office: Office) -> AccessRequest:
    """Half an hour from in 45 minutes on, which lead and security agreed to because of the half hour from now on."""
    office.submit_production(duration=HALF)
    office.work()
    later = office.submit_production(duration=HALF, start=office.moment.time + timedelta(minutes=45))
    assert later.status == RequestStatus.PENDING
    return office.approve(later)


def test_a_start_that_aws_keeps_waiting_makes_no_long_time_of_two_short_ones(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.UNREACHABLE))
    first = office.submit_production(duration=HALF)
    second = office.submit_production(duration=HALF, start=office.moment.time + timedelta(minutes=61))
    assert (first.status, second.status) == (RequestStatus.APPROVED, RequestStatus.APPROVED)
    office.work()
    office.moment.forward(timedelta(minutes=31))
    office.simulator.faults.clear()
    office.work()
    assert office.again(first).status == RequestStatus.ACTIVE
    office.pass_time(minutes=30)
    ended = office.again(second)
    assert (ended.status, office.in_aws()) == (RequestStatus.FAILED, [])
    assert ended.outcome == (
        "With your other requests for the same access it would now come to more than the 30 minutes that "
        "“Production developers” approves at once. Ask again."
    )


def test_a_start_that_aws_keeps_waiting_is_refused_beside_what_was_asked_for_before(office: Office) -> None:
    later = office.submit_production(duration=HALF, start=office.moment.time + timedelta(minutes=61))
    office.moment.forward(timedelta(seconds=1))
    office.simulator.faults.add(Fault(FaultKind.UNREACHABLE))
    kept_waiting = office.submit_production(duration=HALF)
    assert kept_waiting.status == RequestStatus.APPROVED
    office.work()
    office.moment.forward(timedelta(minutes=31))
    office.simulator.faults.clear()
    office.work()
    assert office.again(kept_waiting).status == RequestStatus.FAILED
    office.pass_time(minutes=30)
    assert office.again(later).status == RequestStatus.ACTIVE


def test_short_asks_that_are_far_enough_apart_all_start(office: Office) -> None:
    first = office.submit_production(duration=HALF)
    second = office.submit_production(duration=HALF, start=office.moment.time + timedelta(minutes=62))
    office.work()
    assert office.again(first).status == RequestStatus.ACTIVE
    office.pass_time(minutes=31)
    office.pass_time(minutes=31)
    assert office.again(second).status == RequestStatus.ACTIVE


def test_what_people_gave_beside_it_later_does_not_stop_what_was_approved_at_once(office: Office) -> None:
    first = office.submit_production(duration=HALF, start=office.moment.time + timedelta(hours=1))
    office.moment.forward(timedelta(minutes=20))
    beside = office.submit_production(duration=HALF)
    assert (first.status, beside.status) == (RequestStatus.APPROVED, RequestStatus.PENDING)
    office.moment.forward(timedelta(seconds=1))
    office.approve(beside)
    office.work()
    office.pass_time(minutes=40)
    assert office.again(first).status == RequestStatus.ACTIVE
