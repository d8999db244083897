"""Who came to decide on an ask only after it was made: by joining a group, or by becoming somebody's manager.

As far as the ledger has heard of it from the directory. Whoever decides because an admin put another directory group
behind an approver group is none: it must help where nobody is left, and sensitive environments ask a second admin.
"""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth import get_user_model

from accessrequests.models import AccessRequest, RequestStage
from auditlog.actions import Action
from auditlog.models import Event
from catalog.membership import same_person
from catalog.models import AccessPolicy, DirectoryGroup, Sensitivity
from catalog.people import Person


def rule_against(request: AccessRequest) -> str:
    """The first policy by which the request was made that lets no newcomer agree; empty if they all do.

    One that was deleted or put out of force since says what it said last while it was in force: neither that, nor what
    somebody writes into it afterwards, opens anything.
    """
    made_by = {policy["id"] for policy in request.terms.get("policies", ())}
    in_force = list(AccessPolicy.objects.filter(pk__in=made_by, is_in_force=True))
    over = made_by - {policy.pk for policy in in_force}
    versions = AccessPolicy.history.filter(id__in=over, is_in_force=True).order_by("history_id") if over else ()
    last = {version.id: version for version in versions}
    for policy in sorted([*in_force, *last.values()], key=lambda each: str(each.name)):
        if keeps_out(policy.newcomers_agree, request.environment.sensitivity):
            return str(policy.name)
    return ""


def keeps_out(newcomers_agree: bool | None, sensitivity: int) -> bool:
    """Whether a policy that says so of newcomers, or nothing, lets none agree where it is so sensitive."""
    return sensitivity >= Sensitivity.PRODUCTION if newcomers_agree is None else not newcomers_agree


def has_moved_since(person: Person, moment: datetime) -> bool:
    """Whether the directory has since moved this person between groups, or described one of whom they are the manager.

    Without that nobody is a newcomer.
    """
    told = Event.objects.filter(subject_kind="person", at__gt=moment)
    if told.filter(subject_id=person.object_id, action=Action.PERSON_GROUPS_CHANGED).exists():
        return True
    reports = get_user_model().objects.filter(manager_object_id=person.object_id).values("object_id")
    return told.filter(subject_id__in=reports, action=Action.PERSON_CHANGED).exists()


def is_newcomer(person: Person, request: AccessRequest, stage: RequestStage) -> bool:
    """Whether this person came to all by which they could agree at this stage after the ask was made."""
    by_manager = stage.approver_group.is_requesters_manager and _is_manager(person, request)
    if by_manager and not _became_manager_since(person, request):
        return False
    groups = DirectoryGroup.objects.filter(approver_groups__in=stage.deciding_groups, object_id__in=person.groups)
    mine = set(groups.values_list("object_id", flat=True))
    # Nothing that is left to agree by is nothing that they had before.
    return mine <= set(_joined_since(person, request, mine))


def _joined_since(person: Person, request: AccessRequest, object_ids: Iterable[str]) -> Iterable[str]:
    """Those of the groups that an event since the ask says the person joined.

    What somebody was in when the portal first saw them is not news: since when, nobody has said. Of a further account
    of somebody whom it knows, it is.
    """
    is_known = get_user_model().objects.filter(same_person(person)).exclude(pk=person.user_id).exists()
    about = Event.objects.filter(subject_kind="person", subject_id=person.object_id)
    first = about.filter(action=Action.PERSON_GROUPS_CHANGED).order_by("number").first()
    created = about.filter(action=Action.PERSON_CREATED).order_by("number").first()
    moves = about.filter(action=Action.PERSON_GROUPS_CHANGED, at__gt=request.submitted_at).order_by("number")
    for move in moves:
        if not is_known and created and first and move.number == first.number == created.number + 1:
            continue
        joined = [str(each) for each in move.data.get("joined", ())]
        for object_id in object_ids:
            if any(each == object_id or each.endswith(f"({object_id})") for each in joined):
                yield object_id


def _is_manager(person: Person, request: AccessRequest) -> bool:
    requester = get_user_model().objects.filter(pk=request.requester_id, manager_object_id=person.object_id)
    return requester.exists()


def _became_manager_since(person: Person, request: AccessRequest) -> bool:
    """Whether an event since the ask says that the requester's manager became this person."""
    told = Event.objects.filter(subject_kind="person", subject_id=request.requester.object_id)
    for event in told.filter(action=Action.PERSON_CHANGED, at__gt=request.submitted_at):
        _, manager = (event.data.get("changes") or {}).get("manager") or ("", "")
        if manager == person.object_id or manager.endswith(f"({person.object_id})"):
            return True
    return False
