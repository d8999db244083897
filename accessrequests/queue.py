"""What waits for AWS, in which order, and how much more of it AWS has room for."""

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrequests.grants import AWS_MAY_TAKE
from accessrequests.models import Assignment, Grant
from accessrequests.states import ENDING_GRANT, LIVE_GRANT, GrantStatus, Operation

# What has been handed to a worker is offered again after this long, in case the message or the worker was lost.
DISPATCHED: Final = timedelta(seconds=10)
ON_ITS_WAY: Final = timedelta(seconds=1)
# Of the operations that AWS takes at once, those that no creation may use.
KEPT_FOR_DELETIONS: Final = 3
# When to ask how operations are going: at once, but for fewer than so many wait so long for the next, for more only if
# it is that close.
ENOUGH_TO_ASK: Final = 3
LONG_ENOUGH: Final = timedelta(seconds=0.15)
CLOSE: Final = timedelta(seconds=0.005)


def room(operation: str, now: datetime) -> int:
    """How many more operations of this kind may be begun at AWS; some room is kept for deletions alone."""
    cap = settings.OUTSTANDING_CAP
    kept = min(KEPT_FOR_DELETIONS, max(1, cap // 3), cap - 1) if operation == Operation.CREATE else 0
    # One that AWS has not ended for so long is stuck there, and must not keep the others from ending.
    in_flight = Assignment.objects.filter(operation_over_at=None, operation_began_at__gt=now - AWS_MAY_TAKE)
    return max(0, cap - kept - in_flight.exclude(operation=Operation.NONE).count())


def unwanted(now: datetime) -> list[uuid.UUID]:
    """Takes the due assignments that no grant holds, as many as AWS has room for, the longest due first."""
    return _take(_due(now).filter(_unheld()), _places(Operation.DELETE, now), now)


def wanted(now: datetime) -> list[uuid.UUID]:
    """Takes the due assignments that a grant wants, as many as AWS has room for, the longest due first."""
    return _take(_due(now).exclude(_unheld()), _places(Operation.CREATE, now), now)


def _places(operation: Operation, now: datetime) -> int:
    """How many may be taken: there is room, and none that was taken just before is on its way to it.

    A creation on its way takes no place from a removal.
    """
    left = room(operation, now)
    if not left:
        return 0
    taken = Assignment.objects.filter(operation=Operation.NONE, attempts=0)
    taken = taken.filter(due_at__gt=now + DISPATCHED - ON_ITS_WAY, due_at__lte=now + DISPATCHED)
    if operation == Operation.DELETE:
        taken = taken.filter(_unheld())
    return max(0, left - taken.count())


def _due(now: datetime) -> QuerySet[Assignment]:
    return Assignment.objects.filter(due_at__lte=now, operation=Operation.NONE)


def _unheld() -> Q:
    on_it = Grant.objects.filter(assignment=OuterRef("pk"))
    ending = Exists(on_it.filter(status=GrantStatus.REVOKING)) & ~Exists(on_it.filter(status__in=ENDING_GRANT))
    return Q(ending) | Q(~Exists(on_it.filter(status__in=LIVE_GRANT)))


def _take(rows: QuerySet[Assignment], most: int, now: datetime) -> list[uuid.UUID]:
    if not most:
        return []
    chosen = list(rows.order_by("due_at").values_list("pk", flat=True)[:most])
    return [pk for pk in chosen if _due(now).filter(pk=pk).update(due_at=now + DISPATCHED)]


def operations(now: datetime) -> list[uuid.UUID]:
    """Takes the operations in flight that it is time to ask about, or none yet if a better moment is near.

    One call tells of all: so it waits a little for those that are likely to be done soon, but never long.
    """
    in_flight = Assignment.objects.exclude(operation=Operation.NONE)
    rows = in_flight.order_by("due_at").values_list("pk", "due_at")
    moments = [(pk, due_at) for pk, due_at in rows if due_at is not None]
    ready = [pk for pk, due_at in moments if due_at <= now]
    if not ready:
        return []
    following = moments[len(ready)][1] if len(ready) < len(moments) else None
    patience = now + CLOSE if len(ready) >= ENOUGH_TO_ASK else moments[0][1] + LONG_ENOUGH
    if following is not None and following <= patience:
        return []
    return [pk for pk in ready if in_flight.filter(pk=pk, due_at__lte=now).update(due_at=now + DISPATCHED)]
