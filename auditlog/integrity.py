"""Verifies the record in the database: the chain, its head, its checkpoints, the history, and the rows of today."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from auditlog import chain, immutable, live_rows
from auditlog.models import ChainHead, Checkpoint, Event
from auditlog.vouching import Vouching

_BATCH: Final = 2000


@dataclass(frozen=True)
class Verification:
    """What a verification found, at `at`: how much is whole, and the first thing that is not, as a sentence.

    `number` is the first bad event when there is a problem with one, else the last good one. `history_rows` are
    those that events vouch for, `unvouched` those that none does, by what they are versions of, and `live_rows`
    those that were held against their newest history row.
    """

    at: datetime
    number: int
    checkpoints: int
    history_rows: int
    live_rows: int
    problem: str = ""
    unvouched: Mapping[str, int] = field(default_factory=dict)

    @property
    def unvouched_history_rows(self) -> int:
        """How many history rows no event vouches for."""
        return sum(self.unvouched.values())

    @property
    def unvouched_in_words(self) -> str:
        """As a reader counts them: "94 of assignments, 2 of roles"."""
        return ", ".join(f"{count} of {name}" for name, count in sorted(self.unvouched.items()))

    @property
    def whole(self) -> bool:
        return not self.problem


def verify(public_keys: Sequence[bytes]) -> Verification:
    """Verifies everything in bounded memory, without a lock; what comes meanwhile waits for the next time.

    `public_keys`: 32 bytes each; a checkpoint signed with any other key is a problem.
    """
    walk, seen = chain.Walk(), _Seen(Vouching())
    number, problem = None, ""
    try:
        if missing := immutable.missing_triggers():
            raise chain.Broken(0, f"The record is not protected: {missing[0]} is missing or altered.")
        head = ChainHead.objects.first()
        if head is None:
            raise chain.Broken(0, "The head of the chain is missing.")
        _follow(walk, head, {chain.key_id(key): key for key in public_keys}, seen)
        seen.live_rows, problem = live_rows.first_difference()
    except chain.Broken as broken:
        number, problem = broken.number, str(broken)
    return Verification(
        at=timezone.now(),
        number=walk.number if number is None else number,
        checkpoints=seen.checkpoints,
        history_rows=seen.vouching.vouched,
        live_rows=seen.live_rows,
        problem=problem,
        unvouched=seen.vouching.unvouched,
    )


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
    vouching: Vouching
    checkpoints: int = 0
    live_rows: int = 0


def _follow(walk: chain.Walk, head: ChainHead, keys: dict[str, bytes], seen: _Seen) -> None:
    checkpoints = Checkpoint.objects.order_by("number").filter(number__lte=head.number).iterator(_BATCH)
    checkpoint = next(checkpoints, None)
    for batch in walk_events(walk, head.number):
        while checkpoint is not None and checkpoint.number <= walk.number:
            _hold_against(checkpoint, batch, keys)
            seen.checkpoints += 1
            checkpoint = next(checkpoints, None)
        seen.vouching.check(batch)
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
