"""Whatever AWS answers, the portal says what is true, goes on by itself, and leaves nothing behind."""

import pytest

from accessrequests.states import GrantStatus, RequestStatus
from auditlog.models import Event
from jitportal.demo.simulator import Fault, FaultKind
from tests.accessrequests.conftest import Office

PASSING = [
    FaultKind.THROTTLE,
    FaultKind.INTERNAL,
    FaultKind.CONFLICT,
    FaultKind.UNREACHABLE,
    FaultKind.LOST_REPLY,
    FaultKind.INTERNAL_AFTER,
]


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("operation", ["CreateAccountAssignment", "DeleteAccountAssignment"])
def test_a_passing_fault_delays_and_no_more(office: Office, kind: FaultKind, operation: str) -> None:
    office.simulator.faults.add(Fault(kind, operation=operation, first=3))
    request = office.submit()
    for _ in range(6):
        office.pass_time(minutes=1)
    assert office.again(request).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == 1
    for _ in range(6):
        office.pass_time(hours=1)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])
    for action in ("request.active", "request.ended", "grant.active", "grant.ended"):
        assert Event.objects.filter(action=action, subject_id=str(request.pk)).count() == 1


@pytest.mark.parametrize("kind", PASSING)
def test_nothing_is_called_active_before_aws_has_confirmed_it(office: Office, kind: FaultKind) -> None:
    office.simulator.faults.add(Fault(kind, operation="ListAccountAssignmentCreationStatus"))
    request = office.submit()
    office.work()
    assert office.grant(request).status == GrantStatus.GRANTING
    assert office.again(request).status == RequestStatus.APPROVED


def test_a_creation_that_fails_at_aws_says_so_in_aws_own_words(office: Office) -> None:
    words = "Cannot exceed quota for PoliciesPerRole: 10"
    office.simulator.faults.add(Fault(FaultKind.FAILURE, operation="CreateAccountAssignment", reason=words))
    request = office.submit()
    office.work()
    failed = office.again(request)
    assert (failed.status, office.in_aws()) == (RequestStatus.FAILED, [])
    assert words in failed.outcome


def test_a_refusal_by_aws_fails_at_once_with_a_remedy(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="CreateAccountAssignment"))
    request = office.submit()
    office.work()
    failed = office.again(request)
    assert (failed.status, office.in_aws()) == (RequestStatus.FAILED, [])
    assert "AccessDenied" in failed.outcome
    assert "An admin must" in failed.outcome


def test_a_refusal_after_a_lost_reply_does_not_leave_the_assignment_behind(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.LOST_REPLY, operation="CreateAccountAssignment", first=1))
    request = office.submit()
    office.work()
    assert len(office.in_aws()) == 1
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="CreateAccountAssignment"))
    for _ in range(3):
        office.pass_time(minutes=1)
    assert office.again(request).status == RequestStatus.ACTIVE
    office.simulator.faults.clear()
    office.pass_time(hours=1)
    assert office.in_aws() == []


def test_one_account_failing_does_not_hold_the_others_back(office: Office) -> None:
    accounts = office.catalog.sandbox_accounts
    suspended = accounts[1].account_id
    office.simulator.faults.add(
        Fault(FaultKind.FAILURE, operation="CreateAccountAssignment", account=suspended, reason="It is suspended.")
    )
    request = office.submit(accounts=accounts)
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE
    assert sorted(request.grants.values_list("status", flat=True)) == ["active", "active", "failed"]
    office.pass_time(hours=1)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_no_more_operations_are_begun_than_aws_takes_at_once(office: Office, settings: object) -> None:
    settings.OUTSTANDING_CAP = 3  # type: ignore[attr-defined]
    office.simulator.faults.add(Fault(FaultKind.INTERNAL, operation="ListAccountAssignmentCreationStatus"))
    office.submit(accounts=office.catalog.sandbox_accounts)
    office.work()
    office.work()
    assert len(office.in_aws()) == 2
    office.simulator.faults.clear()
    office.pass_time(minutes=2)
    office.pass_time(minutes=2)
    assert len(office.in_aws()) == 3
