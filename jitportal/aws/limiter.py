"""One budget of calls a second to each AWS service, shared by all workers, with room kept for what must not wait.

The counting is the `limits` library's moving window: in Redis where there is one, else in this process.
"""

import time
from enum import Enum
from functools import cache
from typing import Final, cast

import structlog
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

log = structlog.get_logger(__name__)

PATIENCE: Final = 5.0
GLANCE: Final = 0.02


class Urgency(Enum):
    """How much of the budget a call may use; the rest is kept for those above it."""

    REVOCATION = 1.0  # deletions, and how operations in flight are going
    GRANT = 0.65  # creations, and the looks before them
    SCAN = 0.15  # inventory and drift: most of the budget is for the real work


class Budget:
    """The calls a second of one service."""

    def __init__(self, service: str, rate: int) -> None:
        self._service = service
        self._limits = {urgency: RateLimitItemPerSecond(max(1, int(rate * urgency.value))) for urgency in Urgency}
        self._window = MovingWindowRateLimiter(_storage())

    def wait(self, urgency: Urgency) -> bool:
        """Waits for a place, at most `PATIENCE` seconds; False if there was none.

        Where the count cannot be kept (Redis is away) every call has a place: AWS counts, too.
        """
        until = time.monotonic() + PATIENCE
        try:
            while not self._take(urgency):
                if time.monotonic() > until:
                    return False
                time.sleep(GLANCE)
        except (ConnectionError, OSError, _storage().base_exceptions) as error:  # type: ignore[misc]
            log.warning("budget_not_counted", service=self._service, error=str(error))
        return True

    def _take(self, urgency: Urgency) -> bool:
        """One place of the whole budget and, for what may use only a part of it, one of that part."""
        if urgency is Urgency.REVOCATION:
            return self._window.hit(self._limits[urgency], self._service)
        part = self._limits[urgency]
        if not self._window.test(self._limits[Urgency.REVOCATION], self._service):
            return False
        if not self._window.hit(part, self._service, urgency.name):
            return False
        return self._window.hit(self._limits[Urgency.REVOCATION], self._service)


@cache
def budget(service: str) -> Budget:
    """The budget of a service, such as "sso-admin"."""
    return Budget(service, settings.AWS_CALLS_PER_SECOND)


@cache
def _storage() -> Storage:
    return cast(Storage, storage_from_string(settings.ENVIRONMENT.redis_url or "memory://"))
