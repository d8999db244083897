"""Whether the ledger bears out what an approved request's row says: rows can be altered, the ledger cannot."""

from collections import Counter

from accessrequests import asked, permissions
from accessrequests.models import AccessRequest, Decision
from auditlog.actions import Action
from auditlog.models import Event
from catalog.policy import Verdict

RULE = "what is shown is what is granted"


def supports(request: AccessRequest, principal_id: str) -> Verdict:
    """Yes, if it was submitted as it stands now and each stage agreed: different people, none of them its holder.

    Args:
        request: approved, about to start.
        principal_id: the Identity Center user who would get the access.
    """
    events = Event.objects.filter(subject_kind="request", subject_id=str(request.pk))
    submitted = events.filter(action=Action.REQUEST_SUBMITTED).order_by("number").first()
    if (
        submitted is None
        or submitted.data.get("digest") != request.digest
        or asked.digest_now(request) != request.digest
    ):
        return Verdict(False, "What is in the database is not what was approved.", RULE)
    if not events.filter(action=Action.REQUEST_APPROVED).exists():
        return Verdict(False, "The ledger knows of no approval.", RULE)
    agreed: Counter[int] = Counter()
    counted = {Action.DECISION_MADE: 1, Action.DECISION_SET_ASIDE: -1}
    for event in events.filter(action__in=counted):
        if event.data.get("answer") == Decision.Answer.APPROVE and event.data.get("digest") == request.digest:
            agreed[event.data["stage"]] += counted[Action(event.action)]
    if any(agreed[stage.position] < stage.approvals_needed for stage in request.stages.all()):
        return Verdict(False, "The ledger knows of fewer approvals than its stages need.", RULE)
    if request.decisions.filter(decided_by__principal_id=principal_id).exists():
        reason = "Somebody who approved it is the Identity Center user who would get the access."
        return Verdict(False, reason, "self-approval")
    return permissions.by_different_people(request)
