"""Celery's doors to the work: ids in, one call out. A lost message costs a second, the sweep finds what is due."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from celery import Task, shared_task
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

from accessrequests import convergence, drift, due, escalation, health, listening, overdue, provisioner, queue
from accessrequests.notifications import outbox
from accessrequests.provisioner import Report
from auditlog import clock

log = structlog.get_logger(__name__)

# Beat sends a sweep each second; each looks ahead to the next, and hands out what falls due until then at its moment.
TICK: Final = timedelta(seconds=1)
GLANCE: Final = timedelta(milliseconds=100)
AT_ONCE: Final = 20
NAP: Final = 0.005
# Seconds for which what AWS has done is left unrecorded when its place is taken: the two would compete for processors.
AFTER_YOU: Final = 0.1
SWEEPING: Final = "sweeping"


@shared_task
def sweep() -> None:
    """Finds all that is due in the database, and what will be before the next sweep; ends come first."""
    if not cache.add(SWEEPING, "", timeout=3):
        return
    try:
        end = time.monotonic() + TICK.total_seconds()
        _hand_out(clock.now())
        _once_a_tick()
        while True:
            now = clock.now()
            busy = _hand_out(now)
            left = end - time.monotonic()
            if left <= 0:
                return
            if not busy:
                wait = (due.next_moment(now, now + GLANCE) - clock.now()).total_seconds()
                time.sleep(max(NAP, min(wait, left)))
    finally:
        cache.delete(SWEEPING)


def _hand_out(now: datetime) -> bool:
    """Hands out what is due now; whether there may be more of it."""
    ended = 0
    for _ in due.end_grants(now, AT_ONCE):
        # A burst of ends takes a while: what AWS has done meanwhile makes room for the next.
        dispatch(clock.now())
        ended += 1
    dispatch(clock.now())
    for request_id in due.starting(now):
        send(start, str(request_id))
    return ended == AT_ONCE


def _once_a_tick() -> None:
    now = clock.now()
    due.lapse_requests(now)
    escalation.escalate(now)
    due.end_grants_of_inactive(now)
    if late := overdue.count(now):
        log.error("access_overdue", grants=late.grants, assignments=late.assignments)
    health.note_skew(now)
    for name in listening.to_ask(now):
        send(answer, name, queue=name, expires=60)
    if outbox.is_due(now):
        send(notify)


def dispatch(now: datetime) -> bool:
    """Hands out what is due, deletions first, as far as AWS has room for it, and the operations to ask about.

    Whether AWS is given something to do.
    """
    unwanted = queue.unwanted(now)
    for pk in unwanted:
        send(remove, str(pk))
    if in_flight := queue.operations(now):
        send(watch, [str(pk) for pk in in_flight])
    wanted = queue.wanted(now)
    for pk in wanted:
        send(converge, str(pk))
    return bool(unwanted or wanted)


@shared_task
def watch(assignment_ids: list[str]) -> None:
    """Sees how these operations are going; those that are over make room, which is used before they are seen to."""
    chosen = [uuid.UUID(pk) for pk in assignment_ids]
    heard = convergence.ask(chosen, provisioner.current())
    if dispatch(clock.now()):
        time.sleep(AFTER_YOU)
    _converge(heard.assignments, heard.reports)
    dispatch(clock.now())


@shared_task
def remove(assignment_id: str) -> None:
    """Brings an assignment that no grant wants any more as far as it will go; other work never stands before it."""
    _converge([uuid.UUID(assignment_id)], convergence.NOTHING_HEARD)


@shared_task
def converge(assignment_id: str) -> None:
    """Brings an assignment as far as it will go."""
    _converge([uuid.UUID(assignment_id)], convergence.NOTHING_HEARD)


@shared_task
def start(request_id: str) -> None:
    """Starts an approved request whose time has come."""
    if due.start(uuid.UUID(request_id), provisioner.current()):
        dispatch(clock.now())


@shared_task
def scan() -> None:
    """Looks at a slice of what AWS holds, for what has drifted."""
    drift.scan(provisioner.current())


@shared_task
def notify() -> None:
    """Sends the messages that are due."""
    outbox.send_due(clock.now())


@shared_task
def answer(queue: str) -> None:
    """Says that somebody works on the queue through which this came."""
    listening.answered(queue)


def send(task: "Task[..., Any]", *args: Any, **options: Any) -> None:
    """Sends a message; one that is lost costs time only, so it is logged and the caller goes on.

    `options` are Celery's, such as another queue than the task's own.
    """
    try:
        task.apply_async(args, **options)
    except (OperationalError, ConnectionError) as error:
        log.warning("message_not_sent", task=task.name, error=str(error))
    except Exception:
        # A client whose connection another thread closes breaks in ways that kombu has no name for; what the caller
        # has done is committed, and must be answered as done.
        log.exception("message_not_sent", task=task.name)


def send_after_commit(task: "Task[..., Any]", *args: Any) -> None:
    """Sends a message once the present transaction has been committed, if it is."""
    later: Callable[[], None] = lambda: send(task, *args)  # noqa: E731 - a name for the type
    transaction.on_commit(later)


def _converge(assignment_ids: Sequence[uuid.UUID], heard: Mapping[str, Report]) -> None:
    for assignment_id in assignment_ids:
        try:
            convergence.converge(assignment_id, provisioner.current(), heard)
        except Exception:
            # The others must not wait for it; the sweep offers it again.
            log.exception("assignment_not_converged", assignment=str(assignment_id))
