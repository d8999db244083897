"""One at a time on a row that has `claim` and `claimed_until`: until the claim runs out, nobody else works on it.

A claim that ran out is anybody's to take, so whoever works long keeps it, and stops when that fails.
"""

import uuid
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet

from auditlog import clock


def take(rows: "QuerySet[Any]", lease: timedelta) -> uuid.UUID | None:
    """Claims one row, if it is free, for the length of `lease`; None if somebody else has it."""
    now, claim = clock.now(), uuid.uuid4()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return claim if rows.filter(free).update(claim=claim, claimed_until=now + lease) else None


def keep(rows: "QuerySet[Any]", claim: uuid.UUID, lease: timedelta, **changes: Any) -> bool:
    """Keeps the claim for another `lease`, writing the changes with it; False, and nothing written, if it was lost."""
    return bool(rows.filter(claim=claim).update(claimed_until=clock.now() + lease, **changes))


def release(rows: "QuerySet[Any]", claim: uuid.UUID, **changes: Any) -> None:
    """Gives the claim back, writing the changes with it; does nothing if it was lost."""
    rows.filter(claim=claim).update(claim=None, claimed_until=None, **changes)
