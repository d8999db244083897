"""What an attacker, or an unlucky minute at AWS, once got away with."""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from accessrequests import asked, convergence, due, grants, tasks, workflow
from accessrequests.models import AccessRequest, Assignment, Decision, Grant
from accessrequests.provisioner import AssignmentKey
from accessrequests.refusals import Refused
from accessrequests.states import EndReason, GrantStatus, RequestStatus
from auditlog.models import Event
from catalog.models import ApprovalStage, ApproverGroup
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind, Limits
from jitportal.models import User
from tests.accessrequests.conftest import Office


def days_pass(office: Office, days: int = 2) -> None:
    for _ in range(days * 4):
        office.pass_time(hours=6)


def test_a_refused_look_does_not_make_a_revocation_done(office: Office) -> None:
    first = office.submit()
    office.work()
    second = office.submit(reason="Again, while the first one runs.")
    due.start(second.pk, office.aws)
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="ListAccountAssignments", first=4))
    office.pass_time(hours=1)
    office.simulator.faults.clear()
    days_pass(office)
    assert office.in_aws() == []
    assert office.again(first).status == RequestStatus.ENDED


def test_a_lost_creation_and_a_refused_look_leave_nothing_behind(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.LOST_REPLY, operation="CreateAccountAssignment", first=1))
    request = office.submit()
    office.work()
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, first=12))
    days_pass(office)
    office.simulator.faults.clear()
    days_pass(office)
    assert office.in_aws() == []
    assert not Grant.objects.filter(request=request, status__in=("waiting", "granting", "active", "revoking")).exists()


def test_a_lost_creation_whose_repetition_fails_is_not_left_behind(office: Office) -> None:
    office.simulator.limiter.limits = Limits.lifted(delay=2.0)
    office.simulator.faults.add(Fault(FaultKind.LOST_REPLY, operation="CreateAccountAssignment", first=1))
    request = office.submit()
    office.work()
    failure = Fault(FaultKind.FAILURE, operation="CreateAccountAssignment", first=1, reason="Quota.")
    office.simulator.faults.add(failure)
    office.simulator.clock.advance(5)
    days_pass(office)
    office.simulator.clock.advance(5)
    days_pass(office)
    assert office.in_aws() == []
    assert office.again(request).status in (RequestStatus.ENDED, RequestStatus.FAILED)
    assert not Assignment.objects.filter(is_standing=True).exists()


def test_a_lost_creation_that_comes_true_when_nobody_wants_it_any_more_is_deleted(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.INTERNAL, operation="CreateAccountAssignment", first=1))
    first = office.submit()
    office.work()
    row = Assignment.objects.get()
    office.simulator.faults.add(Fault(FaultKind.THROTTLE, operation="CreateAccountAssignment"))
    second = office.submit()
    office.work()
    for request in (first, second):
        workflow.give_back(office.user(company.ADA).pk, request.pk)
    office.pass_time(seconds=30)
    late = AssignmentKey(row.principal_id, row.permission_set.arn, row.account.account_id)
    office.simulator.faults.clear()
    office.aws.begin_creation(late)
    office.pass_time(minutes=5)
    office.pass_time(minutes=5)
    assert office.in_aws() == []
    assert Assignment.objects.get().due_at is None


def test_what_an_admin_grants_by_hand_after_our_creation_never_happened_is_standing(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.THROTTLE, operation="CreateAccountAssignment"))
    first = office.submit()
    office.work()
    workflow.give_back(office.user(company.ADA).pk, first.pk)
    days_pass(office)
    office.simulator.faults.clear()
    row = Assignment.objects.get()
    office.aws.begin_creation(AssignmentKey(row.principal_id, row.permission_set.arn, row.account.account_id))
    second = office.submit(reason="With what an admin has given meanwhile.")
    office.work()
    office.pass_time(hours=1)
    assert office.again(second).status == RequestStatus.ENDED
    assert len(office.in_aws()) == 1


def test_an_email_address_identifies_nobody_at_aws(office: Office) -> None:
    chiara = office.user(company.CHIARA)
    second = User.objects.create(
        tenant_id="t", object_id=str(uuid.uuid4()), user_name="c.rossi2@harbour.example", name="C", email=chiara.email
    )
    second.directory_groups.set(office.user(company.ADA).directory_groups.all())
    request = workflow.submit(second.pk, office.production_form())
    office.approve(request)
    office.work()
    assert office.again(request).status == RequestStatus.FAILED
    assert office.in_aws() == []


def test_who_approved_does_not_receive_the_access_under_another_name(office: Office) -> None:
    request = office.approve(office.submit_production())
    ada_at_aws = office.simulator.organisation.user_id(company.ADA.user_name)
    User.objects.filter(pk=office.user(company.CHIARA).pk).update(principal_id=ada_at_aws)
    office.work()
    assert "self-approval" in office.again(request).outcome
    assert office.in_aws() == []


def test_a_row_that_says_approved_is_not_believed_without_the_ledger(office: Office) -> None:
    request = office.submit_production()
    now = office.moment.time
    AccessRequest.objects.filter(pk=request.pk).update(status="approved", decided_at=now, start_due_at=now)
    office.work()
    assert office.again(request).status == RequestStatus.FAILED
    assert office.in_aws() == []


def test_a_row_that_was_rewritten_with_its_digest_is_not_believed(office: Office) -> None:
    request = office.approve(office.submit_production(start=office.moment.time + timedelta(hours=1)))
    request.accounts.set(office.catalog.production_accounts[2:])
    AccessRequest.objects.filter(pk=request.pk).update(digest=asked.digest_now(request))
    office.pass_time(hours=1)
    assert office.again(request).status == RequestStatus.FAILED
    assert office.in_aws() == []


def test_operations_that_aws_never_ends_do_not_keep_others_access_alive(office: Office, settings: object) -> None:
    settings.OUTSTANDING_CAP = 1  # type: ignore[attr-defined]
    other = office.submit(company.BEN)
    office.work()
    office.simulator.limiter.limits = Limits.lifted(delay=10_000_000.0)
    office.submit(accounts=office.catalog.sandbox_accounts[1:2])
    office.work()
    office.simulator.limiter.limits = Limits.lifted()
    office.pass_time(hours=1)
    office.pass_time(minutes=6)
    assert office.again(other).status == RequestStatus.ENDED


def test_who_waited_long_is_judged_again_before_access_begins(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.UNREACHABLE, operation="ListAccountAssignments"))
    request = office.submit()
    office.work()
    office.user(company.ADA).directory_groups.clear()
    office.simulator.faults.clear()
    days_pass(office)
    assert office.again(request).status == RequestStatus.FAILED
    assert "Sandbox developers" in office.again(request).outcome
    assert office.in_aws() == []


def test_a_policy_that_asks_for_people_since_is_not_started_undecided(office: Office) -> None:
    request = office.submit(start=office.moment.time + timedelta(days=20))
    policy = office.catalog.automatic
    policy.automatic_approval = "never"
    policy.save()
    ApprovalStage.objects.create(policy=policy, position=1, approver_group=ApproverGroup.objects.earliest("pk"))
    office.pass_time(days=20)
    assert office.again(request).status == RequestStatus.FAILED
    assert "now asks for 1 of" in office.again(request).outcome
    assert office.in_aws() == []


def test_an_approved_request_can_be_revoked_before_it_begins(office: Office) -> None:
    request = office.submit(start=office.moment.time + timedelta(hours=2))
    workflow.revoke(office.user(company.INES).pk, request.pk, "Not tonight.")
    office.pass_time(hours=2)
    ended = office.again(request)
    assert (ended.status, ended.end_reason, office.in_aws()) == (RequestStatus.ENDED, EndReason.REVOKED, [])


def test_who_is_disabled_loses_what_they_hold(office: Office) -> None:
    request = office.submit()
    office.work()
    User.objects.filter(pk=office.user(company.ADA).pk).update(is_active=False)
    office.work()
    ended = office.again(request)
    assert (ended.status, ended.end_reason, office.in_aws()) == (RequestStatus.ENDED, EndReason.OFFBOARDED, [])


def test_expired_credentials_of_the_portal_lose_no_request(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.THROTTLE, operation="GetUserId", first=2))
    request = office.submit()
    office.work()
    assert office.again(request).status == RequestStatus.APPROVED
    office.pass_time(minutes=1)
    office.pass_time(minutes=1)
    assert office.again(request).status == RequestStatus.ACTIVE


def test_one_row_that_cannot_be_ended_does_not_keep_the_others(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [office.submit(), office.submit(company.BEN), office.submit(company.CHIARA)]
    office.work()
    bad = office.grant(requests[0])
    real = grants.begin_revoking

    def raising(ending: Iterable[Grant], *args: Any, **kwargs: Any) -> object:
        found = list(ending)
        if bad in found:
            raise RuntimeError("a row that cannot be ended")
        return real(found, *args, **kwargs)

    monkeypatch.setattr(grants, "begin_revoking", raising)
    office.pass_time(hours=1)
    assert [key.principal_id for key in office.in_aws()] == [bad.assignment.principal_id]
    monkeypatch.undo()
    office.pass_time(minutes=1)
    assert office.in_aws() == []


def test_one_assignment_that_raises_does_not_keep_the_rest_of_its_batch(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = office.submit(accounts=office.catalog.sandbox_accounts)
    ids = due.start(request.pk, office.aws)
    real = convergence.converge

    def raising(assignment_id: uuid.UUID, *args: Any) -> None:
        if assignment_id == ids[0]:
            raise RuntimeError("a row that cannot be read")
        real(assignment_id, *args)

    monkeypatch.setattr(convergence, "converge", raising)
    for pk in ids:
        tasks.converge(str(pk))
    assert len(office.in_aws()) == 2


def test_nobody_writes_into_the_history_of_somebody_elses_request(office: Office) -> None:
    request = office.submit_production()
    with pytest.raises(Refused):
        office.submit_production(company.HUGO, id=request.pk)
    actors = Event.objects.filter(subject_id=str(request.pk)).values_list("actor_name", flat=True)
    assert set(actors) == {company.ADA.name}


def test_the_same_thing_is_asked_for_once_at_a_time(office: Office) -> None:
    reason = "The queue is stuck, and I am in a hurry."
    office.submit_production(reason=reason)
    with pytest.raises(Refused, match="asked for this already"):
        office.submit_production(reason=reason)


def test_decisions_that_only_the_table_knows_do_not_count(office: Office) -> None:
    request = office.submit_production(start=office.moment.time + timedelta(hours=1))
    now = office.moment.time
    for position, person in enumerate((company.CHIARA, company.FARID), start=1):
        Decision.objects.create(
            request=request,
            stage=position,
            approver_group=request.stages.get(position=position).approver_group,
            decided_by=office.user(person),
            answer="approve",
            digest=request.digest,
            decided_at=now,
        )
    AccessRequest.objects.filter(pk=request.pk).update(status="approved", decided_at=now, start_due_at=now)
    office.pass_time(hours=1)
    assert office.again(request).status == RequestStatus.FAILED
    assert GrantStatus.ACTIVE not in request.grants.values_list("status", flat=True)
