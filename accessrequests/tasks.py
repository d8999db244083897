"""Celery's doors to the work: ids in, one call out. A lost message costs a second, the sweep finds what is due."""

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from celery import Task, shared_task
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

from accessrequests import convergence, drift, due, health, provisioner
from accessrequests.notifications import outbox
from auditlog import clock

log = structlog.get_logger(__name__)

BATCH: Final = 5
# Beat sends a sweep each second; each looks ahead to the next, and hands out what falls due until then at its moment.
TICK: Final = timedelta(seconds=1)
GLANCE: Final = timedelta(milliseconds=100)
AT_ONCE: Final = 20
FEW: Final = 20
SWEEPING: Final = "sweeping"


@shared_task
def sweep() -> None:
    """Finds all that is due in the database, and what will be before the next sweep; ends come first."""
    if not cache.add(SWEEPING, "", timeout=3):
        return
    try:
        _once_a_tick()
        end = time.monotonic() + TICK.total_seconds()
        while True:
            now = clock.now()
            busy = _hand_out(now)
            left = end - time.monotonic()
            if left <= 0:
                return
            if not busy:
                wait = (due.next_moment(now, now + GLANCE) - clock.now()).total_seconds()
                time.sleep(max(0.0, min(wait, left)))
    finally:
        cache.delete(SWEEPING)


def _hand_out(now: datetime) -> bool:
    """Hands out what is due now; whether there may be more of it."""
    ended = due.end_grants(now, AT_ONCE)
    dispatch(now)
    for request_id in due.starting(now):
        send(start, str(request_id))
    return len(ended) == AT_ONCE


def _once_a_tick() -> None:
    now = clock.now()
    due.lapse_requests(now)
    _converge_in_batches(due.end_grants_of_inactive(now))
    if late := due.overdue(now):
        log.error("access_overdue", grants=late)
    health.note_skew(now)
    if outbox.is_due(now):
        send(notify)


def dispatch(now: datetime) -> None:
    """Hands out the operations to ask about, and as many of the assignments that are due as AWS has room for."""
    if in_flight := due.operations(now):
        send(watch, [str(pk) for pk in in_flight])
    _converge_in_batches(due.assignments(now))


@shared_task
def watch(assignment_ids: list[str]) -> None:
    """Sees how these operations are going; each that is done makes room, which is used at once."""
    for _ in convergence.watch([uuid.UUID(pk) for pk in assignment_ids], provisioner.current()):
        dispatch(clock.now())


@shared_task
def converge(assignment_ids: list[str]) -> None:
    """Brings each assignment as far as it will go."""
    for assignment_id in assignment_ids:
        try:
            convergence.converge(uuid.UUID(assignment_id), provisioner.current())
        except Exception:
            # The others of the batch must not wait for it; the sweep offers it again.
            log.exception("assignment_not_converged", assignment=assignment_id)


@shared_task
def start(request_id: str) -> None:
    """Starts an approved request whose time has come."""
    _converge_in_batches(due.start(uuid.UUID(request_id), provisioner.current()))


@shared_task
def scan() -> None:
    """Looks at a slice of what AWS holds, for what has drifted."""
    drift.scan(provisioner.current())


@shared_task
def notify() -> None:
    """Sends the messages that are due."""
    outbox.send_due(clock.now())


def send(task: "Task[..., Any]", *args: Any) -> None:
    """Sends a message; a broker that is away costs time only, so it is logged and the caller goes on."""
    try:
        task.delay(*args)
    except (OperationalError, ConnectionError) as error:
        log.warning("message_not_sent", task=task.name, error=str(error))


def send_after_commit(task: "Task[..., Any]", *args: Any) -> None:
    """Sends a message once the present transaction has been committed, if it is."""
    later: Callable[[], None] = lambda: send(task, *args)  # noqa: E731 - a name for the type
    transaction.on_commit(later)


def _converge_in_batches(assignment_ids: list[uuid.UUID]) -> None:
    """A few go to a worker each; many go in batches, for a message costs more than a claim."""
    ids = [str(pk) for pk in assignment_ids]
    size = BATCH if len(ids) > FEW else 1
    for first in range(0, len(ids), size):
        send(converge, ids[first : first + size])
