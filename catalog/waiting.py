"""What waits for a second admin: not what is outdated, which nobody can accept any more."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Max, Model, Q, QuerySet

from auditlog import clock
from catalog import people
from catalog.models import Proposal
from catalog.proposal_rules import proposer_of

# For so long all admins are shown what was put in force without a second one, unless one of them has looked at it.
SHOWN_FOR: Final = timedelta(days=7)


def to_settle(user: Any) -> list[Proposal]:
    """What waits for this admin: others' to accept, or, for a week, to look at; and what is theirs to confirm."""
    waits = Q(status=Proposal.Status.WAITING)
    unconfirmed = waits & Q(put_forward_by__isnull=False, confirmed_at=None)
    recent = Q(status=Proposal.Status.OVERRIDDEN, proposed_at__gt=clock.now() - SHOWN_FOR)
    own = Q(proposed_by=str(people.actor_of(user)))
    rows = list(Proposal.objects.filter((unconfirmed & own) | (~unconfirmed & ~own & (waits | recent))))
    gone = outdated(rows)
    return [row for row in rows if row.pk not in gone]


def other_admins(proposal: Proposal) -> QuerySet[Any]:
    """Those who could settle it now: the admins of the directory but for the proposer."""
    rows = get_user_model().objects.filter(directory_groups__object_id=settings.ENTRA_ADMIN_GROUP_ID)
    rows = rows.filter(is_active=True, local_until=None)
    proposer = proposer_of(proposal)
    return rows.exclude(people.same_person(people.of(proposer))) if proposer else rows


def waiting_for(row: Model) -> list[Proposal]:
    """What is proposed for one object of the catalog, and waits."""
    label, waits = row._meta.label_lower, Proposal.Status.WAITING
    rows = list(Proposal.objects.filter(status=waits, model=label, object_pk=str(row.pk)))
    gone = outdated(rows)
    return [each for each in rows if each.pk not in gone]


def outdated(rows: Iterable[Proposal]) -> frozenset[int]:
    """Those of the proposals (by id) that wait although their object has changed since, or is gone.

    One query for each kind of object. Files, and what is new, are found out only when they are tried out.
    """
    by_model: dict[str, list[Proposal]] = {}
    for row in rows:
        if row.status == Proposal.Status.WAITING and row.object_pk:
            by_model.setdefault(row.model, []).append(row)
    found: set[int] = set()
    for label, proposed in by_model.items():
        newest = _newest(apps.get_model(label), {row.object_pk for row in proposed})
        found |= {row.pk for row in proposed if newest.get(row.object_pk) != row.seen}
    return frozenset(found)


def _newest(model: Any, keys: set[str]) -> dict[str, int]:
    """By its key the id of the newest version of each object, also of one that is deleted."""
    key = model._meta.pk.attname
    rows = model.history.filter(**{f"{key}__in": keys}).order_by().values_list(key)
    return {str(pk): newest for pk, newest in rows.annotate(newest=Max("history_id"))}
