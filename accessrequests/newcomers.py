"""Who came to decide on an ask only after it was made: by joining a group, or by becoming somebody's manager.

As far as the ledger has heard of it from the directory. Whoever decides because an admin put another directory group
behind an approver group is none: it must help where nobody is left, and sensitive environments ask a second admin.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.contrib.auth import get_user_model

from accessrequests.models import AccessRequest, RequestStage
from auditlog.actions import Action
from auditlog.models import Event
from catalog import people
from catalog.models import AccessPolicy, DirectoryGroup, Sensitivity
from catalog.people import Person, same_person
from catalog.stages import Stage


def rule_against(request: AccessRequest) -> str:
    """The first policy by which the request was made that lets no newcomer agree; empty if they all do.

    One that was deleted, put out of force, or moved to another role or environment since says what it said last while
    it was in force for those of the request: neither that, nor what somebody writes into it afterwards, opens anything.
    """
    made_by = {policy["id"] for policy in request.terms.get("policies", ())}
    for_this = {"role": request.role_id, "environment": request.environment_id, "is_in_force": True}
    in_force = list(AccessPolicy.objects.filter(pk__in=made_by, **for_this))
    over = made_by - {policy.pk for policy in in_force}
    versions = AccessPolicy.history.filter(id__in=over, **for_this).order_by("history_id") if over else ()
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


def late(request: AccessRequest, stages: Iterable[Stage]) -> dict[int, AbstractSet[int]]:
    """Who (by user id) came to all by which they could agree at each of these stages (by position) after the ask.

    As far as a policy keeps them from agreeing, and whether or not the stage has escalated.
    """
    asked = list(stages)
    groups = frozenset[str]().union(*(stage.all_group_ids for stage in asked))
    came = _came_since(request, groups, by_manager=any(stage.by_manager for stage in asked))
    if not came or not rule_against(request):
        return {}
    return {stage.position: _too_late(came, stage.all_group_ids, by_manager=stage.by_manager) for stage in asked}


def late_now(request: AccessRequest, stage: RequestStage) -> AbstractSet[int]:
    """As `late`, of those who could decide at this stage at this moment."""
    came = _late_now(request, stage)
    return came if came and rule_against(request) else frozenset()


def is_newcomer(person: Person, request: AccessRequest, stage: RequestStage) -> bool:
    """Whether this person came to all by which they could agree at this stage after the ask was made."""
    return person.user_id in _late_now(request, stage)


def _late_now(request: AccessRequest, stage: RequestStage) -> AbstractSet[int]:
    deciding = DirectoryGroup.objects.filter(approver_groups__in=stage.deciding_groups)
    groups = frozenset(deciding.values_list("object_id", flat=True))
    by_manager = any(group.is_requesters_manager for group in stage.deciding_groups)
    return _too_late(_came_since(request, groups, by_manager=by_manager), groups, by_manager=by_manager)


@dataclass(frozen=True)
class _Came:
    """Somebody who has joined some of the groups of a request since it was made, or has become its manager since.

    `before` are those of its groups that they are in and did not join since; `manages` is whether they were the
    requester's manager before.
    """

    user_id: int
    before: frozenset[str]
    manages: bool


def _came_since(request: AccessRequest, group_ids: frozenset[str], *, by_manager: bool) -> list[_Came]:
    """Those who came to any of these groups, or if that counts to be the requester's manager, since the ask."""
    joined = _joined_since(request, group_ids)
    manager = _manager_of(request) if by_manager else ""
    new_manager = manager if manager and _became_manager_since(manager, request) else ""
    who = {*joined, new_manager} - {""}
    rows = get_user_model().objects.filter(object_id__in=who).prefetch_related("directory_groups") if who else ()
    return [
        _Came(
            row.pk,
            frozenset(group.object_id for group in row.directory_groups.all())
            & group_ids - joined.get(row.object_id, frozenset()),
            row.object_id == manager and not new_manager,
        )
        for row in rows
    ]


def _too_late(came: Iterable[_Came], group_ids: AbstractSet[str], *, by_manager: bool) -> frozenset[int]:
    """Those who could agree where these groups decide, or the manager, by nothing that they had before."""
    return frozenset(each.user_id for each in came if not (each.before & group_ids or (by_manager and each.manages)))


def _joined_since(request: AccessRequest, group_ids: AbstractSet[str]) -> Mapping[str, frozenset[str]]:
    """Who is in any of the groups and joined some after the ask, by object id, with those that an event says so of.

    What somebody was in when the portal first saw them is not news: since when, nobody has said. Of a further account
    of somebody whom it knows, it is.
    """
    members = get_user_model().objects.filter(directory_groups__object_id__in=group_ids).values("object_id")
    told = Event.objects.filter(subject_kind="person", action=Action.PERSON_GROUPS_CHANGED)
    moves = list(told.filter(subject_id__in=members, at__gt=request.submitted_at).order_by("number"))
    no_news = _first_seen({move.subject_id for move in moves})
    joined: dict[str, frozenset[str]] = {}
    for move in moves:
        if move.number in no_news:
            continue
        named = [str(each) for each in move.data.get("joined", ())]
        found = {each for each in group_ids if any(name == each or name.endswith(f"({each})") for name in named)}
        joined[move.subject_id] = joined.get(move.subject_id, frozenset()) | found
    return {who: groups for who, groups in joined.items() if groups}


def _first_seen(object_ids: AbstractSet[str]) -> set[int]:
    """The events, by number, that say in which groups these people were when the portal first saw them, if it did."""
    if not object_ids:
        return set()
    told = Event.objects.filter(subject_kind="person", subject_id__in=object_ids).order_by("-number")
    # Of each the first, which is the last that is read.
    first = dict(told.filter(action=Action.PERSON_GROUPS_CHANGED).values_list("subject_id", "number"))
    created = dict(told.filter(action=Action.PERSON_CREATED).values_list("subject_id", "number"))
    new = {who for who, number in first.items() if created.get(who) == number - 1}
    if not new:
        return set()
    rows = [people.identity(row) for row in get_user_model().objects.filter(object_id__in=new)]
    accounts = get_user_model().objects.filter(reduce(or_, map(same_person, rows)))
    every = [people.identity(row) for row in accounts]
    return {
        first[row.object_id]
        for row in rows
        if not any(people.is_same(row, each) for each in every if each.user_id != row.user_id)
    }


def _manager_of(request: AccessRequest) -> str:
    """The object id of whom the directory names now, which the request in hand may not have heard of."""
    requester = get_user_model().objects.filter(pk=request.requester_id)
    return str(requester.values_list("manager_object_id", flat=True).get())


def _became_manager_since(object_id: str, request: AccessRequest) -> bool:
    """Whether an event since the ask says that the requester's manager became the one of this object id."""
    told = Event.objects.filter(subject_kind="person", subject_id=request.requester.object_id)
    for event in told.filter(action=Action.PERSON_CHANGED, at__gt=request.submitted_at):
        _, manager = (event.data.get("changes") or {}).get("manager") or ("", "")
        if manager == object_id or manager.endswith(f"({object_id})"):
            return True
    return False
