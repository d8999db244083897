"""What happens to grants, and what follows for their request. Callers hold the locks, in the order of `lock`."""

import uuid
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from accessrequests import extensions, sessions
from accessrequests.lifecycle import transition
from accessrequests.models import AccessRequest, Assignment, Grant
from accessrequests.notifications import outbox
from accessrequests.states import LIVE_GRANT, OPEN_GRANT, EndReason, GrantStatus, RequestStatus
from auditlog.actor import Actor

# AWS's documentation says to allow a creation minutes; it is usually seconds.
AWS_MAY_TAKE: Final = timedelta(minutes=5)
# Where an extension stands when it is the one to say that the access of the chain has ended.
GOES_ON: Final = (RequestStatus.APPROVED, RequestStatus.ACTIVE, RequestStatus.ENDED)


class _BegunMeanwhile(Exception):
    """Grants have been made on assignments that were not locked."""


def lock(request_id: uuid.UUID) -> tuple[AccessRequest, list[Grant]]:
    """The request, and the grants of its whole chain: the access of one person, which ends as one.

    Everybody locks assignments, then requests, then grants, then the ledger's head: so nobody waits in a circle.
    """
    held = lock_all(lambda: extensions.chain(request_id))
    return AccessRequest.objects.get(pk=request_id), held


def lock_all(requests: Callable[[], Collection[uuid.UUID]]) -> list[Grant]:
    """Locks these requests, which are asked for again once they are locked, and their grants, which it gives."""
    while True:
        try:
            with transaction.atomic():
                return _lock(requests)
        except _BegunMeanwhile:
            # A start was faster. Nothing is locked any more, so all of it can be, in order.
            continue


def _lock(chosen: Callable[[], Collection[uuid.UUID]]) -> list[Grant]:
    ids = chosen()
    assignments = Assignment.objects.filter(pk__in=Grant.objects.filter(request_id__in=ids).values("assignment_id"))
    locked = set(assignments.select_for_update().order_by("pk").values_list("pk", flat=True))
    requests = AccessRequest.objects.select_for_update(of=("self",))
    list(requests.filter(pk__in=ids).order_by("pk").values_list("pk"))
    # Whoever extends a request, or starts an extension of it, locks it: from here on the chain stays as it is.
    held = Grant.objects.filter(request_id__in=chosen())
    if held.exclude(assignment_id__in=locked).exists():
        raise _BegunMeanwhile
    return list(held.select_for_update(of=("self",)).select_related("account").order_by("pk"))


def lease(grant: Grant, now: datetime) -> tuple[datetime, datetime]:
    """From when until when a grant that AWS confirms now runs.

    An extension's begins where the grant ends that it extends, so that the two make one time without a gap and without
    an overlap; if that is over, or was never there on this account, it begins now.
    """
    start = now
    if grant.request.extends_id:
        extended = extensions.held(grant.request.extends_id, now).filter(account=grant.account_id)
        start = extended.values_list("ends_at", flat=True).first() or now
    return start, start + grant.request.duration


def begin_granting(grants: Iterable[Grant], *, actor: Actor, now: datetime) -> None:
    """The creation is about to be sent: from here on each grant has an end, whatever happens to us.

    It is set again when AWS confirms. Only a grant shorter than AWS may take gets that time, or it would end unborn.
    """
    for grant in grants:
        start, end = lease(grant, now)
        transition(grant, GrantStatus.GRANTING, actor=actor, starts_at=start, ends_at=max(end, now + AWS_MAY_TAKE))


def activate(grants: Iterable[Grant], *, actor: Actor, now: datetime, reason: str = "") -> list[Grant]:
    """AWS has confirmed the assignment: the full duration counts from now, or from the end of what it extends.

    Those whose end, set before AWS was asked, has come meanwhile begin to be revoked instead; they are given back.
    """
    chosen = list(grants)
    late = [
        grant for grant in chosen if grant.status == GrantStatus.GRANTING and grant.ends_at and grant.ends_at <= now
    ]
    for grant in chosen:
        if grant in late:
            continue
        start, end = lease(grant, now)
        transition(
            grant,
            GrantStatus.ACTIVE,
            actor=actor,
            reason=reason,
            starts_at=start,
            activated_at=now,
            ends_at=end,
        )
        settle_request(grant.request_id, actor=actor, now=now)
    return begin_revoking(late, EndReason.EXPIRED, actor=actor, now=now)


def fail(grants: Iterable[Grant], *, actor: Actor, now: datetime, reason: str) -> None:
    """AWS will not create the assignment and is known to hold nothing."""
    for grant in grants:
        transition(grant, GrantStatus.FAILED, actor=actor, reason=reason, outcome=reason, ended_at=now)
        settle_request(grant.request_id, actor=actor, now=now)


def begin_revoking(
    grants: Iterable[Grant],
    end_reason: EndReason,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    outcome: str = "",
) -> list[Grant]:
    """Ends live grants and wakes their assignments; gives back those that were live.

    `outcome` is what the grants and their request say of it for good, if that is more than the reason.
    """
    ending = [grant for grant in grants if grant.status in LIVE_GRANT]
    for grant in ending:
        transition(
            grant,
            GrantStatus.REVOKING,
            actor=actor,
            reason=reason or end_reason.label,
            end_reason=end_reason,
            outcome=outcome or reason,
            revoke_due_at=now,
        )
    Assignment.objects.filter(pk__in={grant.assignment_id for grant in ending}).update(due_at=now, attempts=0)
    return ending


def finish(grants: Iterable[Grant], *, actor: Actor, now: datetime, kept: str = "") -> None:
    """The revocation is done: AWS confirmed the deletion, or the assignment stays for the reason in `kept`."""
    for grant in grants:
        issued = grant.activated_at is not None and not kept
        transition(
            grant,
            GrantStatus.ENDED,
            actor=actor,
            reason=kept,
            ended_at=now,
            outcome=" ".join(filter(None, (grant.outcome, kept))),
            sessions_until=sessions.live_until(grant.request.permission_set, now) if issued else None,
        )
        settle_request(grant.request_id, actor=actor, now=now)


def settle_request(request_id: uuid.UUID, *, actor: Actor, now: datetime) -> None:
    """Moves the request to where its grants have brought it."""
    request = AccessRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    grants = list(request.grants.order_by("ended_at"))
    statuses = {grant.status for grant in grants}
    if GrantStatus.ACTIVE in statuses and request.status == RequestStatus.APPROVED:
        transition(request, RequestStatus.ACTIVE, actor=actor, trouble="")
        outbox.add(request, "active", [request.requester_id], now=now)
    if statuses & OPEN_GRANT or request.status not in (RequestStatus.APPROVED, RequestStatus.ACTIVE):
        return
    ended = [grant for grant in grants if grant.status == GrantStatus.ENDED]
    if ended:
        last = ended[-1]
        transition(
            request,
            RequestStatus.ENDED,
            actor=actor,
            reason=last.outcome or EndReason(last.end_reason).label,
            end_reason=last.end_reason,
            outcome=last.outcome,
            closed_at=now,
            trouble="",
        )
        if not request.extensions.filter(status__in=GOES_ON).exists():
            outbox.add(request, "ended", [request.requester_id], now=now)
    else:
        why = grants[-1].outcome
        transition(request, RequestStatus.FAILED, actor=actor, reason=why, outcome=why, closed_at=now, trouble="")
        outbox.add(request, "failed", [request.requester_id], now=now)
