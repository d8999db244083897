"""Verifies the record in the database: the chain, its head, its checkpoints, the history it vouches for."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.utils import timezone

from auditlog import chain, history, immutable
from auditlog.models import ChainHead, Checkpoint, Event

_BATCH: Final = 2000


@dataclass(frozen=True)
class Verification:
    """What a verification found, at `at`: how much is whole, and the first thing that is not, as a sentence.

    `number` is the first bad event when there is a problem with one, else the last good one.
    """

    at: datetime
    number: int
    checkpoints: int
    history_rows: int
    problem: str = ""

    @property
    def whole(self) -> bool:
        return not self.problem


def verify(public_keys: Sequence[bytes]) -> Verification:
    """Verifies everything in bounded memory, without a lock; what comes meanwhile waits for the next time.

    `public_keys`: 32 bytes each; a checkpoint signed with any other key is a problem.
    """
    walk, seen = chain.Walk(), _Seen()
    try:
        if missing := immutable.missing_triggers():
            raise chain.Broken(0, f"The record is not protected: {missing[0]} is missing or altered.")
        head = ChainHead.objects.first()
        if head is None:
            raise chain.Broken(0, "The head of the chain is missing.")
        _follow(walk, head, {chain.key_id(key): key for key in public_keys}, seen)
    except chain.Broken as broken:
        return Verification(timezone.now(), broken.number, seen.checkpoints, seen.history_rows, str(broken))
    return Verification(timezone.now(), walk.number, seen.checkpoints, seen.history_rows)


def walk_events(walk: chain.Walk, up_to: int) -> Iterator[list[dict[str, Any]]]:
    """Follows the database's events from where the walk stands, by the batch; raises chain.Broken."""
    while walk.number < up_to:
        rows = Event.objects.filter(number__gt=walk.number, number__lte=up_to).order_by("number")[:_BATCH]
        batch = [walk.step(event.canonical, event.hash, event.shown) for event in rows]
        if not batch:
            raise chain.Broken(walk.number + 1, f"The events from {walk.number + 1} to {up_to} are missing.")
        yield batch


@dataclass
class _Seen:
    checkpoints: int = 0
    history_rows: int = 0


def _follow(walk: chain.Walk, head: ChainHead, keys: dict[str, bytes], seen: _Seen) -> None:
    checkpoints = Checkpoint.objects.order_by("number").filter(number__lte=head.number).iterator(_BATCH)
    checkpoint = next(checkpoints, None)
    for batch in walk_events(walk, head.number):
        while checkpoint is not None and checkpoint.number <= walk.number:
            _hold_against(checkpoint, batch, keys)
            seen.checkpoints += 1
            checkpoint = next(checkpoints, None)
        seen.history_rows += _vouched_for(batch)
    if walk.hash != head.hash:
        raise chain.Broken(head.number, f"The head of the chain does not say what event {head.number} says.")
    # In this order: event and head move together, so a head read later is never behind an earlier event.
    last = Event.objects.first()
    if last is not None and last.number > ChainHead.objects.get().number:
        raise chain.Broken(head.number + 1, f"There are events after the head of the chain, at {head.number}.")
    beyond = Checkpoint.objects.first()
    if beyond is not None and beyond.number > ChainHead.objects.get().number:
        beyond.stated.refuse_forgery(keys)
        raise chain.Broken(
            head.number + 1, f"A checkpoint was signed at {beyond.number}; the events to it are missing."
        )


def _hold_against(checkpoint: Checkpoint, batch: list[dict[str, Any]], keys: dict[str, bytes]) -> None:
    stated = checkpoint.stated
    stated.refuse_forgery(keys)
    # The batch is gapless by now, so the place of a number in it is known.
    record = batch[checkpoint.number - batch[0]["number"]]
    if chain.sha256(chain.canonical(record)) != checkpoint.hash:
        raise chain.Broken(checkpoint.number, f"Event {checkpoint.number} is not the one that its checkpoint signed.")


def _vouched_for(batch: list[dict[str, Any]]) -> int:
    """How many history rows the events name, each of which is as it was; Broken at the first that is not."""
    named: dict[str, dict[int, tuple[int, str]]] = defaultdict(dict)
    for record in batch:
        for entry in record["data"].get("history") or ():
            try:
                named[entry["model"]][int(entry["history_id"])] = (record["number"], entry["sha256"])
            except (KeyError, TypeError, ValueError):
                number = record["number"]
                raise chain.Broken(number, f"Event {number} vouches for history in a way nobody reads.") from None
    for label, entries in named.items():
        try:
            model = apps.get_model(label)
        except LookupError:
            raise chain.Broken(min(entries.values())[0], f"There is no history table {label} any more.") from None
        rows = model._default_manager.in_bulk(list(entries))
        for key, (number, digest) in entries.items():
            row = rows.get(key)
            if row is None:
                raise chain.Broken(number, f"Event {number} vouches for row {key} of {label}, which is missing.")
            if history.digest(row) != digest:
                raise chain.Broken(number, f"Event {number} vouches for row {key} of {label}, which was altered.")
    return sum(len(entries) for entries in named.values())
