"""What falls due by the clock: requests that lapse or start, and grants that end."""

import uuid
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import Min, Q

from accessrequests import evidence, extensions, grants, judging, permissions
from accessrequests.lifecycle import begin, transition
from accessrequests.models import AccessRequest, Assignment, Grant
from accessrequests.notifications import outbox
from accessrequests.provisioner import Gone, Provisioner, ProvisionerError, Refused
from accessrequests.queue import DISPATCHED
from accessrequests.states import ENDING_GRANT, LIVE_GRANT, EndReason, RequestStatus
from auditlog import clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.ledger import Subject, record
from catalog import people
from catalog.policy import Verdict

log = structlog.get_logger(__name__)

CLOCK: Final = Actor.system("clock")
RETRY_START: Final = timedelta(seconds=5)
ENDING: Final = Q(status__in=ENDING_GRANT)


def lapse_requests(now: datetime) -> int:
    """Lapses what nobody decided in time, and undecided extensions of what has ended meanwhile; how many."""
    undecided = AccessRequest.objects.filter(status=RequestStatus.PENDING, lapses_at__lte=now)
    too_late = "Nobody decided in time."
    chosen = dict.fromkeys(undecided.values_list("pk", flat=True)[:500], too_late)
    for pk in extensions.in_vain(now).values_list("pk", flat=True)[:500]:
        chosen.setdefault(pk, permissions.NOTHING_TO_EXTEND.reason)
    count = 0
    for pk, why in chosen.items():
        try:
            count += _lapse(pk, why, now)
        except Exception:
            log.exception("request_not_lapsed", request=str(pk))
    return count


def _lapse(request_id: uuid.UUID, why: str, now: datetime) -> bool:
    with transaction.atomic():
        request = AccessRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        if request.status != RequestStatus.PENDING:
            return False
        transition(request, RequestStatus.LAPSED, actor=CLOCK, reason=why, outcome=why, closed_at=now)
        outbox.add(request, "lapsed", [request.requester_id], now=now)
    return True


def over(now: datetime, most: int, passing_over: Collection[uuid.UUID] = ()) -> list[uuid.UUID]:
    """The assignments, up to `most`, with grants whose time is up, the longest overdue first."""
    found = Grant.objects.filter(ENDING, ends_at__lte=now).exclude(assignment__in=passing_over).order_by("ends_at")
    return list(dict.fromkeys(found.values_list("assignment_id", flat=True)[: most * 4]))[:most]


def end_grants(now: datetime, most: int = 500) -> Iterator[uuid.UUID]:
    """Begins to revoke the grants of up to `most` assignments whose time is up; yields each of those assignments.

    By assignment, so that what several grants on one leave at the same moment is one deletion.
    """
    passed_over: set[uuid.UUID] = set()
    while chosen := over(now, most, passed_over):
        before = len(passed_over)
        for assignment_id in chosen:
            try:
                ended = _end_grants_of(assignment_id, now)
            except Exception:
                # Whatever is wrong with one, or with many, must not keep the others from ending; it is tried again at
                # the next look, and alarmed.
                log.exception("grants_not_ended", assignment=str(assignment_id))
                ended = False
            if ended:
                yield assignment_id
            else:
                passed_over.add(assignment_id)
        if len(passed_over) - before < most:
            return


def _end_grants_of(assignment_id: uuid.UUID, now: datetime) -> bool:
    """Whether it could be done now: one that somebody else works on is not waited for, for others end as well."""
    with transaction.atomic():
        ending = Grant.objects.filter(ENDING, ends_at__lte=now, assignment_id=assignment_id)
        if not list(Assignment.objects.select_for_update(skip_locked=True).filter(pk=assignment_id).values_list("pk")):
            return False
        requests = AccessRequest.objects.filter(grants__in=ending)
        list(requests.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
        held = ending.select_for_update(of=("self",)).select_related("account").order_by("pk")
        grants.begin_revoking(held, EndReason.EXPIRED, actor=CLOCK, now=now)
        return True


def end_grants_of_inactive(now: datetime) -> list[uuid.UUID]:
    """Begins to revoke what people hold who are disabled; the assignments to converge."""
    left = Grant.objects.filter(status__in=LIVE_GRANT, request__requester__is_active=False)
    assignments: list[uuid.UUID] = []
    for request_id in list(left.values_list("request_id", flat=True).distinct()[:100]):
        try:
            with transaction.atomic():
                _, held = grants.lock(request_id)
                why = "The person is disabled."
                ended = grants.begin_revoking(held, EndReason.OFFBOARDED, actor=CLOCK, now=now, reason=why)
        except Exception:
            log.exception("grants_not_ended", request=str(request_id))
        else:
            assignments += [grant.assignment_id for grant in ended]
    return assignments


def starting(now: datetime) -> list[uuid.UUID]:
    """Takes the approved requests whose start has come, each put off a little so that nobody else takes it."""
    ready = AccessRequest.objects.filter(status=RequestStatus.APPROVED, start_due_at__lte=now)
    chosen = list(ready.order_by("start_due_at").values_list("pk", flat=True)[:100])
    return [pk for pk in chosen if ready.filter(pk=pk).update(start_due_at=now + DISPATCHED)]


def start(request_id: uuid.UUID, provisioner: Provisioner) -> list[uuid.UUID]:
    """Starts an approved request: checks again that it may, then leases each account; the assignments to converge.

    The person, the role, the policies and the digest are checked as they are now. If AWS cannot be asked who the
    person is, the request stays approved, says why, and is tried again.
    """
    request = AccessRequest.objects.select_related("requester").get(pk=request_id)
    if request.status != RequestStatus.APPROVED or request.start_due_at is None:
        return []
    if request.start and request.start > clock.now():
        # A message is no reason to begin before the time that was agreed to.
        return []
    user = request.requester
    try:
        principal = _principal(user, provisioner)
    except Refused as error:
        _refuse_start(request_id, Verdict(False, str(error), "principal"))
        return []
    except ProvisionerError as error:
        later = clock.now() + RETRY_START
        waiting = AccessRequest.objects.filter(pk=request_id, status=RequestStatus.APPROVED)
        waiting.update(trouble=str(error), start_due_at=later)
        return []
    with transaction.atomic():
        now = clock.now()
        accounts = list(request.accounts.order_by("account_id"))
        assignments = [_assignment(principal, request, account) for account in accounts]
        list(Assignment.objects.select_for_update().filter(pk__in=[row.pk for row in assignments]).order_by("pk"))
        # With an extension the request that it extends, so that nobody ends the one while the other begins.
        involved = AccessRequest.objects.filter(Q(pk=request_id) | Q(extensions=request_id)).values("pk")
        list(AccessRequest.objects.select_for_update(of=("self",)).filter(pk__in=involved).order_by("pk"))
        request = AccessRequest.objects.get(pk=request_id)
        if request.status != RequestStatus.APPROVED or request.start_due_at is None or request.grants.exists():
            return []
        verdict = evidence.supports(request, principal) and judging.judge_again(people.load(user.pk), request, now)
        if verdict:
            for assignment in assignments:
                grant = Grant(request=request, account=assignment.account, assignment=assignment)
                begin(grant, actor=CLOCK, action=Action.GRANT_WAITING, data={})
            Assignment.objects.filter(pk__in=[row.pk for row in assignments]).update(due_at=now, attempts=0)
            AccessRequest.objects.filter(pk=request_id).update(start_due_at=None, trouble="")
            names = [str(account) for account in accounts]
            described = {"role": request.role.name, "environment": request.environment.name, "accounts": names}
            record(CLOCK, Action.REQUEST_STARTED, Subject("request", str(request_id)), described)
            return [row.pk for row in assignments]
    _refuse_start(request_id, verdict)
    return []


def _principal(user: Any, provisioner: Provisioner) -> str:
    """The person's Identity Center user id: looked up once and kept, and looked up again if it is no longer there."""
    if user.principal_id:
        try:
            provisioner.check_principal(user.principal_id)
        except Gone:
            log.warning("principal_gone", person=user.object_id)
        else:
            return str(user.principal_id)
    found = provisioner.find_principal(user.user_name)
    type(user).objects.filter(pk=user.pk).update(principal_id=found)
    return found


def _assignment(principal: str, request: AccessRequest, account: Any) -> Assignment:
    row, _ = Assignment.objects.get_or_create(
        principal_id=principal, permission_set_id=request.permission_set_id, account=account
    )
    return row


def _refuse_start(request_id: uuid.UUID, verdict: Verdict) -> None:
    """Ends an approved request that may not start after all, and tells the requester and those who approved it."""
    with transaction.atomic():
        now = clock.now()
        request = AccessRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        if request.status != RequestStatus.APPROVED or request.grants.exists():
            return
        transition(
            request,
            RequestStatus.FAILED,
            actor=CLOCK,
            reason=verdict.in_full,
            outcome=verdict.in_full,
            closed_at=now,
            start_due_at=None,
            trouble="",
        )
        approvers = request.decisions.values_list("decided_by_id", flat=True)
        outbox.add(request, "failed", [request.requester_id, *approvers], now=now)


def next_moment(now: datetime, until: datetime) -> datetime:
    """When something next falls due, at the latest `until`."""
    moments: tuple[datetime | None, ...] = (
        Grant.objects.filter(ENDING).aggregate(at=Min("ends_at"))["at"],
        Assignment.objects.filter(due_at__gt=now).aggregate(at=Min("due_at"))["at"],
        AccessRequest.objects.filter(status=RequestStatus.APPROVED).aggregate(at=Min("start_due_at"))["at"],
    )
    return min([until, *filter(None, moments)])
