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
    counts = _put_out(user, EndReason.OFFBOARDED, reason, actor)
    data: dict[str, Any] = {"person": user.name, "reason": reason, "because": because}
    record(actor, Action.PERSON_LEFT, Subject("person", user.object_id), data | counts)
    return True


@transaction.atomic
def lock_out(user_id: int, reason: str, *, actor: Actor) -> bool:
    """Locks a person out, with all that follows when somebody leaves; whether they were in.

    No directory takes them back: only `unlock` does.
    """
    people.hold(user_id)
    user = get_user_model().objects.get(pk=user_id)
    if not user.is_active and user.left_at is None:
        return False
    # Whoever had left already does not return by themselves any more, either.
    user.left_at, user.left_because = None, ""
    counts = _put_out(user, EndReason.LOCKED, f"Locked out by {actor.name}", actor)
    data: dict[str, Any] = {"person": user.name, "reason": reason}
    record(actor, Action.PERSON_LOCKED, Subject("person", user.object_id), data | counts)
    return True


@transaction.atomic
def unlock(user_id: int, reason: str, *, actor: Actor) -> bool:
    """Lets a person who was locked out in again; what they held and asked for stays ended. Whether they were."""
    people.hold(user_id)
    user = get_user_model().objects.get(pk=user_id)
    if user.is_active or user.left_at is not None or user.is_local:
        return False
    user.is_active = True
    # The directory may have let them go meanwhile.
    user.to_check = True
    user.save(update_fields=["is_active", "to_check"])
    data: dict[str, Any] = {"person": user.name, "reason": reason}
    record(actor, Action.PERSON_UNLOCKED, Subject("person", user.object_id), data)
    return True


def _put_out(user: Any, why: EndReason, reason: str, actor: Actor) -> dict[str, Any]:
    """Ends sessions, access, requests and votes of a person whose row is about to say so; how much there was."""
    adopted = _adopted_by(user)
    held = grants.lock_all(lambda: _concerned(user.pk))
    now = clock.now()
    user.is_active = False
    # No session that was begun with the old one is good any longer.
    user.session_key = secrets.token_urlsafe()
    user.save(update_fields=["is_active", "left_at", "left_because", "session_key"])
    ended = grants.begin_revoking(held, why, actor=actor, now=now, reason=f"{reason}.")
    for grant in ended:
        tasks.send_after_commit(tasks.remove, str(grant.assignment_id))
    for assignment in adopted:
        _end_adopted(assignment, reason, actor, now)
    withdrawn = _withdraw(user.pk, reason, actor, now)
    set_aside = _set_aside(user, reason, actor, now)
    return {
        "grants_ended": len(ended),
        "adopted_ended": len(adopted),
        "withdrawn": withdrawn,
        "set_aside": set_aside,
    }


def _adopted_by(user: Any) -> list[Assignment]:
    """The standing access of a person that an admin has adopted and whose end is ahead, locked."""
    named = Finding.objects.filter(status=FindingStatus.ADOPTED, principal_name__iexact=user.user_name)
    theirs = Q(principal_id__in=named.values("principal_id"))
    if user.principal_id:
        theirs = Q(principal_id=user.principal_id)
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


def _concerned(user_id: int) -> list[uuid.UUID]:
    """The open requests of the person, and the undecided ones on which they have decided."""
    own = Q(requester_id=user_id, status__in=OPEN_REQUEST)
    votes = Decision.objects.filter(decided_by_id=user_id, set_aside_at=None, request__status=RequestStatus.PENDING)
    return list(AccessRequest.objects.filter(own | Q(pk__in=votes.values("request_id"))).values_list("pk", flat=True))


def _withdraw(user_id: int, reason: str, actor: Actor, now: datetime) -> list[str]:
    """Withdraws what has not begun; the ids."""
    withdrawn = []
    for request in AccessRequest.objects.filter(requester_id=user_id, status__in=OPEN_REQUEST).order_by("pk"):
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


def _set_aside(user: Any, reason: str, actor: Actor, now: datetime) -> list[str]:
    """Sets the person's votes on undecided requests aside and asks those stages anew; the ids of the requests."""
    votes = Decision.objects.filter(decided_by=user, set_aside_at=None, request__status=RequestStatus.PENDING)
    concerned = []
    for vote in votes.select_related("request", "approver_group").order_by("request_id"):
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
            "person": user.name,
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
