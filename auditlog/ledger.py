"""Appends events to the ledger; `record` is its only writer."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.db import connection
from django.db.transaction import TransactionManagementError

from auditlog import actions, chain, clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.models import ChainHead, Event

NOTHING: Final[Mapping[str, JSON]] = MappingProxyType({})


@dataclass(frozen=True)
class Subject:
    """What an event speaks of, such as Subject("request", "6b0c…"); the kind is a word of the product."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


def record(actor: Actor, action: Action, subject: Subject, data: Mapping[str, JSON] = NOTHING) -> Event:
    """Appends one event, as the last statement of the transaction that changes what it tells of.

    From here to the end of the transaction every other writer waits, so nothing slow may follow.
    Raises TransactionManagementError outside `transaction.atomic()`, TypeError or ValueError for data that
    JSON cannot say: an event that cannot be written undoes the change it was to prove.
    """
    head = _locked_head()
    at = clock.now()
    event = Event(
        number=head.number + 1,
        at=at,
        actor=str(actor),
        actor_name=actor.name,
        action=str(action),
        subject_kind=subject.kind,
        subject_id=subject.id,
        previous_hash=head.hash,
    )
    event.canonical = chain.event_text(
        number=event.number,
        at=chain.stamp(at),
        actor=event.actor,
        actor_name=event.actor_name,
        action=event.action,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        previous=event.previous_hash,
        sentence=actions.sentence(event.action, event.actor_name, data),
        data=dict(data),
    )
    event.hash = chain.sha256(event.canonical)
    event.save(force_insert=True)
    # The condition does on SQLite, which knows no row locks, what the lock does on PostgreSQL.
    moved = ChainHead.objects.filter(number=head.number, hash=head.hash).update(number=event.number, hash=event.hash)
    if moved != 1:
        raise TransactionManagementError("Another event was appended at the same moment; nothing was recorded.")
    return event


def next_number() -> int:
    """The number that the next event of this transaction will have; from here on every other writer waits."""
    return _locked_head().number + 1


def _locked_head() -> ChainHead:
    if not connection.in_atomic_block:
        raise TransactionManagementError("An event is recorded inside the transaction of its change.")
    return ChainHead.objects.select_for_update().get()
