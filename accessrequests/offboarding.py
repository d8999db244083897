"""What follows when a person leaves or is locked out: nothing of theirs goes on, and no vote half counted counts."""

import secrets
import uuid
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q

from accessrequests import escalation, grants, permissions, standing, tasks
from accessrequests.lifecycle import transition
from accessrequests.models import AccessRequest, Assignment, Decision, Finding
from accessrequests.states import OPEN_REQUEST, EndReason, FindingStatus, RequestStatus
from auditlog import clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.history import attribute, latest_digest
from auditlog.ledger import Subject, record
from catalog import people


@transaction.atomic
def leave(user_id: int, because: str, reason: str, *, actor: Actor) -> bool:
    """Offboards a person: signed out everywhere, their requests withdrawn, their access ended, their votes set aside.

    Standing access that an admin has adopted ends, too; what nobody has adopted stays, and stays a finding.
    Votes on what is decided already stay: its start looks again at whether the right people have agreed.

    Args:
        user_id: who left.
        because: how, as the person's row keeps it.
        reason: the same as a sentence without a full stop, for the ledger and for those who read of it.
        actor: who found it out.

    Returns whether there was anything to do: nobody leaves twice, and whoever is locked out stays so.
    """
    people.hold(user_id)
    user = get_user_model().objects.get(pk=user_id)
    if not user.is_active:
        return False
    user.left_at = clock.now()
    user.left_because = because
    counts = _put_out([user], EndReason.OFFBOARDED, reason, actor)
    data: dict[str, Any] = {"person": user.name, "reason": reason, "because": because}
    record(actor, Action.PERSON_LEFT, Subject("person", user.object_id), data | counts)
    return True


@transaction.atomic
def lock_out(user_id: int, reason: str, *, actor: Actor) -> list[Any]:
    """Locks a person out by all their accounts, with all that follows when somebody leaves.

    No directory takes them back: only `unlock` does. An account by which they had left stays as it is, unless it is
    the one that is named: `people.locked_account` keeps them from returning by it.

    Returns the accounts that were put out; none if there was nothing to do.
    """
    rows = people.hold_accounts(people.load(user_id))
    put_out = [row for row in rows if row.is_active or (row.pk == user_id and row.left_at)]
    if not put_out:
        return []
    for row in put_out:
        row.left_at, row.left_because = None, ""
    counts = _put_out(put_out, EndReason.LOCKED, f"Locked out by {actor.name}", actor)
    # How much there was stands with the account that was named.
    _record_each(put_out, Action.PERSON_LOCKED, reason, actor, {user_id: counts})
    return put_out


@transaction.atomic
def unlock(user_id: int, reason: str, *, actor: Actor) -> list[Any]:
    """Lets a person in again by all their accounts that were locked out; what they held and asked for stays ended.

    Returns those accounts; none if there was nothing to do.
    """
    locked = [row for row in people.hold_accounts(people.load(user_id)) if row.is_locked_out]
    for row in locked:
        row.is_active = True
        # The directory may have let them go meanwhile.
        row.to_check = True
        row.save(update_fields=["is_active", "to_check"])
    _record_each(locked, Action.PERSON_UNLOCKED, reason, actor, {})
    return locked


def _record_each(rows: list[Any], action: Action, reason: str, actor: Actor, counts: dict[int, dict[str, Any]]) -> None:
    """Records it about every account, for each is looked up by its own record, and with which others it happened."""
    for row in rows:
        data: dict[str, Any] = {"person": row.name, "reason": reason}
        if others := [people.told(each) for each in rows if each.pk != row.pk]:
            data["together_with"] = others
        record(actor, action, Subject("person", row.object_id), data | counts.get(row.pk, {}))


def _put_out(rows: list[Any], why: EndReason, reason: str, actor: Actor) -> dict[str, Any]:
    """Ends sessions, access, requests and votes by accounts whose rows are about to say so; how much there was."""
    adopted = _adopted_by(rows)
    held = grants.lock_all(lambda: _concerned(rows))
    now = clock.now()
    for row in rows:
        row.is_active = False
        # No session that was begun with the old one is good any longer.
        row.session_key = secrets.token_urlsafe()
        row.save(update_fields=["is_active", "left_at", "left_because", "session_key"])
    ended = grants.begin_revoking(held, why, actor=actor, now=now, reason=f"{reason}.")
    for grant in ended:
        tasks.send_after_commit(tasks.remove, str(grant.assignment_id))
    for assignment in adopted:
        _end_adopted(assignment, reason, actor, now)
    withdrawn = _withdraw(rows, reason, actor, now)
    set_aside = _set_aside(rows, reason, actor, now)
    return {
        "grants_ended": len(ended),
        "adopted_ended": len(adopted),
        "withdrawn": withdrawn,
        "set_aside": set_aside,
    }


def _adopted_by(rows: list[Any]) -> list[Assignment]:
    """The standing access by these accounts that an admin has adopted and whose end is ahead, locked."""
    theirs = Q(pk__in=())
    for row in rows:
        named = Finding.objects.filter(status=FindingStatus.ADOPTED, principal_name__iexact=row.user_name)
        by_name = Q(principal_id__in=named.values("principal_id"))
        theirs |= Q(principal_id=row.principal_id) if row.principal_id else by_name
    ahead = Assignment.objects.filter(theirs, adopted_until__gt=clock.now())
    return list(ahead.select_for_update(of=("self",)).order_by("pk"))


def _end_adopted(assignment: Assignment, reason: str, actor: Actor, now: datetime) -> None:
    """Has adopted access taken away now, as an admin's removal would."""
    assignment.adopted_until, assignment.due_at, assignment.attempts = now, now, 0
    attribute(assignment, actor, reason)
    assignment.save()
    same = {name: getattr(assignment, name) for name in ("principal_id", "permission_set_id", "account_id")}
    findings = Finding.objects.select_for_update(of=("self",)).select_related("account", "permission_set")
    for finding in findings.filter(status=FindingStatus.ADOPTED, **same).order_by("pk"):
        changes = {"status": FindingStatus.REMOVING, "until": now}
        standing.change(finding, Action.FINDING_REMOVED, actor, f"{reason}.", **changes)
    tasks.send_after_commit(tasks.remove, str(assignment.pk))


@transaction.atomic
def take_back(user_id: int, reason: str, *, actor: Actor) -> bool:
    """Takes a person who had left back in; what they held and asked for stays ended. Whether they had left."""
    people.hold(user_id)
    user = get_user_model().objects.get(pk=user_id)
    if user.is_active or user.left_at is None:
        return False
    user.is_active = True
    user.left_at = None
    user.left_because = ""
    user.save(update_fields=["is_active", "left_at", "left_because"])
    data: dict[str, Any] = {"person": user.name, "reason": reason}
    record(actor, Action.PERSON_RETURNED, Subject("person", user.object_id), data)
    return True


def _concerned(rows: list[Any]) -> list[uuid.UUID]:
    """The open requests by these accounts, and the undecided ones on which they have decided."""
    own = Q(requester__in=rows, status__in=OPEN_REQUEST)
    votes = Decision.objects.filter(decided_by__in=rows, set_aside_at=None, request__status=RequestStatus.PENDING)
    return list(AccessRequest.objects.filter(own | Q(pk__in=votes.values("request_id"))).values_list("pk", flat=True))


def _withdraw(rows: list[Any], reason: str, actor: Actor, now: datetime) -> list[str]:
    """Withdraws what has not begun; the ids."""
    withdrawn = []
    for request in AccessRequest.objects.filter(requester__in=rows, status__in=OPEN_REQUEST).order_by("pk"):
        if request.status == RequestStatus.PENDING or permissions.has_not_begun(request):
            transition(
                request,
                RequestStatus.WITHDRAWN,
                actor=actor,
                reason=reason,
                closed_at=now,
                start_due_at=None,
                outcome=f"{reason}.",
            )
            withdrawn.append(str(request.pk))
    return withdrawn


def _set_aside(rows: list[Any], reason: str, actor: Actor, now: datetime) -> list[str]:
    """Sets the votes by these accounts on undecided requests aside and asks those stages anew; the requests' ids."""
    votes = Decision.objects.filter(decided_by__in=rows, set_aside_at=None, request__status=RequestStatus.PENDING)
    concerned = []
    for vote in votes.select_related("request", "approver_group", "decided_by").order_by("request_id"):
        request = vote.request
        vote.set_aside_at = now
        attribute(vote, actor, reason)
        vote.save()
        history = [latest_digest(vote)]
        if vote.stage < request.stage:
            request.stage = vote.stage
            attribute(request, actor, reason)
            request.save(update_fields=["stage"])
            history.append(latest_digest(request))
        data: dict[str, Any] = {
            "person": vote.decided_by.name,
            "answer": vote.answer,
            "verdict": Decision.Answer(vote.answer).label.lower(),
            "stage": vote.stage,
            "approver_group": vote.approver_group.name,
            "digest": vote.digest,
            "role": request.role.name,
            "environment": request.environment.name,
            "reason": reason,
            "history": history,
        }
        record(actor, Action.DECISION_SET_ASIDE, Subject("request", str(request.pk)), data)
        escalation.open_stage(request, request.stages.get(position=vote.stage), now)
        concerned.append(str(request.pk))
    return concerned
