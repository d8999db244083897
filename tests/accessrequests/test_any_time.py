"""Giving back and revoking at any moment, and what changes in AWS meanwhile: named, at its moment, and nothing left."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accessrequests import convergence, due, workflow
from accessrequests.models import AccessRequest, Assignment, Grant
from accessrequests.refusals import Refused
from accessrequests.states import EndReason, GrantStatus, RequestStatus
from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind, Organisation
from tests.accessrequests.conftest import Office
from tests.accessrequests.extending import extend, held

PASSING = [
    FaultKind.THROTTLE,
    FaultKind.INTERNAL,
    FaultKind.CONFLICT,
    FaultKind.UNREACHABLE,
    FaultKind.LOST_REPLY,
    FaultKind.INTERNAL_AFTER,
]
CALLS = ["check_principal", "is_assigned", "begin_creation", "creation_report", "begin_deletion", "deletion_report"]


class Interrupted:
    """AWS as a worker sees it while a person acts just before or after one call, the first time it is made."""

    def __init__(self, aws: object, call: str, deed: Any, *, after: bool) -> None:
        self._aws, self._call, self._deed, self._after = aws, call, deed, after
        self.happened = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._aws, name)
        if name != self._call or self.happened:
            return real

        def interrupted(*args: Any) -> Any:
            self.happened = True
            if not self._after:
                self._deed()
            try:
                return real(*args)
            finally:
                if self._after:
                    self._deed()

        return interrupted


def give_back(office: Office, request: AccessRequest) -> None:
    workflow.give_back(office.user(company.ADA).pk, request.pk)


def revoke(office: Office, request: AccessRequest) -> None:
    workflow.revoke(office.user(company.INES).pk, request.pk, "Stop this.")


def converge_all(aws: Any) -> None:
    for pk in Assignment.objects.values_list("pk", flat=True):
        convergence.converge(pk, aws)


def settle(office: Office) -> None:
    """Lets everything that was put off come to its time."""
    for _ in range(6):
        office.pass_time(minutes=1)


def gone(office: Office, request: AccessRequest, why: EndReason) -> None:
    ended = office.again(request)
    assert (ended.status, ended.end_reason, office.in_aws()) == (RequestStatus.ENDED, why, [])
    for action in ("grant.revoking", "grant.ended", "request.ended"):
        assert Event.objects.filter(action=action, subject_id=str(request.pk)).count() == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", CALLS[:4])
@pytest.mark.parametrize("verb", [give_back, revoke])
def test_access_is_ended_at_any_call_of_its_creation(office: Office, verb: Any, call: str, after: bool) -> None:
    request = office.submit()
    due.start(request.pk, office.aws)
    aws = Interrupted(office.aws, call, lambda: verb(office, request), after=after)
    for _ in range(4):
        converge_all(aws)
    assert aws.happened
    settle(office)
    gone(office, request, EndReason.GIVEN_BACK if verb is give_back else EndReason.REVOKED)


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("operation", ["CreateAccountAssignment", "DescribeUser", "ListAccountAssignments"])
def test_access_is_ended_while_aws_fails_to_create_it(office: Office, kind: FaultKind, operation: str) -> None:
    office.simulator.faults.add(Fault(kind, operation=operation))
    request = office.submit()
    due.start(request.pk, office.aws)
    converge_all(office.aws)
    if not Grant.objects.exists():
        workflow.withdraw(office.user(company.ADA).pk, request.pk)
        return
    give_back(office, request)
    converge_all(office.aws)
    office.simulator.faults.clear()
    settle(office)
    gone(office, request, EndReason.GIVEN_BACK)


@pytest.mark.parametrize("kind", [*PASSING, FaultKind.ACCESS_DENIED, FaultKind.FAILURE])
def test_a_revocation_outlasts_whatever_aws_does_to_its_deletion(office: Office, kind: FaultKind) -> None:
    request = held(office)
    office.simulator.faults.add(Fault(kind, operation="DeleteAccountAssignment"))
    revoke(office, request)
    settle(office)
    if kind not in (FaultKind.LOST_REPLY, FaultKind.INTERNAL_AFTER):
        assert office.grant(request).status == GrantStatus.REVOKING
    office.simulator.faults.clear()
    settle(office)
    gone(office, request, EndReason.REVOKED)


def test_ending_twice_says_that_there_is_nothing_to_end(office: Office) -> None:
    request = held(office)
    give_back(office, request)
    with pytest.raises(Refused, match="no access to end"):
        revoke(office, request)
    office.work()
    gone(office, request, EndReason.GIVEN_BACK)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", CALLS[:2])
def test_a_chain_is_ended_at_any_call_of_an_extension(office: Office, call: str, after: bool) -> None:
    request = held(office)
    extension = extend(office, request)
    due.start(extension.pk, office.aws)
    aws = Interrupted(office.aws, call, lambda: give_back(office, request), after=after)
    converge_all(aws)
    assert aws.happened
    settle(office)
    gone(office, request, EndReason.GIVEN_BACK)
    gone(office, extension, EndReason.GIVEN_BACK)


# What changes in AWS, or in the directory, between the ask and the start, and between the start and the end.


def remove_permission_set(office: Office) -> None:
    there = office.simulator.organisation
    kept = tuple(row for row in there.permission_sets if row.name != "DeveloperAccess")
    office.simulator.reorganise(replace(there, permission_sets=kept))


def without_user(office: Office) -> Organisation:
    there = office.simulator.organisation
    return replace(there, users=tuple(row for row in there.users if row.user_name != company.ADA.user_name))


def replace_user(office: Office) -> None:
    """Takes the person away and makes them anew under another name: the simulator derives ids from names."""
    (old,) = (row for row in office.simulator.organisation.users if row.user_name == company.ADA.user_name)
    there = without_user(office)
    recreated = replace(old, user_name="ada.again@harbour.example")
    office.simulator.reorganise(replace(there, users=(*there.users, recreated)))
    # The directory says the new name at the next sign-in, and only by that name is anybody found at AWS.
    ada = office.user(company.ADA)
    ada.user_name = recreated.user_name
    ada.save(update_fields=["user_name"])


def test_a_permission_set_that_was_deleted_meanwhile_fails_with_awss_words(office: Office) -> None:
    request = office.submit(start=office.moment.time + timedelta(hours=1))
    remove_permission_set(office)
    office.pass_time(hours=1)
    failed = office.again(request)
    assert (failed.status, office.in_aws()) == (RequestStatus.FAILED, [])
    assert "PermissionSet" in failed.outcome


def test_a_permission_set_that_the_inventory_misses_is_refused_by_name_before_aws_is_asked(office: Office) -> None:
    request = office.submit(start=office.moment.time + timedelta(hours=1))
    office.catalog.permission_set.vanished_at = office.moment.time
    office.catalog.permission_set.save()
    office.simulator.calls.reset()
    office.pass_time(hours=1)
    assert "AWS no longer has the permission set DeveloperAccess" in office.again(request).outcome
    assert "CreateAccountAssignment" not in office.simulator.calls.calls


def test_a_permission_set_that_was_deleted_under_active_access_lets_it_end(office: Office) -> None:
    request = held(office)
    remove_permission_set(office)
    office.pass_time(hours=1)
    settle(office)
    assert office.again(request).status == RequestStatus.ENDED


def test_a_principal_who_was_renamed_keeps_their_id(office: Office) -> None:
    held(office)
    ada = office.user(company.ADA)
    # Nobody in Identity Center has these yet, or any more: only the id finds the person.
    ada.user_name, ada.email = "ada.married@harbour.example", "ada.married@harbour.example"
    ada.save(update_fields=["user_name", "email"])
    request = office.submit(accounts=office.catalog.sandbox_accounts[1:2])
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE
    assert len({key.principal_id for key in office.in_aws()}) == 1


def test_a_principal_who_was_deleted_and_recreated_is_looked_up_anew(office: Office) -> None:
    request = held(office)
    replace_user(office)
    extension = extend(office, request)
    office.work()
    assert office.again(extension).status == RequestStatus.ACTIVE
    old, new = office.grant(request).assignment, office.grant(extension).assignment
    assert old.principal_id != new.principal_id
    assert new.principal_id in {key.principal_id for key in office.in_aws()}
    (key,) = (key for key in office.in_aws() if key.principal_id == old.principal_id)
    give_back(office, extension)
    settle(office)
    # AWS still lists the old one, so it is not said to be gone before AWS says so.
    assert (office.in_aws(), office.again(extension).status) == ([key], RequestStatus.ENDED)
    assert office.grant(request).status == GrantStatus.REVOKING
    assert "was not found" in office.grant(request).assignment.trouble
    office.simulator.put_assignment(key, present=False)
    settle(office)
    gone(office, request, EndReason.GIVEN_BACK)


def test_a_principal_who_was_deleted_is_refused_with_a_remedy(office: Office) -> None:
    held(office)
    office.simulator.reorganise(without_user(office))
    request = office.submit(accounts=office.catalog.sandbox_accounts[1:2])
    office.work()
    assert "provisioning" in office.again(request).outcome


def test_a_principal_who_was_disabled_after_the_start_is_refused_before_anything_is_created(office: Office) -> None:
    request = office.submit()
    due.start(request.pk, office.aws)
    office.simulator.change_user(company.ADA.user_name, enabled=False)
    office.simulator.calls.reset()
    office.work()
    failed = office.again(request)
    assert (failed.status, office.in_aws()) == (RequestStatus.FAILED, [])
    assert "disabled in IAM Identity Center" in failed.outcome
    assert "CreateAccountAssignment" not in office.simulator.calls.calls


def test_a_principal_who_was_disabled_gets_no_more_time_and_what_they_hold_ends(office: Office) -> None:
    request = held(office)
    extension = extend(office, request)
    due.start(extension.pk, office.aws)
    office.simulator.change_user(company.ADA.user_name, enabled=False)
    office.work()
    failed = office.again(extension)
    assert failed.status == RequestStatus.FAILED
    assert "disabled in IAM Identity Center" in failed.outcome
    assert office.again(request).status == RequestStatus.ACTIVE
    office.pass_time(hours=1)
    settle(office)
    gone(office, request, EndReason.EXPIRED)


def test_access_is_not_said_to_be_gone_because_aws_refuses_another_grant_on_it(office: Office) -> None:
    request = held(office)
    other = office.submit()
    due.start(other.pk, office.aws)
    office.simulator.change_user(company.ADA.user_name, enabled=False)
    give_back(office, request)
    office.work()
    settle(office)
    assert office.again(other).status == RequestStatus.FAILED
    gone(office, request, EndReason.GIVEN_BACK)
