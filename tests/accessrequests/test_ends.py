"""Ending: on time, early, by others; never gated by eligibility, and honest about sessions that live on."""

from datetime import timedelta

import pytest

from accessrequests import due, overdue, workflow
from accessrequests.models import Notification
from accessrequests.overdue import Overdue
from accessrequests.refusals import Refused
from accessrequests.states import EndReason, GrantStatus, RequestStatus
from catalog import changes
from catalog.inventory import INVENTORY
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.demo.simulator import Fault, FaultKind
from tests.accessrequests.conftest import Office


def test_giving_back_removes_the_assignment_at_once(office: Office) -> None:
    request = office.submit()
    office.work()
    workflow.give_back(office.user(company.ADA).pk, request.pk)
    office.work()
    ended = office.again(request)
    assert (ended.status, ended.end_reason, office.in_aws()) == (RequestStatus.ENDED, EndReason.GIVEN_BACK, [])


def test_giving_back_before_anything_was_sent_to_aws_sends_nothing(office: Office) -> None:
    request = office.submit()
    due.start(request.pk, office.aws)
    workflow.give_back(office.user(company.ADA).pk, request.pk)
    office.simulator.calls.reset()
    office.work()
    assert office.again(request).status == RequestStatus.ENDED
    assert office.grant(request).sessions_until is None
    assert "CreateAccountAssignment" not in office.simulator.calls.calls


def test_nobody_else_gives_it_back(office: Office) -> None:
    request = office.submit()
    office.work()
    with pytest.raises(Refused):
        workflow.give_back(office.user(company.BEN).pk, request.pk)
    assert len(office.in_aws()) == 1


@pytest.mark.parametrize("person", [company.CHIARA, company.FARID, company.INES], ids=lambda p: p.name)
def test_approvers_of_any_stage_and_admins_revoke_with_a_reason(office: Office, person: Person) -> None:
    request = office.approve(office.submit_production())
    office.work()
    with pytest.raises(Refused) as caught:
        workflow.revoke(office.user(person).pk, request.pk, "  ")
    assert caught.value.refusals[0].field == "reason"
    workflow.revoke(office.user(person).pk, request.pk, "The incident is over.")
    office.work()
    revoked = office.again(request)
    said = f"Revoked by {person.name}: The incident is over."
    assert (revoked.end_reason, revoked.outcome, office.in_aws()) == (EndReason.REVOKED, said, [])
    assert Notification.objects.filter(kind="revoked", recipient__name=company.ADA.name).exists()


@pytest.mark.parametrize("person", [company.ADA, company.BEN, company.JONAS], ids=lambda p: p.name)
def test_nobody_else_revokes(office: Office, person: Person) -> None:
    request = office.approve(office.submit_production())
    office.work()
    with pytest.raises(Refused):
        workflow.revoke(office.user(person).pk, request.pk, "Because I can.")


def test_revocation_is_not_gated_by_anything_that_the_catalog_says(office: Office) -> None:
    request = office.submit()
    office.work()
    ada = office.user(company.ADA)
    ada.directory_groups.clear()
    ada.is_active = False
    ada.save()
    office.catalog.automatic.delete()
    office.pass_time(hours=1)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_the_end_says_until_when_sessions_that_were_issued_live_on(office: Office) -> None:
    request = office.submit()
    office.work()
    office.pass_time(hours=1)
    grant = office.grant(request)
    assert grant.ended_at is not None
    assert grant.sessions_until == grant.ended_at + timedelta(hours=4)


def sessions_last(office: Office, *, hours: int) -> None:
    row = office.catalog.permission_set
    row.session_duration = timedelta(hours=hours)
    with changes.recorded(row, actor=INVENTORY):
        row.save()


def test_a_session_issued_before_their_duration_was_shortened_is_counted_in(office: Office) -> None:
    sessions_last(office, hours=8)
    request = office.submit()
    office.work()
    office.pass_time(minutes=30)
    sessions_last(office, hours=1)
    shortened_at = office.moment.time
    office.pass_time(minutes=30)
    assert office.grant(request).sessions_until == shortened_at + timedelta(hours=8)


def test_what_no_session_lives_through_any_more_is_not_counted_in(office: Office) -> None:
    sessions_last(office, hours=8)
    office.pass_time(hours=1)
    sessions_last(office, hours=1)
    office.pass_time(hours=13)
    request = office.submit()
    office.work()
    office.pass_time(hours=1)
    assert office.grant(request).sessions_until == office.moment.time + timedelta(hours=1)


def test_a_revocation_that_aws_will_not_do_is_overdue_and_tried_until_it_is_done(office: Office) -> None:
    request = office.submit()
    office.work()
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="DeleteAccountAssignment"))
    office.pass_time(hours=1)
    for _ in range(8):
        office.pass_time(minutes=2)
        assert office.grant(request).status == GrantStatus.REVOKING
    assert overdue.count(office.moment.time) == Overdue(grants=1, assignments=0)
    assert "AccessDenied" in office.grant(request).assignment.trouble
    office.simulator.faults.clear()
    office.pass_time(minutes=2)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])
    assert not overdue.count(office.moment.time)


def test_a_deletion_that_fails_at_aws_is_tried_again(office: Office) -> None:
    request = office.submit()
    office.work()
    failure = Fault(FaultKind.FAILURE, operation="DeleteAccountAssignment", first=3, reason="An internal problem.")
    office.simulator.faults.add(failure)
    office.pass_time(hours=1)
    assert office.grant(request).status == GrantStatus.REVOKING
    for _ in range(5):
        office.pass_time(minutes=2)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_an_assignment_that_somebody_removed_by_hand_ends_without_fuss(office: Office) -> None:
    request = office.submit()
    office.work()
    (key,) = office.in_aws()
    office.simulator.put_assignment(key, present=False)
    office.pass_time(hours=1)
    assert office.again(request).status == RequestStatus.ENDED


def test_a_new_request_just_as_the_old_one_ends_keeps_its_access(office: Office) -> None:
    first = office.submit()
    office.work()
    office.moment.forward(timedelta(hours=1))
    list(due.end_grants(office.moment.time))
    second = office.submit()
    office.work()
    assert office.again(first).status == RequestStatus.ENDED
    assert office.again(second).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == 1
