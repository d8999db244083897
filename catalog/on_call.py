"""Who is on call at a moment, by a schedule: people take turns of one length, and covers stand in for whoever has one.

Turns are handed over at the same time of day where the schedule is at home, whatever summer time does to its clocks.
A turn of somebody who has left is nobody's: the turns of the others do not move.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from catalog.people import Person
from catalog.zones import zones


@dataclass(frozen=True)
class Cover:
    """Somebody who is on call from one moment until another, whoever's turn it is."""

    user_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Schedule:
    """Turns of `people`, by their keys and in this order, the first from `first_handover` on; moments are aware."""

    id: int
    name: str
    zone: str
    first_handover: datetime
    turn: timedelta
    people: tuple[int, ...]
    covers: tuple[Cover, ...] = ()


@dataclass(frozen=True)
class OnCall:
    """What says who is on call: a directory group, whose members all are, or a schedule."""

    name: str
    group_id: str = ""
    schedule: Schedule | None = None

    @property
    def key(self) -> str:
        """What identifies it, as requests keep it."""
        return f"schedule:{self.schedule.id}" if self.schedule else f"group:{self.group_id}"

    def has(self, person: Person, at: datetime) -> bool:
        """Whether this person is on call; of a group, whose members are known as they are now, only now."""
        return (
            on_call(self.schedule, at) == person.user_id if self.schedule else self.group_id in person.groups
        ) and person.is_active


def on_call(schedule: Schedule, at: datetime) -> int | None:
    """The key of who is on call at this moment; None before the first handover, and of a schedule without people.

    Of covers at the same time, that which began last counts.
    """
    covers = [cover for cover in schedule.covers if cover.starts_at <= at < cover.ends_at]
    if covers:
        return max(covers, key=lambda cover: (cover.starts_at, cover.user_id)).user_id
    number = _turn(schedule, at)
    return None if number is None else schedule.people[number % len(schedule.people)]


def next_change(schedule: Schedule, at: datetime) -> tuple[datetime, int | None] | None:
    """When somebody else will be on call, and who; None if that will never be."""
    present = on_call(schedule, at)
    for moment in sorted(_edges(schedule, at)):
        if (follows := on_call(schedule, moment)) != present:
            return moment, follows
    return None


def handover(schedule: Schedule, number: int) -> datetime:
    """The moment, in UTC, at which the turn of this number begins; the first turn is number 0.

    Raises:
        KeyError: its time zone is not known.
    """
    home = ZoneInfo(schedule.zone)
    local = schedule.first_handover.astimezone(home).replace(tzinfo=None) + number * schedule.turn
    # A time that clocks show twice is the first of the two; one that they leave out is as long after the leap.
    return local.replace(tzinfo=home).astimezone(UTC)


def _turn(schedule: Schedule, at: datetime) -> int | None:
    if not schedule.people or schedule.turn <= timedelta(0) or schedule.zone not in zones():
        return None
    if at < schedule.first_handover:
        return None
    # Off by one where clocks have been put forward or back since.
    number = (at - schedule.first_handover) // schedule.turn
    while handover(schedule, number + 1) <= at:
        number += 1
    while number and handover(schedule, number) > at:
        number -= 1
    return number


def _edges(schedule: Schedule, at: datetime) -> Iterator[datetime]:
    """The moments after this one at which somebody else may be on call; of turns as many as lead round once."""
    edges = [edge for cover in schedule.covers for edge in (cover.starts_at, cover.ends_at) if edge > at]
    yield from edges
    if at < schedule.first_handover:
        yield schedule.first_handover
    for since in (at, *edges):
        if (number := _turn(schedule, since)) is not None:
            yield from (handover(schedule, number + ahead) for ahead in range(1, len(schedule.people) + 1))
