"""What happens to grants, and what follows for their request. Callers hold the locks, in the order of `lock`."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from accessrequests.lifecycle import transition
from accessrequests.models import AccessRequest, Assignment, Grant
from accessrequests.notifications import outbox
from accessrequests.states import LIVE_GRANT, OPEN_GRANT, EndReason, GrantStatus, RequestStatus
from auditlog.actor import Actor

# AWS's documentation says to allow a creation minutes; it is usually seconds.
AWS_MAY_TAKE: Final = timedelta(minutes=5)


def lock(request_id: uuid.UUID) -> tuple[AccessRequest, list[Grant]]:
    """The request and its grants, locked after their assignments.

    Everybody locks assignments, then requests, then grants, then the ledger's head: so nobody waits in a circle.
    """
    list(Assignment.objects.select_for_update().filter(grants__request_id=request_id).order_by("pk").values_list("pk"))
    request = AccessRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    return request, list(request.grants.select_for_update(of=("self",)).select_related("account").order_by("pk"))


def begin_granting(grants: Iterable[Grant], *, actor: Actor, now: datetime) -> None:
    """The creation is about to be sent: from here on each grant has an end, whatever happens to us.

    It is set again when AWS confirms. Only a grant shorter than AWS may take gets that time, or it would end unborn.
    """
    for grant in grants:
        end = now + max(grant.request.duration, AWS_MAY_TAKE)
        transition(grant, GrantStatus.GRANTING, actor=actor, starts_at=now, ends_at=end)


def activate(grants: Iterable[Grant], *, actor: Actor, now: datetime, reason: str = "") -> None:
    """AWS has confirmed the assignment: the full duration counts from now."""
    for grant in grants:
        transition(
            grant,
            GrantStatus.ACTIVE,
            actor=actor,
            reason=reason,
            starts_at=now,
            activated_at=now,
            ends_at=now + grant.request.duration,
        )
        settle_request(grant.request_id, actor=actor, now=now)


def fail(grants: Iterable[Grant], *, actor: Actor, now: datetime, reason: str) -> None:
    """AWS will not create the assignment and is known to hold nothing."""
    for grant in grants:
        transition(grant, GrantStatus.FAILED, actor=actor, reason=reason, outcome=reason, ended_at=now)
        settle_request(grant.request_id, actor=actor, now=now)


def begin_revoking(
    grants: Iterable[Grant], end_reason: EndReason, *, actor: Actor, now: datetime, reason: str = ""
) -> list[Grant]:
    """Ends live grants and wakes their assignments; gives back those that were live."""
    ending = [grant for grant in grants if grant.status in LIVE_GRANT]
    for grant in ending:
        transition(
            grant,
            GrantStatus.REVOKING,
            actor=actor,
            reason=reason or end_reason.label,
            end_reason=end_reason,
            outcome=reason,
            revoke_due_at=now,
        )
    Assignment.objects.filter(pk__in={grant.assignment_id for grant in ending}).update(due_at=now, attempts=0)
    return ending


def finish(grants: Iterable[Grant], *, actor: Actor, now: datetime, kept: str = "") -> None:
    """The revocation is done: AWS confirmed the deletion, or the assignment stays for the reason in `kept`."""
    for grant in grants:
        session = grant.request.permission_set.session_duration
        issued = grant.activated_at is not None and not kept
        transition(
            grant,
            GrantStatus.ENDED,
            actor=actor,
            reason=kept,
            ended_at=now,
            outcome=" ".join(filter(None, (grant.outcome, kept))),
            sessions_until=now + session if issued else None,
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
            reason=last.outcome,
            end_reason=last.end_reason,
            outcome=last.outcome,
            closed_at=now,
            trouble="",
        )
        outbox.add(request, "ended", [request.requester_id], now=now)
    else:
        why = grants[-1].outcome
        transition(request, RequestStatus.FAILED, actor=actor, reason=why, outcome=why, closed_at=now, trouble="")
        outbox.add(request, "failed", [request.requester_id], now=now)
