"""What is amiss with who is on call: schedules and groups by which nobody is, though policies count on it."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q

from auditlog import clock
from catalog.models import AccessPolicy, DirectoryGroup, OnCallCover, OnCallPerson, OnCallSchedule
from catalog.zones import zones


def of_schedules(using: str, only: AccessPolicy | None) -> Iterator[tuple[int, OnCallSchedule, str]]:
    """What is amiss with all schedules, or with that of one policy: (number, schedule, sentence) each."""
    rows = OnCallSchedule.objects.using(using).order_by("name")
    if only is not None:
        rows = rows.filter(policies=only)
    if not rows:
        return
    people = list(OnCallPerson.objects.using(using).select_related("person").order_by("position"))
    to_come = OnCallCover.objects.using(using).filter(ends_at__gt=clock.now(), person__is_active=False)
    covers = list(to_come.select_related("person"))
    for schedule in rows:
        turns = [row.person for row in people if row.schedule_id == schedule.pk]
        if not turns:
            yield 41, schedule, f"Nobody takes turns by the schedule {schedule}: add somebody, or nobody is on call."
        if schedule.zone not in zones():
            yield 44, schedule, f"The time zone {schedule.zone} of the schedule {schedule} is not known: give another."
        for name in sorted({str(person) for person in turns if not person.is_active}):
            yield 42, schedule, f"{name} has left and still takes turns by the schedule {schedule}: those are nobody's."
        for name in sorted({str(row.person) for row in covers if row.schedule_id == schedule.pk}):
            yield 42, schedule, f"{name} has left and still has a cover in the schedule {schedule}: it is nobody's."


def of_groups(using: str, only: AccessPolicy | None) -> Iterator[tuple[int, AccessPolicy, str]]:
    """The policies in force, or the one, whose on-call group has nobody in it; one query."""
    peopled = DirectoryGroup.objects.using(using).filter(Q(people__is_active=True), pk=OuterRef("on_call_group"))
    rows: Any = AccessPolicy.objects.using(using).filter(is_in_force=True, on_call_group__isnull=False)
    if only is not None:
        rows = rows.filter(pk=only.pk)
    for policy in rows.filter(~Exists(peopled)).select_related("on_call_group").order_by("name"):
        reason = f"Nobody whom the portal knows is in {policy.on_call_group}, by which “{policy}” sees who is on call"
        yield 43, policy, f"{reason}: nobody is approved at once."
