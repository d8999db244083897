"""How long AWS takes over an operation, learned from those before it, so that we ask once it is done."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.core.cache import cache

KEY: Final = "operation_seconds"
FIRST_GUESS: Final = 2.0
LEAST: Final = 0.1
MOST: Final = 60.0
# After so long without an operation AWS may have become quicker by any amount: begin again with the first guess.
REMEMBERED: Final = timedelta(minutes=10)
# An operation that was done when we asked may have been done for a while: expect a little less. One that was not
# shows that more is needed. In balance, one question in five comes too early.
SHORTER: Final = 0.9975
LONGER: Final = 1.01
# What was not done is asked about again, first very soon, then after twice as long each time.
SOON: Final = 0.03
OUT_OF_LINE: Final = 1.5


def expected() -> timedelta:
    """How long after its beginning an operation is likely to be done."""
    return timedelta(seconds=_seconds())


def again(elapsed: timedelta) -> timedelta:
    """When to ask again about an operation that was not done `elapsed` after its beginning."""
    return timedelta(seconds=max(SOON, min(elapsed.total_seconds() - _seconds(), elapsed.total_seconds() / 4)))


def learn(going_on: Collection[timedelta]) -> None:
    """Takes in one answer: how long since their beginning those operations that were not done have been going on."""
    seconds = _seconds()
    # What takes far longer than the others is stuck, and says nothing of them.
    telling = [each.total_seconds() for each in going_on if each.total_seconds() <= seconds * OUT_OF_LINE]
    if telling:
        seconds = max(seconds, *telling) * LONGER
    elif not going_on:
        seconds *= SHORTER
    cache.set(KEY, min(max(seconds, LEAST), MOST), REMEMBERED.total_seconds())


def _seconds() -> float:
    return float(cache.get(KEY, FIRST_GUESS))
