"""Reads on-call schedules from the database, and says in words who is on call by them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from catalog.membership import Membership
from catalog.models import DirectoryGroup, OnCallCover, OnCallPerson, OnCallSchedule
from catalog.on_call import Cover, OnCall, Schedule, next_change, on_call
from catalog.policy import spell
from catalog.zones import zones


def schedules(ids: Iterable[int]) -> dict[int, Schedule]:
    """The schedules with these ids, by id; three queries, or none."""
    wanted = set(ids)
    if not wanted:
        return {}
    people = OnCallPerson.objects.filter(schedule__in=wanted).order_by("position")
    covers = OnCallCover.objects.filter(schedule__in=wanted).order_by("starts_at", "pk")
    return put_together(OnCallSchedule.objects.filter(pk__in=wanted), people, covers)


def put_together(rows: Iterable[Any], people: Iterable[Any], covers: Iterable[Any]) -> dict[int, Schedule]:
    """Schedules from their rows, of today or versions that history kept; `people` in the order of their turns."""
    turns: dict[int, list[int]] = {}
    for each in people:
        turns.setdefault(each.schedule_id, []).append(each.person_id)
    stood_in: dict[int, list[Cover]] = {}
    for each in covers:
        stood_in.setdefault(each.schedule_id, []).append(Cover(each.person_id, each.starts_at, each.ends_at))
    return {
        row.id: Schedule(
            id=row.id,
            name=row.name,
            zone=row.zone,
            first_handover=row.first_handover,
            turn=row.turn,
            people=tuple(turns.get(row.id, ())),
            covers=tuple(stood_in.get(row.id, ())),
        )
        for row in rows
    }


def sources(rows: Iterable[Any]) -> dict[int, OnCall]:
    """What says who is on call for the policies of these rows, by the policy's id; a fixed number of queries."""
    naming = [row for row in rows if row.on_call_group_id or row.on_call_schedule_id]
    if not naming:
        return {}
    groups = DirectoryGroup.objects.in_bulk({row.on_call_group_id for row in naming if row.on_call_group_id})
    read = schedules(row.on_call_schedule_id for row in naming if row.on_call_schedule_id)
    found = {row.pk: source(row, groups, read) for row in naming}
    return {pk: each for pk, each in found.items() if each}


def source(row: Any, groups: Mapping[int, Any], read: Mapping[int, Schedule]) -> OnCall | None:
    """What says who is on call for the policy of this row, of today or a version of it; None if nothing does."""
    if schedule := read.get(row.on_call_schedule_id):
        return OnCall(schedule.name, schedule=schedule)
    if group := groups.get(row.on_call_group_id):
        return OnCall(group.name, group_id=group.object_id)
    return None


def told(schedule: Schedule, at: datetime, membership: Membership) -> str:
    """Who is on call at a moment and who will be next: "Ada until 2026-11-23 09:00, then Ben (UTC)"."""
    present = _name(on_call(schedule, at), membership)
    change = next_change(schedule, at)
    if change is None:
        return present
    moment, follows = change
    return f"{present} until {_local(schedule, moment)}, then {_name(follows, membership)} ({schedule.zone})"


def turns_told(schedule: Schedule, membership: Membership) -> str:
    """All who take turns, in their order: "Turns of 7 days from 2026-11-16 09:00 on (UTC): Ada (ada@…), then Ben …"."""
    people = ", then ".join(_certainly(pk, membership) for pk in schedule.people) or "nobody"
    begin = f"{_local(schedule, schedule.first_handover)} on ({schedule.zone})"
    return f"Turns of {spell(schedule.turn)} from {begin}: {people}"


def covers_told(schedule: Schedule, at: datetime, membership: Membership) -> str:
    """The covers that are not over: "covers: Ben (ben@…) from 2026-11-23 09:00 until 2026-11-24 09:00"; or ""."""
    left = [
        f"{_certainly(cover.user_id, membership)} from {_local(schedule, cover.starts_at)}"
        f" until {_local(schedule, cover.ends_at)}"
        for cover in schedule.covers
        if cover.ends_at > at
    ]
    return f"covers: {', '.join(left)}" if left else ""


def _local(schedule: Schedule, moment: datetime) -> str:
    at = moment.astimezone(ZoneInfo(schedule.zone)) if schedule.zone in zones() else moment
    return f"{at:%Y-%m-%d %H:%M}"


def _certainly(user_id: int, membership: Membership) -> str:
    """With the user name: another may have the same name."""
    person = membership.person(user_id)
    return f"{_name(user_id, membership)} ({person.user_name})" if person else "nobody"


def _name(user_id: int | None, membership: Membership) -> str:
    """Whoever has left is not on call; their turn is nobody's."""
    person = membership.person(user_id) if user_id is not None else None
    if person is None:
        return "nobody"
    return person.name if person.is_active else f"nobody ({person.name} has left)"
