"""The scan goes on where it was, keeps to its budget, and leaves alone what is under way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab

from accessrequests import convergence, drift, due, tasks
from accessrequests.models import Assignment, Finding, ScanCursor
from accessrequests.states import Operation, Presence, RequestStatus
from catalog.models import Account, PermissionSet
from jitportal.aws import identity_center
from jitportal.aws.limiter import Budget, Urgency
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import Interfering, by_hand, events, key_of, round_of, slices

LOOK = "ListAccountAssignments"


class Died(BaseException):
    """The process is gone: nothing that catches exceptions sees this."""


class Mortal:
    """AWS as a scan sees it that dies after so many looks, and remembers them."""

    def __init__(self, aws: Any, looks: int = 1_000) -> None:
        self._aws, self._looks = aws, looks
        self.seen: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._aws, name)

    def assignments_of(self, account_id: str, permission_set_arn: str) -> list[tuple[str, str]]:
        if len(self.seen) == self._looks:
            raise Died
        self.seen.append((account_id, permission_set_arn))
        found: list[tuple[str, str]] = self._aws.assignments_of(account_id, permission_set_arn)
        return found


@pytest.fixture
def more(office: Office) -> None:
    """All six permission sets of the company: 36 pairs."""
    for permission_set in company.PERMISSION_SETS[1:]:
        arn = company.ORGANISATION.permission_set_arn(permission_set.name)
        PermissionSet.objects.create(name=permission_set.name, arn=arn)


def test_a_round_sees_every_pair_once_in_a_stable_order(office: Office, more: None) -> None:
    watched = Mortal(office.aws)
    drift.scan(watched)
    assert watched.seen == sorted(set(watched.seen)) == round_of(office)
    assert len(watched.seen) == Account.objects.count() * 6
    cursor = ScanCursor.objects.get()
    assert (cursor.last_seen, cursor.finished_at, cursor.claim) == (36, office.moment.time, None)


def test_a_scan_that_is_killed_goes_on_where_it_was(office: Office, more: None) -> None:
    for person in (company.ADA, company.BEN):
        for account in Account.objects.all():
            by_hand(office, key_of(office, person, account))
    mortal = Mortal(office.aws, looks=17)
    with pytest.raises(Died):
        drift.scan(mortal)
    # What `finally` has just released, a killed process would have kept.
    ScanCursor.objects.update(claim="9" * 32, claimed_until=office.moment.time + convergence.LEASE)
    second = Mortal(office.aws)
    drift.scan(second)
    assert second.seen == [], "the claim of the dead is kept until it runs out"
    office.moment.forward(timedelta(minutes=5))
    drift.scan(second)
    assert mortal.seen + second.seen == round_of(office)
    assert Finding.objects.count() == len(events("finding.opened")) == 12


def test_a_slice_keeps_to_its_calls(office: Office, more: None) -> None:
    seen = []
    for pairs in slices(office, most_calls=10):
        assert office.simulator.calls.calls[LOOK] == pairs <= 10
        office.simulator.calls.reset()
        seen.append(pairs)
    assert seen == [10, 10, 10, 6]


def test_second_looks_and_names_count_against_the_budget(office: Office, more: None) -> None:
    office.submit(accounts=office.catalog.sandbox_accounts)
    office.work()
    for account in office.catalog.sandbox_accounts:
        by_hand(office, key_of(office, account=account), present=False)
    for person in (company.BEN, company.CHIARA, company.DANIEL):
        by_hand(office, key_of(office, person, office.catalog.production_accounts[0]))
    office.simulator.calls.reset()
    for _ in slices(office, most_calls=6):
        assert office.simulator.calls.calls.total() <= 8
        office.simulator.calls.reset()
    assert len(events("assignment.drift_found")) == 3
    assert Finding.objects.count() == 3


def test_a_page_of_a_hundred_is_a_call(office: Office) -> None:
    for number in range(250):
        by_hand(office, key_of(office)._replace(principal_id=f"00000000-0000-4000-8000-{number:012d}"))
    drift.scan(office.aws, most_calls=3)
    assert office.simulator.calls.calls[LOOK] == 3
    assert Finding.objects.count() == 250


def test_a_slice_keeps_to_its_seconds_and_still_gets_on(office: Office, more: None) -> None:
    assert list(slices(office, most_seconds=-1.0)) == [1] * 36


def test_the_scan_asks_with_the_least_urgency(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand(office, key_of(office))
    taken: list[Urgency] = []

    class Noting(Budget):
        def wait(self, urgency: Urgency) -> bool:
            taken.append(urgency)
            return super().wait(urgency)

    monkeypatch.setattr(identity_center, "budget", lambda service: Noting(service, 10_000))
    drift.scan(office.aws)
    assert len(taken) == 6 + 1
    assert set(taken) == {Urgency.SCAN}


def test_a_key_with_an_operation_in_flight_is_left_alone(office: Office) -> None:
    office.submit()
    (request_id,) = due.starting(office.moment.time)
    (assignment_id,) = due.start(request_id, office.aws)
    office.simulator.limiter.limits = replace(office.simulator.limiter.limits, delay=3600.0)
    convergence.converge(assignment_id, office.aws)
    assert Assignment.objects.get().operation == Operation.CREATE
    before = Assignment.objects.values().get()
    drift.scan(office.aws)
    assert Assignment.objects.values().get() == before
    assert not Finding.objects.exists()


def test_a_creation_that_ends_while_the_scan_looks_is_no_drift(office: Office) -> None:
    request = office.submit()
    drift.scan(Interfering(office.aws, office.work))
    assert office.again(request).status == RequestStatus.ACTIVE
    assert Assignment.objects.get().presence == Presence.PRESENT
    assert (events("assignment.drift_found"), Finding.objects.count()) == ([], 0)


def test_a_deletion_that_ends_while_the_scan_looks_is_no_finding(office: Office) -> None:
    office.submit()
    office.work()
    drift.scan(Interfering(office.aws, lambda: office.pass_time(hours=1)))
    assert office.in_aws() == []
    assert (events("assignment.drift_found"), Finding.objects.count()) == ([], 0)


def test_a_surprise_is_looked_at_a_second_time_and_believed_only_then(office: Office) -> None:
    office.submit()
    office.work()
    by_hand(office, key_of(office), present=False)
    again = Interfering(office.aws, lambda: by_hand(office, key_of(office)))
    drift.scan(again)
    assert (events("assignment.drift_found"), Finding.objects.count()) == ([], 0)


def test_an_assignment_that_a_worker_has_claimed_is_left_for_the_next_round(office: Office) -> None:
    office.submit()
    office.work()
    by_hand(office, key_of(office), present=False)
    Assignment.objects.update(claim="9" * 32, claimed_until=office.moment.time + convergence.LEASE)
    drift.scan(office.aws)
    assert events("assignment.drift_found") == []
    office.moment.forward(timedelta(minutes=5))
    drift.scan(office.aws)
    assert len(events("assignment.drift_found")) == 1
    assert Assignment.objects.get().claim is None


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.INTERNAL, FaultKind.UNREACHABLE, FaultKind.LOST_REPLY])
def test_no_answer_is_no_absence(office: Office, kind: FaultKind) -> None:
    office.submit()
    office.work()
    office.simulator.faults.add(Fault(kind, operation=LOOK, first=2))
    drift.scan(office.aws)
    cursor = ScanCursor.objects.get()
    assert (cursor.account_id, cursor.attempts, bool(cursor.trouble)) == ("", 1, True)
    for _ in range(3):
        drift.scan(office.aws)
    assert ScanCursor.objects.get().trouble == ""
    assert ScanCursor.objects.get().last_seen == 6
    assert events("assignment.drift_found") == []


@pytest.mark.parametrize("kind", [FaultKind.INTERNAL, FaultKind.ACCESS_DENIED])
def test_a_pair_that_aws_never_tells_of_is_passed_over_and_counted(office: Office, kind: FaultKind) -> None:
    hidden = office.catalog.sandbox_accounts[0].account_id
    by_hand(office, key_of(office))
    by_hand(office, key_of(office, account=office.catalog.production_accounts[0]))
    office.simulator.faults.add(Fault(kind, operation=LOOK, account=hidden))
    for _ in range(3):
        drift.scan(office.aws)
    cursor = ScanCursor.objects.get()
    assert cursor.finished_at is not None
    assert (cursor.last_seen, cursor.last_passed_over) == (5, 1)
    assert Finding.objects.get().account == office.catalog.production_accounts[0]


def test_the_beat_sends_the_scan_every_five_minutes(office: Office, settings: Any) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["scan"]
    assert (entry["task"], entry["schedule"]) == (tasks.scan.name, crontab(minute="*/5"))
    by_hand(office, key_of(office))
    tasks.scan()
    assert Finding.objects.count() == 1
