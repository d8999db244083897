"""One page of events, found by number: the thousandth page costs what the first does."""

from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from auditlog.models import Event

SIZE: Final = 50


@dataclass(frozen=True)
class Page:
    """Events, newest first. `older` and `newer` are the numbers to go on from, None where nothing follows."""

    events: list[Event]
    older: int | None
    newer: int | None


def page(matching: QuerySet[Event], *, before: int | None, after: int | None, size: int = SIZE) -> Page:
    """The events below the number `before`, or those just above `after`; the newest when neither is given."""
    if after is not None and before is None:
        rows = list(matching.filter(number__gt=after).order_by("number")[: size + 1])
        events = rows[:size][::-1]
        if not events:
            return Page([], older=after + 1, newer=None)
        return Page(events, older=events[-1].number, newer=events[0].number if len(rows) > size else None)
    older = matching if before is None else matching.filter(number__lt=before)
    rows = list(older.order_by("-number")[: size + 1])
    events = rows[:size]
    if not events:
        return Page([], older=None, newer=None if before is None else before - 1)
    newer = events[0].number if before is not None and matching.filter(number__gt=events[0].number).exists() else None
    return Page(events, older=events[-1].number if len(rows) > size else None, newer=newer)
