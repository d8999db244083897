"""Too many leave, at once or within a day: the sync changes nobody before an admin confirms it or it is over."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction

from auditlog import chain, clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.ledger import Subject, record
from auditlog.models import Event
from jitportal.models import DirectorySync, User

log = structlog.get_logger(__name__)

SYNC: Final = Actor.system("directory sync")
SUBJECT: Final = Subject("sync", "people")
# Fewer than this may always leave, however small the company is.
FEW: Final = 3
# Those who left by and by within this time count with those who leave now.
DAY: Final = timedelta(days=1)
# Without the directory for so long, pages say so.
SILENT: Final = timedelta(hours=1)
# Of a list's digest so much stands for it on a page and in a command.
_DIGITS: Final = 16
# A database takes no more values than some in one question.
_AT_ONCE: Final = 500


class NotThese(Exception):
    """Others are held by now than those whom somebody was shown. `count` is how many."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"The directory says something else by now: {spelled(count)} left. "
            "Nothing was confirmed; look who they are."
        )


@dataclass(frozen=True)
class Standing:
    """How the sync stands, for pages: how many are held, since when, and how many left the day before; since when the
    directory has not told, and why.

    `shown` stands for exactly those who are held: whoever confirms gives it back.
    """

    count: int
    before: int
    shown: str
    held_at: datetime | None
    confirmed: bool
    trouble: str
    told_at: datetime | None


def standing() -> Standing | None:
    """What somebody should look at, or None."""
    state = DirectorySync.objects.first()
    if state is None:
        return None
    last = state.finished_at
    silent = bool(state.trouble) and (last is None or last < clock.now() - SILENT)
    if not state.held and not silent:
        return None
    return Standing(
        count=len(state.held),
        before=len(_left_before()) if state.held else 0,
        shown=_digest(state.held),
        held_at=state.held_at,
        confirmed=bool(state.held) and set(state.held) <= set(state.confirmed),
        trouble=state.trouble if silent else "",
        told_at=last,
    )


def not_told_since(patience: timedelta) -> timedelta | None:
    """For how long the directory has not told all, if that is longer than `patience`; since ever is `timedelta.max`."""
    state = DirectorySync.objects.exclude(trouble="").first()
    if state is None:
        return None
    lasts = clock.now() - state.finished_at if state.finished_at else timedelta.max
    return lasts if lasts > patience else None


def people() -> list[User]:
    """All who are held, by name."""
    state = DirectorySync.objects.first()
    held = state.held if state else []
    parts = [held[start : start + _AT_ONCE] for start in range(0, len(held), _AT_ONCE)]
    return sorted(
        (user for part in parts for user in User.objects.filter(object_id__in=part)), key=lambda user: user.name
    )


def holds(leaving: Collection[str]) -> bool:
    """Whether so many may not leave unconfirmed; records it when that begins, changes or is over."""
    before = _left_before()
    known = User.objects.filter(is_active=True, local_until=None).count() + len(before)
    with transaction.atomic():
        state = DirectorySync.objects.select_for_update().get()
        unconfirmed = set(leaving) - set(state.confirmed)
        count = len(unconfirmed | before)
        too_many = bool(unconfirmed) and count >= FEW and count * 100 > settings.SYNC_MOST_LEAVERS * known
        if too_many:
            log.error("too_many_leavers", leaving=len(leaving), before=len(before), known=known)
            if set(state.held) != set(leaving):
                held = sorted(leaving)
                DirectorySync.objects.update(held=held, held_at=clock.now(), confirmed=[])
                data: dict[str, JSON] = {"count": len(held), "known": known, "people": [*held]}
                record(SYNC, Action.SYNC_HELD, SUBJECT, data | ({"before": len(before)} if before else {}))
        elif state.held:
            still = not set(state.held).isdisjoint(leaving)
            reason = "fewer have left within a day" if still else "it no longer says so"
            if state.confirmed:
                reason = "an admin has confirmed it"
            DirectorySync.objects.update(held=[], held_at=None)
            record(SYNC, Action.SYNC_RELEASED, SUBJECT, {"reason": reason})
    return too_many


@transaction.atomic
def confirm(actor: Actor, reason: str, shown: str) -> int:
    """An admin says that those who are held have left indeed; how many there are. The next sync goes on with them.

    `shown` stands for those of whom they say it. Raises NotThese if others are held by now.
    """
    state = DirectorySync.objects.select_for_update().filter(pk=1).first()
    if state is None or not state.held:
        return 0
    if shown != _digest(state.held):
        raise NotThese(len(state.held))
    DirectorySync.objects.update(confirmed=state.held)
    data = {"count": len(state.held), "people": state.held, "reason": reason}
    record(actor, Action.SYNC_CONFIRMED, SUBJECT, data)
    return len(state.held)


def spelled(count: int) -> str:
    """How many have left, as the beginning of a sentence has it: "1 person has", "3 people have"."""
    return "1 person has" if count == 1 else f"{count} people have"


def _left_before() -> set[str]:
    """Object ids of those who left within a day without an admin's having confirmed it."""
    since = clock.now() - DAY
    left = set(User.objects.filter(is_active=False, left_at__gt=since).values_list("object_id", flat=True))
    # Whoever is confirmed leaves a while after.
    told = Event.objects.filter(subject_kind=SUBJECT.kind, action=Action.SYNC_CONFIRMED, at__gt=since - DAY)
    return left - {each for event in told for each in event.data["people"]}


def _digest(held: Collection[str]) -> str:
    return chain.sha256(chain.canonical(sorted(held)))[:_DIGITS]
