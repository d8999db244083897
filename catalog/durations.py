"""Durations as people write them: "8h", "90m", "1h 30m"."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_PART: Final = re.compile(r"(\d{1,6})\s*(d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?![a-z])")
_HOW: Final = "Write a duration such as 8h, 90m or 1h 30m."


def parse(text: str) -> timedelta:
    """The duration that the text means; units are days, hours, minutes and seconds, each once, the greatest first.

    Raises:
        ValueError: it means none; the text says how to write one.
    """
    rest, parts = text.strip().lower(), []
    while rest:
        part = _PART.match(rest)
        if part is None:
            raise ValueError(_HOW)
        parts.append((int(part[1]), _UNITS[part[2][0]]))
        rest = rest[part.end() :].lstrip(" ,")
    sizes = [size for _, size in parts]
    if not parts or sizes != sorted(set(sizes), reverse=True):
        raise ValueError(_HOW)
    return timedelta(seconds=sum(count * size for count, size in parts))


def written(duration: timedelta) -> str:
    """The shortest text that `parse` reads as this duration, to the second: "1h 30m"."""
    seconds, parts = int(duration.total_seconds()), []
    for unit, size in _UNITS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
