"""Who may do what with a request at this moment; pages show and grey out their buttons by the same answers."""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.db.models import F, Q, QuerySet

from accessrequests import extensions, newcomers
from accessrequests.models import AccessRequest, Decision, Grant, RequestStage
from accessrequests.states import LIVE_GRANT, NOT_IN_VAIN, GrantStatus, RequestStatus
from catalog.models import ApproverGroup
from catalog.people import Person
from catalog.policy import Verdict

YES = Verdict(True, "", "")
LOCAL_DECIDES_NOTHING = Verdict(
    False, "A local administrator looks after the portal, and decides on no request.", "local administrator"
)
NOTHING_TO_EXTEND = Verdict(False, "The access that it was to extend has ended.", "extension")


def decided_by(person: Person) -> Q:
    """The stages at which this person is in a group that may decide, by what they may agree or refuse."""
    in_group = Q(approver_group__directory_groups__object_id__in=person.groups)
    escalated = Q(escalated_at__isnull=False, escalation_group__directory_groups__object_id__in=person.groups)
    return in_group | escalated


def visible_to(person: Person) -> QuerySet[AccessRequest]:
    """The requests this person may read: their own, those of their approver groups; admin and compliance: all."""
    if not person.is_active:
        return AccessRequest.objects.none()
    if person.is_admin or person.is_compliance:
        return AccessRequest.objects.all()
    mine = RequestStage.objects.filter(decided_by(person))
    decided = Q(decisions__decided_by_id=person.user_id)
    return AccessRequest.objects.filter(
        Q(requester_id=person.user_id)
        | Q(pk__in=mine.values("request_id"))
        | Q(pk__in=AccessRequest.objects.filter(decided).values("pk"))
    )


def queue_of(person: Person, now: datetime) -> QuerySet[AccessRequest]:
    """The requests that wait for this person's decision now, the oldest first."""
    decided = Decision.objects.filter(decided_by=person.user_id, set_aside_at=None)
    return _at_their_stage(person, now).exclude(_own(person)).exclude(pk__in=decided.values("request_id"))


def own_at_their_stage(person: Person, now: datetime) -> QuerySet[AccessRequest]:
    """What waits for a group that this person is in, and is their own: others of the group must decide."""
    return _at_their_stage(person, now).filter(_own(person))


def _at_their_stage(person: Person, now: datetime) -> QuerySet[AccessRequest]:
    """The requests that a group decides on now which this person is in, the oldest first."""
    if not person.is_active or person.is_local:
        return AccessRequest.objects.none()
    current = RequestStage.objects.filter(
        decided_by(person),
        request__status=RequestStatus.PENDING,
        position=F("request__stage"),
    )
    waiting = AccessRequest.objects.filter(pk__in=current.values("request_id"), lapses_at__gt=now)
    return waiting.order_by("submitted_at")


def _own(person: Person) -> Q:
    """Requests of this person, or for the same Identity Center user."""
    own = Q(requester_id=person.user_id) | Q(requester__user_name__iexact=person.user_name)
    return own | Q(requester__principal_id=person.principal_id) if person.principal_id else own


def deciders(request: AccessRequest) -> list[str]:
    """The names of those who may decide at its present stage, as far as that follows from groups and decisions."""
    stage = request.stages.filter(position=request.stage).select_related("approver_group", "escalation_group").first()
    groups = stage.deciding_groups if stage else []
    voted = request.decisions.filter(set_aside_at=None).values("decided_by_id")
    people = get_user_model().objects.filter(is_active=True, directory_groups__approver_groups__in=groups)
    chosen = people.exclude(pk=request.requester_id).exclude(pk__in=voted).order_by("name")
    return list(chosen.distinct().values_list("name", flat=True))


def has_a_say(person: Person) -> bool:
    """Whether this person is in any group that decides, or has ever decided."""
    groups = ApproverGroup.objects.filter(directory_groups__object_id__in=person.groups)
    return groups.exists() or Decision.objects.filter(decided_by_id=person.user_id).exists()


def may_decide(person: Person, request: AccessRequest, now: datetime) -> Verdict:
    """Whether this person may agree or refuse at the request's present stage."""
    if not person.is_active:
        return Verdict(False, "You are disabled in the directory.", "people")
    if person.is_local:
        return LOCAL_DECIDES_NOTHING
    if request.status != RequestStatus.PENDING:
        return Verdict(False, f"It is already decided: {request.get_status_display().lower()}.", "once")
    if request.lapses_at <= now:
        return Verdict(False, "The time to decide is over.", "lapse")
    if request.extends_id and not extensions.held(request.extends_id, now).exists():
        return NOTHING_TO_EXTEND
    if not (verdict := is_of_another(person, request)):
        return verdict
    if request.decisions.filter(decided_by_id=person.user_id, set_aside_at=None).exists():
        return Verdict(False, "You have decided on this request; another person must decide now.", "distinct people")
    stage = request.stages.filter(position=request.stage).select_related("approver_group", "escalation_group").first()
    if stage is None:
        return Verdict(False, "No stage is left to decide.", "stages")
    if not request.stages.filter(decided_by(person), pk=stage.pk).exists():
        names = " or ".join(map(str, stage.deciding_groups))
        return Verdict(False, f"{names} decides at this stage, and you are not in it.", stage.rule)
    if newcomers.is_newcomer(person, request, stage) and (rule := newcomers.rule_against(request)):
        joined = f"You joined {' or '.join(map(str, stage.deciding_groups))} after this was asked for"
        return Verdict(False, f"{joined}, and “{rule}” lets only those agree who were in it before.", rule)
    return YES


def is_of_another(person: Person, request: AccessRequest) -> Verdict:
    """Whether a request is neither this person's own nor for the same Identity Center user."""
    if person.user_id == request.requester_id:
        return Verdict(False, "Nobody decides on their own request.", "self-approval")
    if _same_principal(person, request):
        return Verdict(
            False,
            "This request is for the same Identity Center user as you; nobody decides on their own request.",
            "self-approval",
        )
    return YES


def _same_principal(person: Person, request: AccessRequest) -> bool:
    requester = request.requester
    if person.object_id == requester.object_id:
        return True
    if person.principal_id and person.principal_id == requester.principal_id:
        return True
    return bool(person.user_name) and person.user_name.casefold() == requester.user_name.casefold()


def may_withdraw(person: Person, request: AccessRequest) -> Verdict:
    """Whether this person may take the request back before it has started."""
    if person.user_id != request.requester_id:
        return Verdict(False, "Only the person who asked may withdraw it.", "requester")
    if request.status == RequestStatus.PENDING:
        return YES
    if has_not_begun(request):
        return YES
    return Verdict(False, "It is too late to withdraw it.", "state")


def may_give_back(person: Person, request: AccessRequest) -> Verdict:
    """Whether this person may end the access early, with all that extends it or that it extends."""
    if person.user_id != request.requester_id:
        return Verdict(False, "Only the person who has it may give it back.", "requester")
    return _has_live_grants(request)


def may_revoke(person: Person, request: AccessRequest) -> Verdict:
    """Whether this person may end somebody's access now: an admin, or a member of a group that decides on it.

    It ends with all that extends it or that it extends, whoever decided on those.
    """
    if not person.is_active:
        return Verdict(False, "You are disabled in the directory.", "people")
    in_a_stage = request.stages.filter(decided_by(person)).exists()
    if not (person.is_admin or in_a_stage):
        return Verdict(False, "Only its approvers and admins may revoke it.", "approver or admin")
    # What is approved and has not begun can be stopped like what has.
    return YES if has_not_begun(request) else _has_live_grants(request)


def has_not_begun(request: AccessRequest) -> bool:
    """Whether it is approved and holds nothing yet."""
    return request.status == RequestStatus.APPROVED and not request.grants.exists()


def _has_live_grants(request: AccessRequest) -> Verdict:
    if any(grant.status in LIVE_GRANT for grant in request.grants.all()):
        return YES
    others = extensions.chain(request.pk)
    if len(others) > 1 and Grant.objects.filter(request__in=others, status__in=LIVE_GRANT).exists():
        return YES
    return Verdict(False, "There is no access to end.", "state")


def may_extend(person: Person, request: AccessRequest, now: datetime) -> Verdict:
    """Whether this person may ask for more time on a request; how much there may be, the policies say."""
    if not person.is_active:
        return Verdict(False, "You are disabled in the directory.", "people")
    if person.user_id != request.requester_id:
        return Verdict(False, "Only the person who has it may ask for more time.", "requester")
    if not to_extend(request, now):
        return Verdict(False, "There is no active access to extend.", "state")
    for extension in request.extensions.all():
        if extension.status in (RequestStatus.PENDING, RequestStatus.APPROVED):
            return Verdict(
                False, "You have asked for more time already; that has to be settled first.", "one at a time"
            )
        if extension.status in NOT_IN_VAIN:
            return Verdict(False, "It was extended; ask for more time on the request that extends it.", "one at a time")
    return YES


def to_extend(request: AccessRequest, now: datetime) -> list[Grant]:
    """The grants of an active request on which more time can be asked for now."""
    if request.status != RequestStatus.ACTIVE:
        return []
    active = [grant for grant in request.grants.all() if grant.status == GrantStatus.ACTIVE]
    return [grant for grant in active if grant.ends_at and grant.ends_at > now]
