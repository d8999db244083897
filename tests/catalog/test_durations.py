"""Durations are written as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("8h", 28800),
        ("90m", 5400),
        ("1h 30m", 5400),
        ("1h30m", 5400),
        (" 2 Hours, 5 min ", 7500),
        ("1 day 2 hours", 93600),
        ("45s", 45),
    ],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert durations.parse(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "8", "8:00:00", "-1h", "1.5h", "h", "30m 1h", "1h 2h", "1 month", "1h x", "9999999h", "1e3h"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="1h 30m"):
        durations.parse(text)


@given(st.integers(min_value=0, max_value=10**9))
def test_what_is_written_is_read_as_the_same(seconds: int) -> None:
    assert durations.parse(durations.written(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
