"""The time zones that this machine knows."""

import zoneinfo
from functools import cache


@cache
def zones() -> frozenset[str]:
    """Their names, such as "Europe/Berlin"."""
    return frozenset(zoneinfo.available_timezones())
