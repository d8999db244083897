"""How long AWS takes over an operation, learned from those before it, so that we ask once it is done."""

from datetime import timedelta
from typing import Final

from django.core.cache import cache

KEY: Final = "operation_seconds"
FIRST_GUESS: Final = 2.0
LEAST: Final = 0.1
MOST: Final = 60.0
# An operation that was done when we asked may have been done for a while: expect a little less. One that was not is
# asked again soon, and the next are given a little more. The two balance where few questions are asked too early.
SHORTER: Final = 0.995
LONGER: Final = 0.02


def expected() -> timedelta:
    """How long after its beginning an operation is likely to be done."""
    return timedelta(seconds=_seconds())


def again(elapsed: timedelta) -> timedelta:
    """When to ask again about an operation that was not done after `elapsed`."""
    return timedelta(seconds=max(LEAST, elapsed.total_seconds() * 0.05))


def was_done() -> None:
    """An operation was done when we asked at the expected time."""
    cache.set(KEY, max(LEAST, _seconds() * SHORTER), None)


def was_not_done(elapsed: timedelta) -> None:
    """An operation was not done after `elapsed`."""
    cache.set(KEY, min(max(_seconds(), elapsed.total_seconds()) + LONGER, MOST), None)


def _seconds() -> float:
    return float(cache.get(KEY, FIRST_GUESS))
