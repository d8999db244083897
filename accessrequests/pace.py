"""How long AWS takes over an operation, learned from those before it, so that we ask once it is done."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.core.cache import cache

KEY: Final = "operation_seconds"
FIRST_GUESS: Final = 2.0
LEAST: Final = 0.1
MOST: Final = 10.0
LONGEST_WAIT: Final = 30.0
# After so long without an operation AWS may have become quicker by any amount: begin again with the first guess.
REMEMBERED: Final = timedelta(minutes=10)
# An operation that was done when we asked may have been done for a while: expect a little less, and after each further
# such answer less by a little more, to come down quickly from far above. One that was not done shows that more is
# needed. In balance, one question in ten comes too early.
SHORTER: Final = 0.0005
EVER_SHORTER: Final = 1.2
SHORTER_AT_MOST: Final = 0.01
LONGER: Final = 1.01
# One that is found done long before its time shows how much less is enough.
MUCH_LESS: Final = 0.8
CLOSER: Final = 0.1
# What was not done is asked about again, first very soon, then after twice as long each time.
SOON: Final = 0.03
# An operation teaches by its first answer only: what is asked about again and again is slow, or stuck, by itself.
FIRST_ANSWER: Final = 0.25


def expected() -> timedelta:
    """How long after its beginning an operation is likely to be done."""
    return timedelta(seconds=_seconds())


def again(elapsed: timedelta) -> timedelta:
    """When to ask again about an operation that was not done `elapsed` after its beginning."""
    longer = min(elapsed.total_seconds() - _seconds(), elapsed.total_seconds() / 4, LONGEST_WAIT)
    return timedelta(seconds=max(SOON, longer))


def learn(going_on: Collection[timedelta], done: Collection[timedelta] = ()) -> None:
    """Takes in one answer.

    Args:
        going_on: how long since their beginning those that were asked about and not done have been going on.
        done: how long ago those began, asked about or not, that are first found to be done now.
    """
    seconds, in_a_row = _learned()
    telling = [each.total_seconds() for each in going_on if each.total_seconds() <= seconds + FIRST_ANSWER]
    quickest = min((each.total_seconds() for each in done), default=seconds)
    if telling:
        seconds, in_a_row = max(seconds, *telling) * LONGER, 0
    elif quickest < seconds * MUCH_LESS:
        seconds += (quickest - seconds) * CLOSER
    elif done and not going_on:
        seconds *= 1 - min(SHORTER * EVER_SHORTER**in_a_row, SHORTER_AT_MOST)
        in_a_row += 1
    cache.set(KEY, (min(max(seconds, LEAST), MOST), in_a_row), REMEMBERED.total_seconds())


def _seconds() -> float:
    return _learned()[0]


def _learned() -> tuple[float, int]:
    """How many seconds an operation takes, and how many answers in a row have not come too early."""
    seconds, in_a_row = cache.get(KEY, (FIRST_GUESS, 0))
    return float(seconds), int(in_a_row)
