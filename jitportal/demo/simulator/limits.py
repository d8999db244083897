"""The rates and caps that AWS publishes for IAM Identity Center and the identity store.

Source: "AWS IAM Identity Center quotas" (20 transactions a second for all IAM Identity Center calls together;
at most 15 outstanding CreateAccountAssignment calls, 10 on an older page). The page does not say whether
deletions count against the cap: here they share it, at the smaller number, to be on the safe side.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from .clock import Clock
from .errors import throttled


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Rates in calls a second, ``outstanding`` in operations, ``delay`` in seconds; None lifts a limit."""

    sso_tps: float | None = 20.0
    identitystore_tps: float | None = 20.0
    organizations_tps: float | None = None
    outstanding: int | None = 10
    delay: float = 2.0

    @classmethod
    def lifted(cls, *, delay: float = 0.0) -> Self:
        """No limit at all; operations settle on the first call that comes ``delay`` seconds later."""
        return cls(sso_tps=None, identitystore_tps=None, organizations_tps=None, outstanding=None, delay=delay)

    def changed(self, values: dict[str, Any]) -> "Limits":
        """These limits with ``values`` in place; ValueError or TypeError names the wrong field."""
        known = {field.name for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown limit {name!r}; known: {', '.join(sorted(known))}")
            if value is not None or name == "delay":
                _check(name, value)
        return replace(self, **values)

    def as_json(self) -> dict[str, float | int | None]:
        """The limits by name."""
        return asdict(self)


def _check(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number" + ("" if name == "delay" else ", or null to lift it"))
    if value < 0 or (value == 0 and name.endswith("_tps")):
        raise ValueError(f"{name} must be positive")
    if name == "outstanding" and value != int(value):
        raise ValueError("outstanding must be a whole number")


class TokenBucket:
    """Holds at most ``rate`` tokens and gains ``rate`` a second."""

    def __init__(self, rate: float, clock: Clock) -> None:
        self._rate = rate
        self._size = max(rate, 1.0)
        self._clock = clock
        self._tokens = self._size
        self._seen = clock()

    def take(self) -> bool:
        """Take a token if there is one."""
        now = self._clock()
        # A clock moved back must not drain the bucket.
        self._tokens = min(self._size, self._tokens + max(0.0, now - self._seen) * self._rate)
        self._seen = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Limiter:
    """Holds every call to the present limits."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}
        self._limits = limits
        self.limits = limits

    @property
    def limits(self) -> Limits:
        """The present limits; assigning new ones fills every bucket."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._limits = limits
        rates = {
            "sso-admin": limits.sso_tps,
            "identitystore": limits.identitystore_tps,
            "organizations": limits.organizations_tps,
        }
        self._buckets = {service: TokenBucket(rate, self._clock) for service, rate in rates.items() if rate is not None}

    def admit(self, service: str) -> None:
        """Count one call to ``service``; AwsError if its rate is used up."""
        bucket = self._buckets.get(service)
        if bucket is not None and not bucket.take():
            raise throttled(service)
