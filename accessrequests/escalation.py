"""A stage that is open for longer than its policy allows: its escalation group may decide, too, and is told."""

import uuid
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import F

from accessrequests.models import AccessRequest, RequestStage
from accessrequests.notifications import outbox
from accessrequests.states import RequestStatus
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.ledger import Subject, record
from catalog.policy import spell

log = structlog.get_logger(__name__)

CLOCK: Final = Actor.system("clock")


def open_stage(request: AccessRequest, stage: RequestStage, now: datetime) -> None:
    """Tells those who decide at this stage that it is their turn, and sets the time by which they should have.

    A stage that has escalated stays so when it is opened again.
    """
    if stage.escalates_after is not None and stage.escalated_at is None:
        stage.escalates_at = now + stage.escalates_after
        stage.save(update_fields=["escalates_at"])
    outbox.add_for_approvers(request, stage, now=now)


def escalate(now: datetime) -> int:
    """Escalates every open stage whose time is up; how many."""
    due = RequestStage.objects.filter(
        escalates_at__lte=now, request__status=RequestStatus.PENDING, position=F("request__stage")
    )
    count = 0
    for request_id in list(due.values_list("request_id", flat=True)[:100]):
        try:
            count += _escalate(request_id, now)
        except Exception:
            # Whatever is wrong with one must not keep the others waiting; the next sweep tries it again.
            log.exception("stage_not_escalated", request=str(request_id))
    return count


def _escalate(request_id: uuid.UUID, now: datetime) -> bool:
    with transaction.atomic():
        request = AccessRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        open_now = request.stages.filter(position=request.stage, escalates_at__lte=now)
        stage = open_now.select_related("approver_group", "escalation_group").first()
        if request.status != RequestStatus.PENDING or stage is None or stage.escalation_group is None:
            return False
        stage.escalated_at, stage.escalates_at = now, None
        stage.save(update_fields=["escalated_at", "escalates_at"])
        data: dict[str, Any] = {
            "role": request.role.name,
            "environment": request.environment.name,
            "stage": stage.position,
            "approver_group": stage.approver_group.name,
            "escalation_group": stage.escalation_group.name,
            "within": spell(stage.escalates_after) if stage.escalates_after else "",
            "rule": stage.rule,
        }
        record(CLOCK, Action.REQUEST_ESCALATED, Subject("request", str(request.pk)), data)
        why = f"{stage.approver_group} did not decide within {data['within']}, so you may decide, too."
        outbox.add_for_group(request, stage, stage.escalation_group, now=now, reason=why)
    return True
