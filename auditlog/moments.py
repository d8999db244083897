"""Moments in the words of a page: how far away, how long left, exactly when; portal.js says the same."""

from datetime import UTC, datetime
from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400


def relative(moment: datetime, now: datetime) -> str:
    """How far away a moment is: "just now", "3 minutes ago", "in 2 hours"; beyond a month, its date."""
    seconds = (moment - now).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return "just now" if seconds <= 0 else "in a moment"
    if distance >= 30 * DAY:
        return f"on {moment.astimezone(UTC):%-d %b %Y}"
    if distance < 59.5 * MINUTE:
        words = _count(distance / MINUTE, "minute")
    elif distance < 23.5 * HOUR:
        words = _count(distance / HOUR, "hour")
    else:
        words = _count(distance / DAY, "day")
    return f"in {words}" if seconds > 0 else f"{words} ago"


def _count(number: float, unit: str) -> str:
    whole = max(1, int(number + 0.5))
    return f"{whole} {unit}{'' if whole == 1 else 's'}"


def remaining(moment: datetime, now: datetime) -> str:
    """How long is left until a moment: "2 days 3 h", "7 h 59 min", "4 min 05 s", "no time" once it has come."""
    seconds = int((moment - now).total_seconds())
    if seconds <= 0:
        return "no time"
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, left = divmod(rest, MINUTE)
    if days:
        return f"{days} day{'' if days == 1 else 's'} {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    if minutes:
        return f"{minutes} min {left:02} s"
    return f"{left} s"


def exact(moment: datetime) -> str:
    """The moment itself: "Fri 20 Nov 2026, 14:05 UTC"."""
    return f"{moment.astimezone(UTC):%a %-d %b %Y, %H:%M} UTC"


def exact_to_the_second(moment: datetime) -> str:
    """As `exact`, with seconds, for what is evidence."""
    return f"{moment.astimezone(UTC):%a %-d %b %Y, %H:%M:%S} UTC"
