"""Counts of the calls that came in, for tests and benches."""

from collections import Counter
from typing import Any


class CallsSeen:
    """Calls and errors by operation name; what met an unreachable fault is no call, as AWS never saw it."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self.errors: dict[str, Counter[str]] = {}

    def count(self, operation: str) -> None:
        """One call came in."""
        self.calls[operation] += 1

    def count_error(self, operation: str, code: str) -> None:
        """One call was refused with ``code``."""
        self.errors.setdefault(operation, Counter())[code] += 1
        if code in ("ThrottlingException", "TooManyRequestsException", "Throttling"):
            self.throttled[operation] += 1

    def reset(self) -> None:
        """Begin again at nothing."""
        self.calls.clear()
        self.throttled.clear()
        self.errors.clear()

    def as_json(self) -> dict[str, Any]:
        """All counts, and the totals."""
        return {
            "total": self.calls.total(),
            "calls": dict(self.calls),
            "throttled_total": self.throttled.total(),
            "throttled": dict(self.throttled),
            "errors": {operation: dict(codes) for operation, codes in self.errors.items()},
        }
