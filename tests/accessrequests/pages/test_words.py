"""Times, durations and deciders in words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.template import Context, Template

from auditlog.moments import exact, exact_to_the_second, relative, remaining
from catalog.wording import spelled, steps

NOW = datetime(2026, 11, 20, 14, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (-44, "just now"),
        (44, "in a moment"),
        (-45, "1 minute ago"),
        (-90, "2 minutes ago"),
        (59 * 60, "in 59 minutes"),
        (59 * 60 + 40, "in 1 hour"),
        (7200, "in 2 hours"),
        (-23 * 3600, "23 hours ago"),
        (-24 * 3600, "1 day ago"),
        (29 * 86400, "in 29 days"),
        (30 * 86400, "on 20 Dec 2026"),
        (-31 * 86400, "on 20 Oct 2026"),
    ],
)
def test_a_moment_is_said_by_how_far_away_it_is(seconds: int, words: str) -> None:
    assert relative(NOW + timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "no time"),
        (0, "no time"),
        (1, "1 s"),
        (245, "4 min 05 s"),
        (3600, "1 h 00 min"),
        (28_799, "7 h 59 min"),
        (86_400, "1 day 0 h"),
        (2 * 86_400 + 3 * 3600, "2 days 3 h"),
    ],
)
def test_what_is_left_is_said_as_exactly_as_it_matters(seconds: int, words: str) -> None:
    assert remaining(NOW + timedelta(seconds=seconds), NOW) == words


def test_an_exact_time_names_its_zone_whichever_it_came_in() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    assert exact(tokyo) == "Fri 20 Nov 2026, 14:05 UTC"
    assert exact_to_the_second(tokyo) == "Fri 20 Nov 2026, 14:05:30 UTC"


def test_a_tag_shows_the_words_and_keeps_the_exact_time_on_hover() -> None:
    shown = Template("{% load moments %}{% ago then %}").render(Context({"then": NOW - timedelta(hours=2), "now": NOW}))
    assert shown == (
        '<time datetime="2026-11-20T12:05:30+00:00" data-time="relative" '
        'title="Fri 20 Nov 2026, 12:05:30 UTC">2 hours ago</time>'
    )
    assert Template("{% load moments %}{% ago None %}{% left None %}{% exactly None %}").render(Context()) == ""


def test_stages_and_durations_are_said_in_words() -> None:
    assert steps(["1 of Payments leads", "2 of Security"]) == "1 of Payments leads, then 2 of Security"
    assert spelled(5400) == spelled(timedelta(minutes=90)) == "1 hour 30 minutes"
