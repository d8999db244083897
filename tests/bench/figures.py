"""The engine's figures: how near to AWS's limits it works, how late it is, what it costs."""

import json
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from accessrequests.models import Assignment, Grant
from auditlog import clock
from auditlog.models import Event
from tests.bench import filling
from tests.bench.world import LIFTED, PUBLISHED, World, percentile

FIGURES: dict[str, Callable[[World], list["Row"]]] = {}
# Assignments that are as they should be: to see that takes a message and a claim, and no call.
CLAIMS = 2000
Row = tuple[str, str, str, bool | None]


def figure(measure: Callable[[World], list[Row]]) -> Callable[[World], list[Row]]:
    """Registers a figure under its function's name."""
    FIGURES[measure.__name__] = measure
    return measure


# What begins, follows and checks operations; the scan lists assignments, which a removal never does.
WORK: Final = frozenset(
    {
        "CreateAccountAssignment",
        "DeleteAccountAssignment",
        "ListAccountAssignmentCreationStatus",
        "ListAccountAssignmentDeletionStatus",
        "DescribeAccountAssignmentCreationStatus",
        "DescribeAccountAssignmentDeletionStatus",
        "DescribeUser",
        "GetUserId",
    }
)


@figure
def burst(at: World) -> list[Row]:
    """1,000 grants on 500 assignments that end at the same moment."""

    at.aws.limits({**LIFTED})
    keys = filling.keys(500)
    workers = at.work(OUTSTANDING_CAP=100, AWS_CALLS_PER_SECOND=2000)
    for _ in range(2):
        filling.submit(keys, timedelta(hours=8))
    _until("1,000 active grants", lambda: Grant.objects.filter(status="active").count() == 1000, 300)
    at.stop(workers)
    at.aws.limits(PUBLISHED)
    at.aws.forget_calls()
    workers = at.work()
    others = _warm_up()
    at.aws.forget_calls()
    Grant.objects.filter(status="active").exclude(request__in=others).update(ends_at=clock.now() + timedelta(seconds=2))
    seen: list[tuple[float, int]] = []
    began = time.monotonic()
    while not seen or seen[-1][1] < 500:
        gone = 500 + 40 - at.aws.held()
        seen.append((time.monotonic() - began, gone))
        if seen[-1][0] > 400:
            break
        time.sleep(0.1)
    first = next(moment for moment, gone in seen if gone >= 50)
    last = next((moment for moment, gone in seen if gone >= 450), seen[-1][0])
    rate = 400 / (last - first)
    ceiling = min(PUBLISHED["outstanding"] / PUBLISHED["delay"], PUBLISHED["sso_tps"])
    _until("1,000 ended grants", lambda: Grant.objects.filter(status="ended").count() == 1000, 60)
    calls = at.aws.calls()
    at.stop(workers)
    Assignment.objects.update(due_at=None)
    operations = calls["calls"].get("DeleteAccountAssignment", 0) - calls["throttled"].get("DeleteAccountAssignment", 0)
    # The scan and the inventory come by the clock, from a share of calls of their own: they are told apart.
    spent = sum(count for name, count in calls["calls"].items() if name in WORK)
    apart = calls["total"] - spent
    ratio, cost = rate / ceiling, spent / 500
    throttled = calls["throttled_total"] / calls["total"]
    return [
        (
            "1,000 grants end at once: deletions a second ÷ ceiling",
            f"{ratio:.3f} ({rate:.2f} of {ceiling:.2f}/s)",
            "≥ 0.95",
            ratio >= 0.95,
        ),
        (
            "AWS calls per operation in that run",
            f"{cost:.2f} ({spent} for {operations}; {apart} of scan and inventory)",
            "≤ 1.5",
            cost <= 1.5,
        ),
        ("throttles received in that run", f"{throttled:.2%}", "≤ 1 %", throttled <= 0.01),
    ]


@figure
def lateness(at: World) -> list[Row]:
    """End due → deletion sent, fifty a minute, nothing else to do."""
    late = _lateness(at, crowd=0, queue=0)
    return [_late_row("end due → deletion sent, 50 a minute", late, 0.050, 0.250)]


@figure
def crowded(at: World) -> list[Row]:
    """The same with 10,000 active grants and a queue of 500 creations."""
    late = _lateness(at, crowd=10_000, queue=500)
    p50, p99 = percentile(late, 0.5), percentile(late, 0.99)
    shown = f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms"
    return [("the same with 10,000 active grants and 500 creations waiting", shown, "p99 ≤ 1 s", p99 <= 1.0)]


@figure
def approval(at: World) -> list[Row]:
    """Last approval → creation sent."""

    at.aws.limits(PUBLISHED)
    workers = at.work()
    _warm_up()
    requests = []
    # A person may have 25 requests open.
    for key in (*filling.keys(20, skip=1100), *filling.keys(20, skip=1250)):
        requests += filling.submit([key], timedelta(hours=1))
        time.sleep(0.8)
    _until("40 creations", lambda: _sent("assignment.creation_sent", requests) == len(requests), 60)
    at.stop(workers)
    waits = []
    for request in requests:
        approved = Event.objects.get(action="request.approved", subject_id=str(request))
        sent = Event.objects.filter(action="assignment.creation_sent", canonical__contains=str(request)).order_by(
            "number"
        )[0]
        waits.append((sent.at - approved.at).total_seconds())
    p95 = percentile(waits, 0.95)
    shown = f"p50 {percentile(waits, 0.5) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms"
    return [("last approval → creation sent", shown, "p95 ≤ 250 ms", p95 <= 0.25)]


@figure
def sweeping(at: World) -> list[Row]:
    """What one look at 1,000,000 grants of which 100 are due takes, and at 10,000."""

    rows: list[Row] = []
    for many in (10_000, 1_000_000):
        filling.crowd(many, due=100)
        taken = filling.time_a_look()
        rows.append(
            (f"sweep over {many:,} grants of which 100 are due", f"{taken * 1000:.1f} ms", "≤ 20 ms", taken <= 0.02)
        )
    return rows


@figure
def processes(at: World) -> list[Row]:
    """Four worker processes instead of one, limits lifted."""

    at.aws.limits({**LIFTED})
    rates: dict[int, float] = {}
    granted, double = 0, 0
    for many in (1, 4):
        at.aws.forget_calls()
        workers = at.work(processes=many, OUTSTANDING_CAP=1000, AWS_CALLS_PER_SECOND=5000)
        filling.submit(filling.keys(100, skip=granted), timedelta(hours=8))
        granted += 100
        _until(f"{granted} active grants", lambda g=granted: _active() == g, 120)  # type: ignore[misc]
        double += at.aws.calls()["calls"]["CreateAccountAssignment"] - 100
        filling.crowd(CLAIMS, due=0)
        crowd = Assignment.objects.filter(principal_id=filling.CROWD)
        began = time.monotonic()
        crowd.update(due_at=clock.now())
        _until(f"{CLAIMS} claims", lambda c=crowd: not c.exclude(due_at=None).exists(), 120)  # type: ignore[misc]
        rates[many] = CLAIMS / (time.monotonic() - began)
        at.stop(workers)
    ratio = rates[4] / rates[1]
    shown = f"{ratio:.2f} ({rates[4]:.0f}/s ÷ {rates[1]:.0f}/s)"
    return [
        ("four worker processes ÷ one, limits lifted: dispatches, claims", shown, "not lower", ratio >= 1.0),
        ("creations sent twice in those runs", str(double), "0", double == 0),
    ]


def _warm_up() -> list[uuid.UUID]:
    """Waits for workers that have started, and lets them learn how long AWS takes under its limits."""
    requests = filling.submit(filling.keys(40, skip=1300), timedelta(hours=8))
    granted = Grant.objects.filter(request__in=requests, status="active")
    _until("40 more active grants", lambda: granted.count() == 40, 60)
    return requests


def _active() -> int:
    return Grant.objects.filter(status="active").exclude(assignment__principal_id=filling.CROWD).count()


def _lateness(at: World, crowd: int, queue: int) -> list[float]:

    at.aws.limits({**LIFTED})
    keys = filling.keys(50, skip=1350)
    workers = at.work(OUTSTANDING_CAP=100, AWS_CALLS_PER_SECOND=2000)
    requests = filling.submit(keys, timedelta(hours=8))
    _until("50 active grants", lambda: Grant.objects.filter(request__in=requests, status="active").count() == 50, 60)
    # A worker that is killed keeps its claims for half a minute.
    _until("no claims", lambda: not Assignment.objects.exclude(claimed_until=None).exists(), 60)
    at.stop(workers)
    if crowd:
        filling.crowd(crowd, due=0)
    at.aws.limits(PUBLISHED)
    workers = at.work()
    _warm_up()
    if queue:
        filling.submit(filling.keys(queue, skip=500), timedelta(hours=8))
        time.sleep(5)
    start = clock.now() + timedelta(seconds=2)
    due = {}
    ending = Grant.objects.filter(request__in=requests).exclude(assignment__principal_id=filling.CROWD)
    for number, grant in enumerate(ending.order_by("pk")):
        due[str(grant.assignment_id)] = start + timedelta(seconds=1.2 * number)
        Grant.objects.filter(pk=grant.pk).update(ends_at=due[str(grant.assignment_id)])
    sent = Event.objects.filter(action="assignment.deletion_sent", subject_id__in=due)
    _until("50 deletions", lambda: sent.values("subject_id").distinct().count() == 50, 120)
    at.stop(workers)
    Assignment.objects.update(due_at=None)
    moments: dict[str, Any] = {}
    for event in sent.order_by("-number"):
        moments[event.subject_id] = event.at
    return [(moments[key] - moment).total_seconds() for key, moment in due.items()]


def _late_row(what: str, late: list[float], most50: float, most99: float) -> Row:
    p50, p99 = percentile(late, 0.5), percentile(late, 0.99)
    shown = f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms"
    return (what, shown, f"p50 ≤ {most50 * 1000:.0f} ms, p99 ≤ {most99 * 1000:.0f} ms", p50 <= most50 and p99 <= most99)


def _sent(action: str, requests: list[uuid.UUID]) -> int:

    return sum(Event.objects.filter(action=action, canonical__contains=str(request)).exists() for request in requests)


def _until(what: str, happened: Callable[[], bool], within: float) -> None:
    end = time.monotonic() + within
    while not happened():
        if time.monotonic() > end:
            sys.exit(f"Waited {within:.0f} s for {what}.")
        time.sleep(0.1)


def main() -> None:
    """Measures one figure, named on the command line, in the world that the environment describes; JSON to stdout."""
    with World() as at:
        filling.catalog()
        rows = FIGURES[sys.argv[1]](at)
    print(json.dumps(rows))  # noqa: T201
