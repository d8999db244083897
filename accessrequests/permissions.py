"""Who may do what with a request at this moment; pages show and grey out their buttons by the same answers."""

from collections.abc import Iterable
from datetime import datetime
from itertools import combinations
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, Q, QuerySet

from accessrequests import extensions, later, newcomers
from accessrequests.models import AccessRequest, Decision, Grant, RequestStage
from accessrequests.states import LIVE_GRANT, NOT_IN_VAIN, GrantStatus, RequestStatus
from catalog import people
from catalog.deciders import Deciding, needed_at
from catalog.models import ApproverGroup
from catalog.people import Person, same_person
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
    reports = Q(request__requester__manager_object_id=person.object_id)
    return in_group | escalated | (Q(approver_group__is_requesters_manager=True) & reports)


def could_decide_later(person: Person, requests: Iterable[Any]) -> set[Any]:
    """Those of the requests (by id) at another stage of which this person could decide, if only once it escalates.

    By whichever of their accounts.
    """
    accounts = _accounts_of(person)
    in_group = Q(approver_group__directory_groups__people__in=accounts)
    escalating = Q(escalation_group__directory_groups__people__in=accounts)
    reports = Q(request__requester__manager_object_id__in=accounts.values("object_id"))
    others = RequestStage.objects.filter(request__in=requests).exclude(position=F("request__stage"))
    could = others.filter(in_group | escalating | (Q(approver_group__is_requesters_manager=True) & reports))
    return set(could.values_list("request_id", flat=True))


def in_groups(groups: Iterable[ApproverGroup], requester: Any) -> Q:
    """The people who are in any of these groups when this person (a row) has asked."""
    found = Q(directory_groups__approver_groups__in=[group for group in groups if not group.is_requesters_manager])
    if requester.manager_object_id and any(group.is_requesters_manager for group in groups):
        found |= Q(object_id=requester.manager_object_id)
    return found


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
    decided = Decision.objects.filter(decided_by__in=_accounts_of(person), set_aside_at=None)
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


def _accounts_of(person: Person) -> QuerySet[Any]:
    """This person's accounts; by whichever of them they decide, it is they who have."""
    rows: QuerySet[Any] = get_user_model().objects.filter(same_person(person)).values("pk")
    return rows


def _own(person: Person) -> Q:
    """Requests of this person, or for the same Identity Center user."""
    own = Q(requester_id=person.user_id) | Q(requester__user_name__iexact=person.user_name)
    return own | Q(requester__principal_id=person.principal_id) if person.principal_id else own


def deciders(request: AccessRequest) -> list[str]:
    """The names of those who may decide at its present stage, as far as that follows from groups and decisions."""
    stage = request.stages.filter(position=request.stage).select_related("approver_group", "escalation_group").first()
    groups = stage.deciding_groups if stage else []
    chosen = get_user_model().objects.filter(in_groups(groups, request.requester), is_active=True)
    votes = request.decisions.filter(set_aside_at=None).select_related("decided_by")
    decided = [people.identity(row) for row in (request.requester, *(vote.decided_by for vote in votes))]
    for each in (*decided, *later.needed(later.steps(request))):
        chosen = chosen.exclude(same_person(each))
    if stage:
        chosen = chosen.exclude(pk__in=newcomers.late_now(request, stage))
    return list(chosen.order_by("name").distinct().values_list("name", flat=True))


def has_a_say(person: Person) -> bool:
    """Whether this person is in any group that decides, or has ever decided."""
    reports = get_user_model().objects.filter(manager_object_id=person.object_id, is_active=True)
    manages = Q(is_requesters_manager=True) & Exists(reports)
    groups = ApproverGroup.objects.filter(Q(directory_groups__object_id__in=person.groups) | manages)
    return groups.exists() or Decision.objects.filter(decided_by_id=person.user_id).exists()


def may_agree(person: Person, request: AccessRequest, now: datetime) -> Verdict:
    """Whether this person may agree at the request's present stage."""
    return may_deny(person, request, now) and against_agreeing(person, request)


def may_deny(person: Person, request: AccessRequest, now: datetime) -> Verdict:
    """Whether this person may refuse at the request's present stage; whoever may not, may not agree either.

    A refusal gives nobody anything: it is open to all whom the stage asks, whenever they came and wherever else they
    are needed.
    """
    if not person.is_active:
        return Verdict(False, person.why_inactive(), "people")
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
    if request.decisions.filter(decided_by__in=_accounts_of(person), set_aside_at=None).exists():
        return Verdict(False, "You have decided on this request; another person must decide now.", "distinct people")
    stage = request.stages.filter(position=request.stage).select_related("approver_group", "escalation_group").first()
    if stage is None:
        return Verdict(False, "No stage is left to decide.", "stages")
    if not request.stages.filter(decided_by(person), pk=stage.pk).exists():
        return Verdict(False, _not_in(stage, request), stage.rule)
    return YES


def against_agreeing(person: Person, request: AccessRequest) -> Verdict:
    """Whether somebody who may refuse may agree, too."""
    stage = request.stages.filter(position=request.stage).select_related("approver_group", "escalation_group").get()
    # One more agreement would seem to be enough, and what was counted twice would not let it start.
    if not (different := by_different_people(request)):
        return different
    if could_decide_later(person, [request.pk]) and (step := needed_at(person, later.steps(request))):
        return Verdict(False, _needed_later(person, step, stage), step.stage.rule)
    if newcomers.is_newcomer(person, request, stage) and (rule := newcomers.rule_against(request)):
        return Verdict(False, _came_later(stage, request, rule), rule)
    return YES


def _not_in(stage: RequestStage, request: AccessRequest) -> str:
    if not stage.approver_group.is_requesters_manager:
        return f"{' or '.join(map(str, stage.deciding_groups))} decides at this stage, and you are not in it."
    others = "".join(f" or {group}" for group in stage.deciding_groups[1:])
    whose = f"the manager of {request.requester}"
    return f"{whose[:1].upper()}{whose[1:]}{others} decides at this stage, and the directory does not name you as that."


def _needed_later(person: Person, step: Deciding, stage: RequestStage) -> str:
    others = [each for each in step.able if not people.is_same(person, each)]
    where = f"at stage {step.stage.position} ({step.stage.asked})"
    needed = f"Without you too few are left {where}" if others else f"Only you can decide {where}"
    groups = " or ".join(str(group) for group in stage.deciding_groups if not group.is_requesters_manager)
    remedy = f"somebody else of {groups} must decide here" if groups else "somebody else must be able to decide there"
    return f"{needed}, and each person decides once: {remedy}."


def _came_later(stage: RequestStage, request: AccessRequest, rule: str) -> str:
    groups = [str(group) for group in stage.deciding_groups if not group.is_requesters_manager]
    became = [f"became the manager of {request.requester}"] if stage.approver_group.is_requesters_manager else []
    joined = [f"joined {' or '.join(groups)}"] if groups else []
    came = f"You {' or '.join(became + joined)} after this was asked for"
    return f"{came}, and “{rule}” lets only those agree who {'were that' if became else 'were in it'} before."


def agreements(request: AccessRequest) -> list[Decision]:
    """The decisions that count as agreed, in order, each with its person; not read again if read with it."""
    is_read = "decisions" in getattr(request, "_prefetched_objects_cache", {})
    rows = request.decisions.all() if is_read else request.decisions.select_related("decided_by")
    counted = (row for row in rows if row.answer == Decision.Answer.APPROVE and row.set_aside_at is None)
    return sorted(counted, key=lambda row: row.pk)


def by_different_people(request: AccessRequest) -> Verdict:
    """Whether no two of those who agreed are one person; that two accounts are may have become known only since."""
    agreed_by = [people.identity(row.decided_by) for row in agreements(request)]
    for one, other in combinations(agreed_by, 2):
        if people.is_same(one, other):
            reason = f"{one.name} and {other.name} are one person, and count once among those who agreed. Ask again."
            return Verdict(False, reason, "distinct people")
    return YES


def is_of_another(person: Person, request: AccessRequest) -> Verdict:
    """Whether a request is neither this person's own nor for the same Identity Center user."""
    if person.user_id == request.requester_id:
        return Verdict(False, "Nobody decides on their own request.", "self-approval")
    if people.is_same(person, people.identity(request.requester)):
        return Verdict(
            False,
            "This request is for the same Identity Center user as you; nobody decides on their own request.",
            "self-approval",
        )
    return YES


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
        return Verdict(False, person.why_inactive(), "people")
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
        return Verdict(False, person.why_inactive(), "people")
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
