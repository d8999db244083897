"""A worker that dies before or after any call to AWS leaves rows from which the next one goes on."""

from datetime import timedelta
from typing import Any

import pytest

from accessrequests import convergence, due, queue
from accessrequests.models import Assignment
from accessrequests.states import RequestStatus
from auditlog.models import Event
from tests.accessrequests.conftest import Office

CALLS = ["is_assigned", "begin_creation", "creation_report", "begin_deletion", "deletion_report"]


class Died(BaseException):
    """The process is gone: nothing that catches exceptions sees this."""


class Mortal:
    """AWS as a worker sees it that dies at one call."""

    def __init__(self, aws: object, call: str, *, after: bool) -> None:
        self._aws, self._call, self._after = aws, call, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._aws, name)
        if name != self._call:
            return real

        def dying(*args: Any) -> None:
            if self._after:
                real(*args)
            raise Died

        return dying


def work_until_it_dies(office: Office, mortal: Mortal) -> bool:
    """One worker does what is due, without the tidying up that a killed process does not do; whether it died."""
    now = office.moment.time
    list(due.end_grants(now))
    for request_id in due.starting(now):
        due.start(request_id, office.aws)
    for _ in range(6):
        ready = {
            *queue.unwanted(now),
            *queue.wanted(now),
            *Assignment.objects.exclude(operation="").values_list("pk", flat=True),
        }
        for assignment_id in ready:
            claims = Assignment.objects.values("claim", "claimed_until").get(pk=assignment_id)
            try:
                convergence.converge(assignment_id, mortal)
            except Died:
                # What `finally` has just released, a killed process would have kept.
                held = now + convergence.LEASE
                Assignment.objects.filter(pk=assignment_id).update(claim=claims["claim"], claimed_until=held)
                return True
    return False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", CALLS)
def test_a_worker_that_dies_at_a_call_is_taken_over_from(office: Office, call: str, after: bool) -> None:
    mortal = Mortal(office.aws, call, after=after)
    request = office.submit()
    died = work_until_it_dies(office, mortal)
    office.pass_time(seconds=31)
    office.pass_time(seconds=31)
    assert office.again(request).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == 1

    office.moment.forward(timedelta(hours=1))
    died = work_until_it_dies(office, mortal) or died
    office.pass_time(seconds=31)
    office.pass_time(seconds=31)
    assert died
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])
    for action in ("grant.granting", "grant.active", "grant.revoking", "grant.ended"):
        assert Event.objects.filter(action=action, subject_id=str(request.pk)).count() == 1


def test_access_that_died_while_being_granted_does_not_outlive_its_end(office: Office) -> None:
    request = office.submit()
    assert work_until_it_dies(office, Mortal(office.aws, "creation_report", after=False))
    grant = office.grant(request)
    assert grant.ends_at is not None
    assert grant.ends_at <= office.moment.time + request.duration
    office.pass_time(hours=2)
    office.pass_time(hours=2)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_two_workers_at_one_assignment_do_not_both_call_aws(office: Office) -> None:
    request = office.submit()
    (assignment_id,) = due.start(request.pk, office.aws)
    Assignment.objects.filter(pk=assignment_id).update(claimed_until=office.moment.time + convergence.LEASE)
    office.simulator.calls.reset()
    convergence.converge(assignment_id, office.aws)
    assert office.simulator.calls.calls.total() == 0
