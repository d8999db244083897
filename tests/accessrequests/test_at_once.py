"""Two people, or a person and the clock, at the same moment: one of them wins, and the other is told so."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import Barrier

import pytest
from django.db import connection, transaction

from accessrequests import convergence, due, workflow
from accessrequests.models import AccessRequest, Assignment, Decision
from accessrequests.refusals import Refused
from accessrequests.states import GrantStatus, RequestStatus
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.ledger import Subject, record
from auditlog.models import Event
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.processes.started import until

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """Does all of them at the same moment, each on a connection of its own; what came of each, or its exception."""
    barrier = Barrier(len(deeds))

    def do(deed: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return deed()
        except Exception as error:  # noqa: BLE001 - it is the outcome
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return [done.result() for done in [pool.submit(copy_context().run, do, deed) for deed in deeds]]


def refusals(outcomes: list[object]) -> int:
    unexpected = [o for o in outcomes if isinstance(o, Exception) and not isinstance(o, Refused)]
    assert unexpected == []
    return sum(isinstance(outcome, Refused) for outcome in outcomes)


def test_two_approvers_of_one_stage_do_not_both_count_for_it(office: Office) -> None:
    request = office.submit_production()
    outcomes = at_once(*(partial(office.decide, request, person) for person in (company.CHIARA, company.EMMA)))
    assert refusals(outcomes) == 1
    assert (office.again(request).stage, Decision.objects.count()) == (2, 1)


def test_one_approver_with_two_windows_decides_once(office: Office) -> None:
    request = office.submit_production()
    outcomes = at_once(*(lambda: office.decide(request, company.CHIARA) for _ in range(4)))
    assert refusals(outcomes) == 3
    assert Decision.objects.count() == 1
    assert Event.objects.filter(action="decision.made").count() == 1


def test_withdrawing_and_approving_do_not_both_happen(office: Office) -> None:
    request = office.submit_production()
    office.decide(request, company.CHIARA)
    ada = office.user(company.ADA).pk
    outcomes = at_once(
        lambda: workflow.withdraw(ada, request.pk),
        lambda: office.decide(request, company.FARID),
    )
    status = office.again(request).status
    if status == RequestStatus.WITHDRAWN:
        # It may have been approved first and withdrawn before its start: then nobody was refused.
        assert refusals(outcomes) in (0, 1)
    else:
        assert (status, refusals(outcomes)) == (RequestStatus.APPROVED, 1)


def test_the_same_form_sent_twice_at_once_is_one_request(office: Office) -> None:
    form = uuid.uuid4()
    outcomes = at_once(*(lambda: office.submit(id=form) for _ in range(4)))
    assert refusals(outcomes) == 0
    assert AccessRequest.objects.count() == 1
    assert Event.objects.filter(action="request.submitted").count() == 1


def test_two_workers_start_a_request_once(office: Office) -> None:
    request = office.submit()
    at_once(*(lambda: due.start(request.pk, office.aws) for _ in range(4)))
    assert request.grants.count() == 1
    assert Event.objects.filter(action="request.started").count() == 1


def test_two_workers_at_one_assignment_send_one_creation(office: Office) -> None:
    request = office.submit()
    (assignment_id,) = due.start(request.pk, office.aws)
    at_once(*(lambda: convergence.converge(assignment_id, office.aws) for _ in range(4)))
    assert office.simulator.calls.calls["CreateAccountAssignment"] == 1


def test_revoking_while_it_is_being_granted_ends_with_nothing_in_aws(office: Office) -> None:
    for _ in range(5):
        request = office.submit()
        (assignment_id,) = due.start(request.pk, office.aws)
        ines = office.user(company.INES).pk
        outcomes = at_once(
            partial(convergence.converge, assignment_id, office.aws),
            partial(workflow.revoke, ines, request.pk, "Stop this."),
        )
        assert refusals(outcomes) == 0
        office.pass_time(seconds=31)
        office.pass_time(seconds=31)
        assert set(request.grants.values_list("status", flat=True)) == {GrantStatus.ENDED}
        assert office.in_aws() == []


def test_many_requests_at_once_leave_no_gap_in_the_ledger_and_no_deadlock(office: Office) -> None:
    people = (company.ADA, company.BEN, company.CHIARA, company.DANIEL)
    for person in people:
        office.user(person).directory_groups.add(*office.catalog.automatic.requestable_by.all())
    outcomes = at_once(*(partial(office.submit, person, accounts=office.catalog.sandbox_accounts) for person in people))
    assert refusals(outcomes) == 0
    requests = [outcome for outcome in outcomes if isinstance(outcome, AccessRequest)]
    at_once(*(partial(due.start, request.pk, office.aws) for request in requests))
    office.work()
    ines = office.user(company.INES).pk
    assert refusals(at_once(*(partial(workflow.revoke, ines, request.pk, "All of it.") for request in requests))) == 0
    office.work()
    assert office.in_aws() == []
    numbers = list(Event.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer")
def test_a_confirmation_that_waits_for_a_request_keeps_nobody_from_recording(office: Office) -> None:
    first, second = office.submit(), office.submit()
    (assignment_id,) = due.start(first.pk, office.aws)
    convergence.converge(assignment_id, office.aws)
    due.start(second.pk, office.aws)

    def confirm() -> None:
        try:
            convergence.converge(assignment_id, office.aws)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(AccessRequest.objects.select_for_update(of=("self",)).filter(pk=second.pk))
            confirming = pool.submit(copy_context().run, confirm)
            until("the confirmation to wait", lambda: waiting() == 1, within=30)
            record(Actor.system("test"), Action.DECISION_REFUSED, Subject("request", str(second.pk)))
        confirming.result()
    office.work()
    assert {office.again(request).status for request in (first, second)} == {RequestStatus.ACTIVE}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer")
def test_ending_what_starts_at_the_same_moment_waits_for_no_worker_that_waits_for_it(office: Office) -> None:
    ended = office.submit()
    office.work()
    workflow.give_back(office.user(company.ADA).pk, ended.pk)
    office.work()
    request, assignment = office.submit(), Assignment.objects.get()

    def apart(deed: Callable[[], object]) -> object:
        try:
            return deed()
        finally:
            connection.close()

    def work() -> None:
        with transaction.atomic():
            Assignment.objects.select_for_update().get(pk=assignment.pk)
            AccessRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            due.start(request.pk, office.aws)
            end = partial(workflow.revoke, office.user(company.INES).pk, request.pk, "Stop this.")
            ending = pool.submit(copy_context().run, apart, end)
            until("the end to wait for the start", lambda: waiting() == 1, within=30)
            working = pool.submit(copy_context().run, apart, work)
            until("the worker to wait for the start", lambda: waiting() == 2, within=30)
        ending.result()
        working.result()
    assert office.grant(request).status == GrantStatus.REVOKING


def waiting() -> int:
    """How many connections wait for a lock."""
    with connection.cursor() as cursor:
        # Inside a transaction it would be the same answer again and again.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])
