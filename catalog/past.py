"""The catalog and its people at a moment that has passed: the one from history, the other from the ledger.

History keeps every version of what the catalog says. Of people the rows hold only what is; the ledger has
recorded every change of their groups, department and presence, and read backwards it takes those changes back.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, Q, Subquery

from auditlog.actions import Action
from auditlog.models import Event
from catalog import app_roles, managers, people
from catalog.account_tags import Tags
from catalog.managers import Manager
from catalog.membership import NO_ROWS, Crowds, Members, first_people
from catalog.models import (
    AccessPolicy,
    Account,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    OnCallCover,
    OnCallPerson,
    OnCallSchedule,
    Role,
)
from catalog.models import PermissionSet as Permissions
from catalog.offers import Drawn, policy_of, stage_of, tags_of
from catalog.on_call import OnCall
from catalog.people import Identity, Person, is_same
from catalog.schedules import put_together, source
from catalog.terms import Policy, closed_together, matching

TOLD_OF_PEOPLE: Final = (
    Action.PERSON_CREATED,
    Action.PERSON_GROUPS_CHANGED,
    Action.PERSON_CHANGED,
    Action.PERSON_SIGNED_IN,
    Action.PERSON_LEFT,
    Action.PERSON_RETURNED,
)
# An event names a group or a manager as "name (object id)", or by the object id alone.
_OBJECT_ID: Final = re.compile(
    rf"(?:^|\()([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|{app_roles.PATTERN})\)?\Z"
)


def policies_at(at: datetime, role_id: int | None = None, environment_id: int | None = None) -> tuple[Policy, ...]:
    """The policies that were in force at this moment, ready to judge by; a fixed number of queries."""
    rows = [row for row in _versions(AccessPolicy, at) if row.is_in_force]
    rows = [row for row in rows if role_id in (None, row.role_id) and environment_id in (None, row.environment_id)]
    named = {model: {row.id: row for row in _versions(model, at)} for model in (Role, Environment, Permissions)}
    groups = {row.id: row for row in _versions(ApproverGroup, at)}
    asking, approving = _members(rows, "requestable_by"), _members(list(groups.values()), "directory_groups")
    kept_from = _members(rows, "closed_to")
    stages: dict[int, list[Any]] = {}
    for stage in _versions(ApprovalStage, at).order_by("position"):
        stages.setdefault(stage.policy_id, []).append(stage)
    on_call = _on_call_at(rows, at)
    policies = (
        policy_of(
            row,
            version=row.history_id,
            role=named[Role][row.role_id],
            environment=named[Environment][row.environment_id],
            permission_set=named[Permissions][row.permission_set_id],
            group_ids=asking[row.history_id],
            stages=tuple(
                stage_of(stage, row.name, _drawn(group, approving), _drawn(other, approving) if other else None)
                for stage in stages.get(row.id, ())
                if (group := groups.get(stage.approver_group_id))
                for other in [groups.get(stage.escalation_group_id)]
            ),
            on_call=on_call.get(row.id),
        )
        for row in sorted(rows, key=lambda row: row.name)
        if row.role_id in named[Role]
        and row.environment_id in named[Environment]
        and row.permission_set_id in named[Permissions]
    )
    return closed_together(policies, {row.id: kept_from[row.history_id] for row in rows})


def _drawn(group: Any, approving: Mapping[int, frozenset[str]]) -> Drawn:
    """A version of an approver group, with what history has of its directory groups by the version's id."""
    return Drawn(group.name, approving[group.history_id], bool(group.is_requesters_manager))


def accounts_at(at: datetime) -> dict[int, list[Tags | None]]:
    """The tags of the accounts that there were to ask for, by environment."""
    found: dict[int, list[Tags | None]] = {}
    for row in _versions(Account, at).filter(vanished_at=None, environment_id__isnull=False):
        found.setdefault(row.environment_id, []).append(tags_of(row))
    return found


def _on_call_at(rows: Sequence[Any], at: datetime) -> dict[int, OnCall]:
    """What said who is on call for these policies, by the policy's id."""
    naming = [row for row in rows if row.on_call_group_id or row.on_call_schedule_id]
    if not naming:
        return {}
    groups = {row.id: row for row in _versions(DirectoryGroup, at)}
    people, covers = _versions(OnCallPerson, at).order_by("position"), _versions(OnCallCover, at).order_by("starts_at")
    read = put_together(_versions(OnCallSchedule, at), people, covers)
    found = {row.id: source(row, groups, read) for row in naming}
    return {pk: each for pk, each in found.items() if each}


def _versions(model: Any, at: datetime) -> Any:
    """The version of each row that was the newest at this moment; of none that was deleted by then."""
    newest = model.history.filter(id=OuterRef("id"), history_date__lte=at).order_by("-history_date", "-history_id")
    rows = model.history.filter(history_date__lte=at, history_id=Subquery(newest.values("history_id")[:1]))
    return rows.exclude(history_type="-").order_by("history_id")


def _members(versions: Sequence[Any], name: str) -> defaultdict[int, frozenset[str]]:
    """The object ids of the groups that were linked to each of these versions, by the version's id."""
    found: defaultdict[int, frozenset[str]] = defaultdict(frozenset)
    if versions:
        kept = getattr(versions[0], name).model.objects.filter(history__in=[row.history_id for row in versions])
        links = list(kept.values_list("history_id", "directorygroup_id"))
        # From history, too: a group may have been deleted since.
        named = DirectoryGroup.history.filter(id__in={group for _, group in links})
        ids = dict(named.values_list("id", "object_id"))
        for version, group in links:
            found[version] |= {ids[group]} if group in ids else set()
    return found


class Then:
    """The directory as the ledger tells that it was at a moment."""

    def __init__(self, at: datetime) -> None:
        self.at: datetime | None = at
        self._since: dict[str, list[Event]] = {}
        told = Event.objects.filter(subject_kind="person", action__in=TOLD_OF_PEOPLE, at__gt=at)
        for event in told.order_by("-number").iterator():
            self._since.setdefault(event.subject_id, []).append(event)

    def person(self, user_id: int) -> Person | None:
        now = people.of(get_user_model().objects.get(pk=user_id))
        return undone(now, self._since.get(now.object_id, ()))

    def crowds(self, policies: tuple[Policy, ...], *, without_manager: bool = False) -> Crowds:
        let_in = list(self._let_in(policies))
        found = self._managed(person for person, _ in let_in) if without_manager else set()
        return Counter(crowd for person, crowd in let_in if person.user_id not in found)

    def some(
        self,
        policies: tuple[Policy, ...],
        crowds: Iterable[frozenset[int]],
        managed: Iterable[frozenset[int]],
        most: int,
    ) -> list[Person]:
        wanted, wanted_managed, let_in = {*crowds}, {*managed}, list(self._let_in(policies))
        found = self._managed(person for person, crowd in let_in if crowd in wanted_managed)
        chosen = [person for person, crowd in let_in if crowd in wanted or person.user_id in found]
        return sorted(chosen, key=lambda person: (person.name, person.user_id))[:most]

    def members(
        self, group_ids: frozenset[str], most: int, but: Iterable[Identity] = (), late: AbstractSet[int] = NO_ROWS
    ) -> Members:
        found = [
            person
            for person in self._everybody(Q(directory_groups__object_id__in=sorted(group_ids)))
            if person.is_active and person.groups & group_ids and person.user_id not in late
            if not any(is_same(person, each) for each in but)
        ]
        return first_people(sorted(found, key=lambda person: (person.name, person.user_id)), most)

    def manager(self, asker: Person) -> Manager:
        named = get_user_model().objects.filter(object_id=asker.manager_object_id or None).first()
        then = undone(people.of(named), self._since.get(named.object_id, ())) if named else None
        return managers.judged(asker, then)

    def _managed(self, people_then: Iterable[Person]) -> set[int]:
        """Those of the people (by user id) who had a manager that could decide."""
        reports = list(people_then)
        rows = get_user_model().objects.filter(object_id__in={each.manager_object_id for each in reports} - {""})
        then = {
            row.object_id: undone(people.of(row), self._since.get(row.object_id, ()))
            for row in rows.prefetch_related("directory_groups")
        }
        judged = ((each, managers.judged(each, then.get(each.manager_object_id))) for each in reports)
        return {each.user_id for each, manager in judged if not manager.why_not}

    def _let_in(self, policies: tuple[Policy, ...]) -> Iterator[tuple[Person, frozenset[int]]]:
        named = Q(directory_groups__object_id__in={each for policy in policies for each in policy.group_ids})
        named |= Q(department__in={each for policy in policies for each in policy.departments})
        for person in self._everybody(named):
            matched = frozenset(policy.id for policy in matching(policies, person))
            if person.is_active and matched:
                yield person, matched

    def _everybody(self, now: Q) -> Iterator[Person]:
        """Those of whom it is true now, and all of whom anything was told since, as they were."""
        users = get_user_model().objects.filter(now | Q(object_id__in=list(self._since))).distinct()
        for row in users.prefetch_related("directory_groups"):
            then = undone(people.of(row), self._since.get(row.object_id, ()))
            if then is not None:
                yield then


def undone(person: Person, since: Iterable[Event]) -> Person | None:
    """The person without what these events, the newest first, tell of them; None if one says that they were new."""
    for event in since:
        data = event.data
        match event.action:
            case Action.PERSON_CREATED:
                return None
            case Action.PERSON_GROUPS_CHANGED:
                groups = (person.groups - _ids(data.get("joined"))) | _ids(data.get("left"))
                person = replace(person, groups=groups)
            case Action.PERSON_CHANGED | Action.PERSON_SIGNED_IN:
                changes = data.get("changes") or {}
                before = {name: changes[name][0] for name in ("department", "name", "user_name") if name in changes}
                if "manager" in changes:
                    before["manager_object_id"] = next(iter(_ids([changes["manager"][0]])), "")
                person = replace(person, **before)
            case Action.PERSON_LEFT:
                person = replace(person, is_active=True)
            case Action.PERSON_RETURNED:
                person = replace(person, is_active=False)
    return person


def _ids(told: Any) -> frozenset[str]:
    found = (_OBJECT_ID.search(str(each)) for each in told or ())
    return frozenset(match[1] for match in found if match)
