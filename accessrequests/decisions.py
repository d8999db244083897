"""What becomes of a request that somebody decides: each yes or no counted under lock, and what settles it."""

import uuid
from collections import Counter
from datetime import datetime

from django.db import transaction

from accessrequests import asked, escalation, judging, permissions, tasks
from accessrequests.lifecycle import transition
from accessrequests.models import AccessRequest, Decision, RequestStage
from accessrequests.notifications import outbox
from accessrequests.refusals import Refused, record_refusal
from accessrequests.states import RequestStatus
from auditlog import clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.history import attribute, latest_digest
from auditlog.ledger import Subject, record
from catalog import people
from catalog.people import Person
from catalog.policy import Verdict, unproven
from catalog.step_up import Proof


def decide(
    user_id: int,
    request_id: uuid.UUID,
    answer: Decision.Answer,
    comment: str,
    digest: str,
    proofs: tuple[Proof, ...] = (),
) -> AccessRequest:
    """Counts one approver's yes or no at the present stage, and moves the request on when that settles it.

    Args:
        user_id: who decides.
        request_id: on what.
        answer: yes or no.
        comment: why; a no must say.
        digest: of the request as this person was shown it.
        proofs: what this person has shown of who they are; a policy may ask those who agree for it.

    Raises:
        Refused: the person may not decide now, or was shown something else; the refusal is recorded.
    """
    person = people.load(user_id)
    now = clock.now()
    try:
        with transaction.atomic():
            # First of all, as everybody does who locks a person: either they leave before, or this decision is seen.
            person = people.hold(user_id)
            request = AccessRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
            may = permissions.may_deny if answer == Decision.Answer.DENY else permissions.may_agree
            if not (verdict := may(person, request, now)):
                raise Refused(verdict)
            if digest != request.digest or asked.digest_now(request) != request.digest:
                raise Refused(
                    Verdict(
                        False,
                        "The request is not what you were shown; look at it again.",
                        "what is shown is what is granted",
                    )
                )
            if answer == Decision.Answer.DENY and not comment.strip():
                raise Refused(Verdict(False, "Say why; the person who asks will read it.", "reason", "comment"))
            # To refuse endangers nothing, and must not wait.
            demands = judging.demanded_to_decide(request) if answer == Decision.Answer.APPROVE else ()
            if lacking := tuple(unproven(demands, proofs, person.object_id, now)):
                raise Refused(*lacking)
            _decide(person, request, answer, comment.strip(), now, judging.used(demands, proofs))
    except Refused as refused:
        # A forgotten comment is no attempt at anything, and no history.
        if not any(refusal.field == "comment" for refusal in refused.refusals):
            record_refusal(person, Action.DECISION_REFUSED, request_id, refused.refusals)
        raise
    return request


def _decide(
    person: Person,
    request: AccessRequest,
    answer: Decision.Answer,
    comment: str,
    now: datetime,
    proof: list[dict[str, str]] | None,
) -> None:
    stage = request.stages.select_related("approver_group", "escalation_group").get(position=request.stage)
    decision = Decision(
        request=request,
        stage=stage.position,
        approver_group=stage.approver_group,
        decided_by_id=person.user_id,
        answer=answer,
        comment=comment,
        digest=request.digest,
        decided_at=now,
        proof=proof,
    )
    attribute(decision, person.actor, comment)
    decision.save(force_insert=True)
    history = [latest_digest(decision)]
    agreed = Counter(
        request.decisions.filter(answer=Decision.Answer.APPROVE, set_aside_at=None).values_list("stage", flat=True)
    )
    is_agreed = answer == Decision.Answer.APPROVE and agreed[stage.position] >= stage.approvals_needed
    # A stage after this one may have agreed already, if one before it had to be asked anew.
    later = request.stages.filter(position__gt=stage.position)
    following = next((row for row in later if agreed[row.position] < row.approvals_needed), None)
    if is_agreed and following is not None:
        request.stage = following.position
        attribute(request, person.actor)
        request.save(update_fields=["stage"])
        history.append(latest_digest(request))
    data: dict[str, JSON] = {
        "answer": str(answer),
        "verdict": Decision.Answer(answer).label.lower(),
        "stage": stage.position,
        "approver_group": stage.approver_group.name,
        "comment": comment,
        "digest": request.digest,
        "role": request.role.name,
        "environment": request.environment.name,
        "history": history,
    }
    if by := _escalated_to(person, stage):
        data["escalated_to"] = by
    if proof:
        data["proof"] = [{**each} for each in proof]
    record(person.actor, Action.DECISION_MADE, Subject("request", str(request.pk)), data)
    if answer == Decision.Answer.DENY:
        transition(
            request,
            RequestStatus.DENIED,
            actor=person.actor,
            reason=comment,
            outcome=comment,
            decided_at=now,
            closed_at=now,
        )
        outbox.add(request, "denied", [request.requester_id], now=now, by=person.name)
        return
    if not is_agreed:
        return
    if following is None:
        approve(request, person.actor, now, "Every stage has agreed.")
        outbox.add(request, "approved", [request.requester_id], now=now)
    else:
        escalation.open_stage(request, following, now)


def _escalated_to(person: Person, stage: RequestStage) -> str:
    """The escalation group by which alone this person decides, if so; the decision counts as the stage's own."""
    if stage.approver_group.is_requesters_manager and stage.request.requester.manager_object_id == person.object_id:
        return ""
    own = stage.approver_group.directory_groups.filter(object_id__in=person.groups)
    return "" if own.exists() else str(stage.escalation_group)


def approve(request: AccessRequest, actor: Actor, now: datetime, reason: str) -> None:
    """Approves the request inside the caller's transaction, and has it started if it begins now."""
    start_at = max(request.start, now) if request.start else now
    transition(request, RequestStatus.APPROVED, actor=actor, reason=reason, decided_at=now, start_due_at=start_at)
    if start_at <= now:
        tasks.send_after_commit(tasks.start, str(request.pk))
