"""What the scheduler sends, and when, although nobody remembers anything between two of its starts."""

from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jitportal.celery import app

NINE = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


def first_due(schedule: Any, started: datetime) -> datetime:
    """When a scheduler that was started then first sends it."""
    schedule = copy(schedule)
    schedule.nowfun, schedule.app = (lambda: started), app
    remaining: timedelta = schedule.remaining_estimate(started)
    return started + remaining


@pytest.mark.parametrize(
    ("name", "every"),
    [("scan", timedelta(minutes=5)), ("inventory", timedelta(minutes=10)), ("checkpoint", timedelta(hours=1))],
)
def test_a_scheduler_that_is_started_every_minute_comes_to_what_is_rare(
    settings: Any, name: str, every: timedelta
) -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE[name]["schedule"]
    starts = [NINE + timedelta(seconds=1) + n * timedelta(minutes=1) for n in range(int(every / timedelta(minutes=1)))]
    assert {first_due(schedule, started) for started in starts} == {NINE + every}
