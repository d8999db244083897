"""Who joined an approver group only after an ask was made: as far as the ledger has heard of it from the directory."""

from collections.abc import Iterable
from datetime import datetime

from accessrequests.models import AccessRequest, RequestStage
from auditlog.actions import Action
from auditlog.models import Event
from catalog.models import AccessPolicy, DirectoryGroup, Sensitivity
from catalog.people import Person


def rule_against(request: AccessRequest) -> str:
    """The first policy by which the request was made that lets no newcomer agree; empty if they all do."""
    made_by = [policy["id"] for policy in request.terms.get("policies", ())]
    for policy in AccessPolicy.objects.filter(pk__in=made_by).order_by("name"):
        if policy.newcomers_agree is False:
            return policy.name
        if policy.newcomers_agree is None and request.environment.sensitivity >= Sensitivity.PRODUCTION:
            return policy.name
    return ""


def has_moved_since(person: Person, moment: datetime) -> bool:
    """Whether the directory has moved this person between groups since then: without that nobody is a newcomer."""
    moves = Event.objects.filter(subject_kind="person", subject_id=person.object_id, at__gt=moment)
    return moves.filter(action=Action.PERSON_GROUPS_CHANGED).exists()


def is_newcomer(person: Person, request: AccessRequest, stage: RequestStage) -> bool:
    """Whether this person came into every group by which they could agree at this stage after the ask was made."""
    groups = DirectoryGroup.objects.filter(approver_groups__in=stage.deciding_groups, object_id__in=person.groups)
    mine = set(groups.values_list("object_id", flat=True))
    return bool(mine) and mine <= set(_joined_since(person, request, mine))


def _joined_since(person: Person, request: AccessRequest, object_ids: Iterable[str]) -> Iterable[str]:
    """Those of the groups that an event since the ask says the person joined.

    What somebody was in when the portal first saw them is not news: since when, nobody has said.
    """
    about = Event.objects.filter(subject_kind="person", subject_id=person.object_id)
    first = about.filter(action=Action.PERSON_GROUPS_CHANGED).order_by("number").first()
    created = about.filter(action=Action.PERSON_CREATED).order_by("number").first()
    moves = about.filter(action=Action.PERSON_GROUPS_CHANGED, at__gt=request.submitted_at).order_by("number")
    for move in moves:
        if created and first and move.number == first.number == created.number + 1:
            continue
        joined = [str(each) for each in move.data.get("joined", ())]
        for object_id in object_ids:
            if any(each == object_id or each.endswith(f"({object_id})") for each in joined):
                yield object_id
