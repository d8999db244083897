"""Whether the workers' clocks agree with the database's, by which alone deadlines are compared."""

import platform
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.core.cache import cache
from django.utils import timezone

log = structlog.get_logger(__name__)

TOLERATED: Final = timedelta(seconds=2)
KEY: Final = "skew"
REMEMBERED: Final = 60


def note_skew(database_time: datetime) -> None:
    """Notes how far this machine's clock is from the database's, loudly if it is too far."""
    skew = timezone.now() - database_time
    if abs(skew) <= TOLERATED:
        return
    log.error("clock_is_wrong", machine=platform.node(), seconds=round(skew.total_seconds(), 1))
    cache.set(KEY, {"machine": platform.node(), "seconds": round(skew.total_seconds(), 1)}, REMEMBERED)


def wrong_clock() -> str:
    """Which worker's clock was found wrong in the last minute, in words; empty if none was."""
    found = cache.get(KEY)
    return f"the clock of {found['machine']} is {found['seconds']:+} s off" if found else ""
