"""Tells whoever has become somebody's manager of what waits for them by that."""

from datetime import datetime

from django.db.models import F

from accessrequests.models import RequestStage
from accessrequests.notifications import outbox
from accessrequests.states import RequestStatus


def tell(user_id: int, now: datetime) -> None:
    """Tells the present manager of this person of the asks at whose present stage the manager decides."""
    waiting = RequestStage.objects.filter(
        approver_group__is_requesters_manager=True,
        request__requester=user_id,
        request__status=RequestStatus.PENDING,
        position=F("request__stage"),
    )
    for stage in waiting.select_related("request__requester", "approver_group"):
        outbox.add_for_group(stage.request, stage, stage.approver_group, now=now)
