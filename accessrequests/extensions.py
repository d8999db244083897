"""Requests that extend one another: a chain, from the first ask for some access to the last ask for more time on it.

A request is extended once at most by what came to something (`request_extended_once`), so a chain does not branch but
for extensions that were denied, withdrawn, lapsed or failed.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from accessrequests.models import AccessRequest, Grant
from accessrequests.states import LIVE_GRANT, NOT_IN_VAIN, RequestStatus


def before(request: AccessRequest) -> Iterator[AccessRequest]:
    """The request that this one extends, then the one that that extends, and so on; one query each."""
    while request.extends is not None:
        request = request.extends
        yield request


def taken(extended: AccessRequest | None) -> timedelta:
    """The time that was asked for before an ask which extends this request; none if it extends nothing."""
    if extended is None:
        return timedelta(0)
    counted = [row.duration for row in (extended, *before(extended)) if row.status in NOT_IN_VAIN]
    return sum(counted, timedelta(0))


def chain(request_id: uuid.UUID) -> list[uuid.UUID]:
    """The ids of all requests of a chain in order, whichever is given; those that came to nothing among them."""
    rows = AccessRequest.objects.values_list("pk", flat=True)
    first = request_id
    while (extended := rows.filter(extensions=first).first()) is not None:
        first = extended
    ids = later = [first]
    while later:
        later = list(rows.filter(extends__in=later))
        ids = ids + later
    return ids


def held(extended_id: uuid.UUID, now: datetime) -> QuerySet[Grant]:
    """The grants of a request that an extension can add to: live, and their time not up."""
    return Grant.objects.filter(request_id=extended_id, status__in=LIVE_GRANT, ends_at__gt=now)


def in_vain(now: datetime) -> QuerySet[AccessRequest]:
    """The undecided extensions of access that has ended meanwhile."""
    left = Grant.objects.filter(request=OuterRef("extends"), status__in=LIVE_GRANT, ends_at__gt=now)
    undecided = AccessRequest.objects.filter(status=RequestStatus.PENDING, extends__isnull=False)
    return undecided.exclude(Exists(left))
