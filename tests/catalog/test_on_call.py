"""Who is on call follows from turns, handed over at one local time all year, and from covers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.on_call import Cover, OnCall, Schedule, handover, next_change, on_call
from tests.catalog.judging import PERSON

BERLIN = ZoneInfo("Europe/Berlin")
ADA, BEN, CHIARA = 1, 2, 3
# A Monday; the clocks of Berlin are put forward on 29 March 2026 and back on 25 October.
FIRST = datetime(2026, 3, 2, 9, 0, tzinfo=BERLIN)
WEEKS = Schedule(1, "Payments on call", "Europe/Berlin", FIRST, timedelta(days=7), (ADA, BEN, CHIARA))


def at(month: int, day: int, hour: int = 12, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        (at(3, 2, 8, 59, 59), None),
        (at(3, 2, 9), ADA),
        (at(3, 9, 8, 59, 59), ADA),
        (at(3, 9, 9), BEN),
        (at(3, 16, 9), CHIARA),
        (at(3, 23, 9), ADA),
        # In summer time, by the clocks of Berlin as before.
        (at(3, 30, 8, 59, 59), ADA),
        (at(3, 30, 9), BEN),
        (at(10, 19, 9), ADA),
        (at(10, 26, 8, 59, 59), ADA),
        (at(10, 26, 9), BEN),
    ],
)
def test_turns_follow_one_another_at_the_same_local_time(moment: datetime, who: int | None) -> None:
    assert on_call(WEEKS, moment) == who
    assert on_call(WEEKS, moment.astimezone(UTC)) == who


def test_a_cover_is_on_call_instead_of_whoever_has_the_turn() -> None:
    covered = replace(WEEKS, covers=(Cover(CHIARA, at(3, 4), at(3, 5)),))
    assert [on_call(covered, moment) for moment in (at(3, 4, 11, 59, 59), at(3, 4), at(3, 5, 11, 59), at(3, 5))] == [
        ADA,
        CHIARA,
        CHIARA,
        ADA,
    ]


def test_a_cover_counts_before_the_first_turn_too() -> None:
    assert on_call(replace(WEEKS, covers=(Cover(BEN, at(3, 1), at(3, 2)),)), at(3, 1, 18)) == BEN


def test_of_two_covers_at_a_time_the_later_one_counts() -> None:
    covered = replace(WEEKS, covers=(Cover(CHIARA, at(3, 4), at(3, 8)), Cover(BEN, at(3, 5), at(3, 6))))
    assert [on_call(covered, at(3, day, 18)) for day in (4, 5, 6)] == [CHIARA, BEN, CHIARA]


@pytest.mark.parametrize("broken", [{"people": ()}, {"zone": "Mars/Olympus"}, {"turn": timedelta(0)}])
def test_of_a_schedule_that_cannot_be_worked_out_nobody_is_on_call(broken: dict[str, object]) -> None:
    schedule = replace(WEEKS, **broken)  # type: ignore[arg-type]
    assert on_call(schedule, at(3, 4)) is None
    assert next_change(schedule, at(3, 4)) is None


def test_the_next_change_is_the_next_handover_to_somebody_else() -> None:
    assert next_change(WEEKS, at(3, 4)) == (at(3, 9, 9), BEN)
    assert next_change(WEEKS, at(3, 1)) == (at(3, 2, 9), ADA)
    twice = replace(WEEKS, people=(ADA, ADA, BEN))
    assert next_change(twice, at(3, 4)) == (at(3, 16, 9), BEN)
    assert next_change(replace(WEEKS, people=(ADA,)), at(3, 4)) is None


def test_the_next_change_may_be_a_cover_or_its_end() -> None:
    covered = replace(WEEKS, covers=(Cover(CHIARA, at(3, 5), at(3, 6)),))
    assert next_change(covered, at(3, 4)) == (at(3, 5), CHIARA)
    assert next_change(covered, at(3, 5, 18)) == (at(3, 6), ADA)


def test_a_cover_by_whoever_would_be_next_hides_the_handover() -> None:
    covered = replace(WEEKS, covers=(Cover(BEN, at(3, 8), at(3, 12)),))
    assert next_change(covered, at(3, 9, 18)) == (at(3, 16, 9), CHIARA)


def test_who_has_left_is_not_on_call() -> None:
    source = OnCall(WEEKS.name, schedule=WEEKS)
    assert source.has(replace(PERSON, user_id=ADA), at(3, 4))
    assert not source.has(replace(PERSON, user_id=BEN), at(3, 4))
    assert not source.has(replace(PERSON, user_id=ADA, is_active=False), at(3, 4))


def test_all_members_of_an_on_call_group_are_on_call() -> None:
    source = OnCall("Rota", group_id="rota")
    assert source.has(replace(PERSON, groups=frozenset({"rota"})), at(3, 4))
    assert not source.has(PERSON, at(3, 4))
    assert not source.has(replace(PERSON, groups=frozenset({"rota"}), is_active=False), at(3, 4))


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
schedules = st.builds(
    lambda zone, first, hours, people: Schedule(
        1, "Any", zone, first.replace(tzinfo=ZoneInfo(zone)), timedelta(hours=hours), tuple(people)
    ),
    zones,
    st.integers(0, 365 * 24 * 60).map(lambda minutes: FIRST.replace(tzinfo=None) + timedelta(minutes=minutes)),
    st.integers(1, 24 * 14),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
)


@given(schedules, st.timedeltas(timedelta(0), timedelta(days=200)))
def test_somebody_is_on_call_from_one_handover_until_the_next(schedule: Schedule, since: timedelta) -> None:
    moment = schedule.first_handover.astimezone(UTC) + since
    # Walked through from the first turn on, and not counted.
    number = 0
    while handover(schedule, number + 1) <= moment:
        number += 1
    assert on_call(schedule, moment) == schedule.people[number % len(schedule.people)]


@given(schedules, st.integers(0, 300))
def test_every_handover_is_at_a_time_of_day_that_the_turn_leads_to(schedule: Schedule, number: int) -> None:
    home = ZoneInfo(schedule.zone)
    first = schedule.first_handover.astimezone(home).replace(tzinfo=None)
    told = handover(schedule, number).astimezone(home).replace(tzinfo=None)
    # But for a time that the clocks leave out, by as much as they are put forward.
    assert told - (first + number * schedule.turn) in {timedelta(0), timedelta(minutes=30), timedelta(hours=1)}
    assert handover(schedule, number) <= handover(schedule, number + 1)


@given(schedules, st.timedeltas(timedelta(days=-3), timedelta(days=100)))
def test_until_the_next_change_nobody_else_is_on_call(schedule: Schedule, since: timedelta) -> None:
    moment = schedule.first_handover.astimezone(UTC) + since
    change = next_change(schedule, moment)
    if change is None:
        assert len(set(schedule.people)) == 1
        return
    then, who = change
    assert then > moment
    present = on_call(schedule, moment)
    assert present != who
    assert (on_call(schedule, then - timedelta(microseconds=1)), on_call(schedule, then)) == (present, who)
