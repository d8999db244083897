"""Ways in which access was made to outlive its end, or standing access to be lost: each is closed."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accessrequests import convergence, drift, due, findings, overdue, queue, standing, tasks, workflow
from accessrequests.models import Assignment, Grant
from accessrequests.provisioner import AssignmentKey, Report, Unclear
from accessrequests.refusals import Refused
from accessrequests.states import FindingStatus, GrantStatus, RequestStatus
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import by_hand, found, key_of

SECOND = timedelta(seconds=1)


class Aws:
    """The real provisioner, with something that happens around one of its calls."""

    def __init__(self, office: Office, **around: Callable[..., Any]) -> None:
        self._aws = office.aws
        self._around = around

    def __getattr__(self, name: str) -> Any:
        return self._around.get(name) or getattr(self._aws, name)


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is free for every message."""
    monkeypatch.setattr(tasks, "send", lambda task, *arguments: task(*arguments))


def test_a_grant_whose_end_came_while_nobody_worked_is_not_begun(office: Office) -> None:
    request = office.submit()
    [assignment] = due.start(request.pk, office.aws)
    convergence.converge(assignment, office.aws)
    assert office.grant(request).status == GrantStatus.GRANTING
    office.moment.forward(timedelta(hours=3))
    heard = convergence.ask([assignment], office.aws)
    convergence.converge(assignment, office.aws, heard.reports)
    assert office.grant(request).status != GrantStatus.ACTIVE
    office.work()
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_nor_by_the_sweep_that_ends_another_first(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [office.submit(person) for person in (company.ADA, company.BEN)]
    for request in requests:
        for assignment in due.start(request.pk, office.aws):
            convergence.converge(assignment, office.aws)
        office.moment.forward(SECOND)
    office.moment.forward(timedelta(hours=3))
    at_once(monkeypatch)
    tasks._hand_out(office.moment.time)
    assert GrantStatus.ACTIVE not in {office.grant(request).status for request in requests}
    office.work()
    assert office.in_aws() == []


@pytest.mark.parametrize("ending", ["given back", "expired while AWS refused to put it back"])
def test_what_somebody_made_by_hand_after_ours_was_gone_is_standing(office: Office, ending: str) -> None:
    request = office.submit()
    office.work()
    key = key_of(office)
    by_hand(office, key, present=False)
    drift.scan(office.aws)
    if ending == "given back":
        workflow.give_back(request.requester_id, request.pk)
        office.work()
    else:
        office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="CreateAccountAssignment"))
        office.work()
        office.pass_time(hours=2)
        office.simulator.faults.clear()
    assert office.again(request).status == RequestStatus.ENDED
    by_hand(office, key)
    second = office.submit()
    office.work()
    office.pass_time(hours=2)
    assert office.again(second).status == RequestStatus.ENDED
    assert office.in_aws() == [key], "standing access is never removed silently"


def test_a_list_that_aws_refuses_does_not_hide_how_the_other_kind_is_going(office: Office, settings: Any) -> None:
    settings.OUTSTANDING_CAP = 4
    first = office.submit(accounts=office.catalog.sandbox_accounts)
    office.work()
    refused = Fault(FaultKind.ACCESS_DENIED, operation="ListAccountAssignmentCreationStatus")
    office.simulator.faults.add(refused)
    second = office.submit(company.BEN)
    for pk in due.start(second.pk, office.aws):
        convergence.converge(pk, office.aws)
    workflow.give_back(first.requester_id, first.pk)
    for pk in queue.unwanted(office.moment.time):
        convergence.converge(pk, office.aws)
    flying = list(Assignment.objects.exclude(operation="").values_list("pk", flat=True))
    assert len(flying) == 4
    heard = convergence.ask(flying, office.aws)
    for pk in heard.assignments:
        convergence.converge(pk, office.aws, heard.reports)
    assert office.again(first).status == RequestStatus.ENDED
    assert office.again(second).status == RequestStatus.ACTIVE, "asked about by itself"


def test_an_end_does_not_wait_behind_creations_for_somebody_who_may_not_begin(office: Office, settings: Any) -> None:
    settings.OUTSTANDING_CAP = 3
    first = office.submit()
    office.work()
    office.moment.forward(timedelta(minutes=59))
    second = office.submit()
    due.start(second.pk, office.aws)
    office.user(company.ADA).directory_groups.clear()
    later = office.moment.time + timedelta(minutes=1)
    for account in office.catalog.sandbox_accounts[1:3]:
        Assignment.objects.create(
            principal_id=f"somebody-{account.pk}",
            permission_set=office.catalog.permission_set,
            account=account,
            operation="create",
            operation_id=str(uuid.uuid4()),
            operation_began_at=later,
            due_at=later + timedelta(hours=9),
        )
    office.moment.forward(timedelta(minutes=1, seconds=1))
    list(due.end_grants(office.moment.time))
    for pk in queue.unwanted(office.moment.time):
        convergence.converge(pk, office.aws)
    assert office.grant(second).status == GrantStatus.FAILED
    office.moment.forward(SECOND)
    for pk in Assignment.objects.filter(operation="delete").values_list("pk", flat=True):
        convergence.converge(pk, office.aws)
    assert (office.grant(first).status, office.in_aws()) == (GrantStatus.ENDED, [])


def test_nothing_is_created_after_what_wanted_it_was_given_back(office: Office) -> None:
    request = office.submit()
    office.work()
    by_hand(office, key_of(office), present=False)
    drift.scan(office.aws)
    done: list[str] = []

    def check_principal(principal_id: str) -> None:
        office.aws.check_principal(principal_id)
        if not done:
            done.append("given back")
            workflow.give_back(request.requester_id, request.pk)

    def begin_creation(key: AssignmentKey) -> Report:
        done.append("created")
        return office.aws.begin_creation(key)

    aws: Any = Aws(office, check_principal=check_principal, begin_creation=begin_creation)
    convergence.converge(Assignment.objects.get().pk, aws)
    assert done == ["given back"]


def test_what_a_worker_creates_that_was_long_asleep_is_ours_and_goes_again(office: Office) -> None:
    request = office.submit()
    [assignment] = due.start(request.pk, office.aws)

    def begin_creation(key: AssignmentKey) -> Report:
        office.moment.forward(timedelta(minutes=2))
        office.work()
        workflow.give_back(request.requester_id, request.pk)
        office.work()
        office.pass_time(minutes=6)
        office.pass_time(minutes=1)
        assert office.again(request).status == RequestStatus.ENDED
        return office.aws.begin_creation(key)

    aws: Any = Aws(office, begin_creation=begin_creation)
    convergence.converge(assignment, aws)
    for _ in range(4):
        office.pass_time(minutes=3)
    assert office.in_aws() == []


def test_as_many_ends_as_are_done_at_once_may_fail_and_the_next_still_comes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [office.submit(person) for person in (company.ADA, company.CHIARA)]
    office.work()
    office.moment.forward(SECOND)
    sound = office.submit(company.BEN)
    office.work()
    real, poisoned = due._end_grants_of, {office.grant(request).assignment_id for request in broken}

    def failing(assignment_id: uuid.UUID, now: Any) -> bool:
        if assignment_id in poisoned:
            raise ValueError("cannot be recorded")
        return real(assignment_id, now)

    monkeypatch.setattr(due, "_end_grants_of", failing)
    office.moment.forward(timedelta(hours=2))
    assert list(due.end_grants(office.moment.time, most=1)) == [office.grant(sound).assignment_id]


def test_what_came_true_after_the_end_and_will_not_go_is_overdue(office: Office) -> None:
    request = office.submit()
    [assignment] = due.start(request.pk, office.aws)
    asked: list[AssignmentKey] = []

    def begin_creation(key: AssignmentKey) -> Report:
        asked.append(key)
        raise Unclear("AWS did not answer.", "It is tried again by itself.")

    aws: Any = Aws(office, begin_creation=begin_creation)
    convergence.converge(assignment, aws)
    workflow.give_back(request.requester_id, request.pk)
    office.work()
    office.aws.begin_creation(asked[0])
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="DeleteAccountAssignment"))
    for _ in range(6):
        office.pass_time(minutes=5)
    assert office.in_aws()
    assert overdue.count(office.moment.time).assignments == 1
    office.simulator.faults.clear()
    office.pass_time(minutes=2)
    assert (office.in_aws(), bool(overdue.count(office.moment.time))) == ([], False)


def test_a_finding_is_closed_as_gone_only_when_it_is(office: Office) -> None:
    finding = found(office)
    findings.remove(user_id=office.user(company.INES).pk, finding_id=finding.pk, reason="Nobody knows why.")
    office.simulator.faults.add(Fault(FaultKind.INTERNAL, operation="DeleteAccountAssignment", first=1))
    convergence.converge(Assignment.objects.get().pk, office.aws)
    office.submit()
    office.work()
    standing.close_removed(office.moment.time)
    finding.refresh_from_db()
    assert office.in_aws()
    assert finding.status != FindingStatus.REMOVED


def test_nobody_has_so_many_open_requests_that_their_ends_delay_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "MOST_OPEN", 3)
    requests = [office.submit() for _ in range(3)]
    with pytest.raises(Refused, match="3 of your requests are open"):
        office.submit()
    workflow.withdraw(requests[0].requester_id, requests[0].pk)
    office.submit()
    assert Grant.objects.count() == 0
