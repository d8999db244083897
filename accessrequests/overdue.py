"""Access that should be gone and is not known to be: the one thing the portal must never have."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrequests.models import Assignment, Grant
from accessrequests.states import ENDING_GRANT, LIVE_GRANT, GrantStatus, Presence


@dataclass(frozen=True)
class Overdue:
    """How many grants, and how many assignments whose end an admin had set."""

    grants: int
    adopted: int

    def __bool__(self) -> bool:
        return bool(self.grants or self.adopted)

    def __str__(self) -> str:
        counted = (("grant", self.grants), ("adopted assignment", self.adopted))
        return " and ".join(f"{count} {what}{'' if count == 1 else 's'}" for what, count in counted if count)


def count(now: datetime) -> Overdue:
    """What is overdue now."""
    return Overdue(grants(now).count(), adopted(now).count())


def grants(now: datetime) -> QuerySet[Grant]:
    """Grants that should have been gone for longer than the settings tolerate, and are not known to be."""
    late = now - settings.OVERDUE_AFTER
    still_there = Q(status__in=ENDING_GRANT, ends_at__lt=late)
    return Grant.objects.filter(still_there | Q(status=GrantStatus.REVOKING, revoke_due_at__lt=late))


def adopted(now: datetime) -> QuerySet[Assignment]:
    """Assignments adopted until a day that has come, and not known to be gone; what a live grant needs may stay."""
    late = Assignment.objects.filter(adopted_until__lt=now - settings.OVERDUE_AFTER).exclude(presence=Presence.ABSENT)
    return late.exclude(Exists(Grant.objects.filter(assignment=OuterRef("pk"), status__in=LIVE_GRANT)))
