"""Celery's doors to the work: ids in, one call out. A lost message costs a second, the sweep finds what is due."""

import uuid
from collections.abc import Callable
from typing import Any, Final

import structlog
from celery import Task, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from accessrequests import convergence, due, provisioner
from accessrequests.notifications import outbox
from auditlog import clock

log = structlog.get_logger(__name__)

BATCH: Final = 5


@shared_task
def sweep() -> None:
    """Finds all that is due in the database and hands it out; ends come first."""
    now = clock.now()
    ended = due.end_grants(now)
    ready = dict.fromkeys([*ended, *due.assignments(now)])
    _converge_in_batches(list(ready))
    for request_id in due.starting(now):
        send(start, str(request_id))
    due.lapse_requests(now)
    if late := due.overdue(now):
        log.error("access_overdue", grants=late)
    send(notify)


@shared_task
def converge(assignment_ids: list[str]) -> None:
    """Brings each assignment as far as it will go."""
    for assignment_id in assignment_ids:
        convergence.converge(uuid.UUID(assignment_id), provisioner.current())


@shared_task
def start(request_id: str) -> None:
    """Starts an approved request whose time has come."""
    _converge_in_batches(due.start(uuid.UUID(request_id), provisioner.current()))


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
    ids = [str(pk) for pk in assignment_ids]
    for first in range(0, len(ids), BATCH):
        send(converge, ids[first : first + BATCH])
