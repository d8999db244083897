"""What else somebody has asked for of the same access: several short times are no way to have a long one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from accessrequests import extensions
from accessrequests.models import AccessRequest
from accessrequests.states import GrantStatus, RequestStatus
from catalog.automatic import Span
from catalog.models import AccessPolicy, Account, Environment, Role
from catalog.people import Person, same_person

GIVEN: Final = (RequestStatus.APPROVED, RequestStatus.ACTIVE, RequestStatus.ENDED)


def spans(
    person: Person, role: Role, environment: Environment, accounts: Sequence[Account], extended: AccessRequest | None
) -> tuple[Span, ...]:
    """When this person had, has or will have the same in any of these accounts, but by what the ask extends.

    By whichever of their accounts of the directory; and by whichever role, for in AWS it is the permission set that
    somebody has.
    """
    others = _given(person, role, environment, accounts)
    if extended is not None:
        others = others.exclude(pk__in=extensions.chain(extended.pk))
    return _spans(others)


def spans_at_start(request: AccessRequest, person: Person) -> tuple[Span, ...]:
    """As `spans`, when what was approved at once starts: what it was judged beside, and what came near it since.

    For a start that AWS keeps waiting comes nearer to what was apart. What people decided on later they gave although
    there was this one.
    """
    earlier = Q(decided_at__lt=request.decided_at)
    begun_at_once = Q(stages=None, grants__starts_at__isnull=False)
    others = _given(person, request.role, request.environment, request.accounts.all())
    return _spans(others.filter(earlier | begun_at_once).exclude(pk__in=extensions.chain(request.pk)))


def since(extended: AccessRequest | None) -> datetime | None:
    """When the access began that an ask for more time on this request adds to; None if it extends nothing."""
    if extended is None:
        return None
    *_, first = (extended, *extensions.before(extended))
    return _span(first).begins


def _given(
    person: Person, role: Role, environment: Environment, accounts: Iterable[Account]
) -> QuerySet[AccessRequest]:
    rows = get_user_model().objects.filter(same_person(person))
    policies = AccessPolicy.objects.filter(role=role, environment=environment, is_in_force=True)
    same = Q(role=role, environment=environment) | Q(permission_set__in=policies.values("permission_set"))
    return AccessRequest.objects.filter(same, requester__in=rows, status__in=GIVEN, accounts__in=accounts)


def _spans(rows: QuerySet[AccessRequest]) -> tuple[Span, ...]:
    return tuple(_span(row) for row in rows.distinct().prefetch_related("grants"))


def _span(row: AccessRequest) -> Span:
    """From when until when it was granted: a start may come late, and an end early."""
    held = [
        Span(grant.starts_at, min(grant.ends_at, grant.ended_at or grant.ends_at))
        for grant in row.grants.all()
        if grant.starts_at and grant.ends_at and grant.status != GrantStatus.FAILED
    ]
    if held:
        begins = min(span.begins for span in held)
        return Span(begins, max(begins, *(span.ends for span in held)))
    begins = row.start or row.decided_at or row.submitted_at
    ends = begins + row.duration
    return Span(begins, max(begins, min(ends, row.closed_at)) if row.closed_at else ends)
