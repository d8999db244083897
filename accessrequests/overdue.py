"""Access that should be gone and is not known to be: the one thing the portal must never have."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrequests.models import Assignment, Grant
from accessrequests.states import ENDING_GRANT, OPEN_GRANT, GrantStatus, Presence
from catalog.wording import counted


@dataclass(frozen=True)
class Overdue:
    """How many grants, and how many assignments that no grant has."""

    grants: int
    assignments: int

    def __bool__(self) -> bool:
        return bool(self.grants or self.assignments)

    def __str__(self) -> str:
        late = ((self.grants, "grant"), (self.assignments, "assignment without a grant"))
        return " and ".join(counted(count, what) for count, what in late if count)


def count(now: datetime) -> Overdue:
    """What is overdue now."""
    return Overdue(grants(now).count(), assignments(now).count())


def grants(now: datetime) -> QuerySet[Grant]:
    """Grants that should have been gone for longer than the settings tolerate, and are not known to be."""
    late = now - settings.OVERDUE_AFTER
    still_there = Q(status__in=ENDING_GRANT, ends_at__lt=late)
    return Grant.objects.filter(still_there | Q(status=GrantStatus.REVOKING, revoke_due_at__lt=late))


def assignments(now: datetime) -> QuerySet[Assignment]:
    """Assignments of ours that no grant has, and that are not known to be gone.

    Such as were adopted until a day that has come, or came true after the end of what had asked for them.
    """
    late = now - settings.OVERDUE_AFTER
    stray = Q(adopted_until=None, was_begun=True, is_standing=False) & (Q(doubt_until=None) | Q(doubt_until__lt=late))
    still_there = Assignment.objects.filter(Q(adopted_until__lt=late) | stray).exclude(presence=Presence.ABSENT)
    return still_there.exclude(Exists(Grant.objects.filter(assignment=OuterRef("pk"), status__in=OPEN_GRANT)))
