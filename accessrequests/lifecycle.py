"""The only writer of a status: locks, checks the move is legal, saves, and records it, all in one transaction."""

from datetime import timedelta
from typing import Any

from django.db import models, transaction

from accessrequests.models import AccessRequest, Grant
from accessrequests.states import GRANT_MOVES, REQUEST_MOVES, GrantStatus, RequestStatus
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.history import attribute, latest_digest
from auditlog.ledger import Subject, record


class IllegalTransition(Exception):
    """The row is not in a state from which it may go there; nothing was changed."""

    def __init__(self, row: models.Model, status: str, to: str) -> None:
        super().__init__(f"{row._meta.verbose_name} {row.pk} is {status} and cannot become {to}")
        self.status = status
        self.to = to


def begin(row: AccessRequest | Grant, *, actor: Actor, action: Action, data: dict[str, Any]) -> None:
    """Saves a new row in its first state and records it.

    Raises:
        IllegalTransition: the row is not in the first state of its machine.
    """
    first = RequestStatus.PENDING if isinstance(row, AccessRequest) else GrantStatus.WAITING
    if row.status != first:
        raise IllegalTransition(row, "new", row.status)
    with transaction.atomic():
        attribute(row, actor)
        row.save(force_insert=True)
        record(actor, action, _subject(row), {**_described(row), **data, "history": [latest_digest(row)]})


def transition(row: AccessRequest | Grant, to: str, *, actor: Actor, reason: str = "", **changes: Any) -> None:
    """Moves a row to a state, with the changes that go with it, and brings the given instance up to date.

    Args:
        row: the request or grant; what the database holds counts, not what the instance holds.
        to: the state to reach.
        actor: who moves it.
        reason: why, in words, for the ledger and the history.
        changes: other columns to set with the status.

    Raises:
        IllegalTransition: its state in the database does not lead there.
    """
    moves = REQUEST_MOVES if isinstance(row, AccessRequest) else GRANT_MOVES
    with transaction.atomic():
        status = type(row)._default_manager.select_for_update().values_list("status", flat=True).get(pk=row.pk)
        if to not in moves[status]:
            raise IllegalTransition(row, status, to)
        row.refresh_from_db()
        row.status = to
        for column, value in changes.items():
            setattr(row, column, value)
        attribute(row, actor, reason)
        row.save()
        kind = "request" if isinstance(row, AccessRequest) else "grant"
        data = {**_described(row), **{name: _plain(value) for name, value in changes.items()}}
        record(
            actor, Action(f"{kind}.{to}"), _subject(row), {**data, "reason": reason, "history": [latest_digest(row)]}
        )


def _subject(row: AccessRequest | Grant) -> Subject:
    return Subject("request", str(row.pk if isinstance(row, AccessRequest) else row.request_id))


def _described(row: AccessRequest | Grant) -> dict[str, Any]:
    """What the row is about, in text: events outlive the rows that they speak of."""
    if isinstance(row, Grant):
        return {"grant": str(row.pk), "account": str(row.account), "assignment": str(row.assignment_id)}
    return {"role": row.role.name, "environment": row.environment.name, "requester": row.requester.name}


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
