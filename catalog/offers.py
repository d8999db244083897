"""Reads the policies in force from the database, and works out what they offer to one person."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from catalog.models import AccessPolicy, Account, ApprovalStage, ApproverGroup, DirectoryGroup, Environment, Role
from catalog.people import Person
from catalog.policy import AccountChoice, Policy, Terms, matching, offered
from catalog.stages import Escalation, Stage
from catalog.step_up import BOTH, Wanted


@dataclass(frozen=True)
class Offer:
    """A role that a person may ask for in an environment, on these terms, in these accounts."""

    role: Role
    environment: Environment
    terms: Terms
    accounts: tuple[Account, ...]


def policies_in_force(role_id: int | None = None, environment_id: int | None = None) -> tuple[Policy, ...]:
    """The policies in force, all or those for one role and environment, ready to judge by; four queries."""
    rows = AccessPolicy.objects.filter(is_in_force=True)
    if role_id is not None:
        rows = rows.filter(role_id=role_id)
    if environment_id is not None:
        rows = rows.filter(environment_id=environment_id)
    return tuple(policy for _, policy in _read(rows))


def _read(rows: QuerySet[AccessPolicy]) -> list[tuple[AccessPolicy, Policy]]:
    """The rows by name, each with the policy that it is.

    Groups are read as pairs of ids: making objects of them, for hundreds of policies, took most of a page's time.
    """
    versions = AccessPolicy.history.filter(id=OuterRef("pk")).order_by("-history_id").values("history_id")
    joined = rows.select_related("role", "environment", "permission_set").order_by("name")
    read = list(joined.annotate(version=Subquery(versions[:1])))
    asking = _drawn("accesspolicy", AccessPolicy.requestable_by.through, (row.pk for row in read))
    stages: dict[int, list[ApprovalStage]] = {}
    of_these = ApprovalStage.objects.filter(policy__in=[row.pk for row in read])
    for stage in of_these.select_related("approver_group", "escalation_group").order_by("position"):
        stages.setdefault(stage.policy_id, []).append(stage)
    approving = [
        pk for rows in stages.values() for row in rows for pk in (row.approver_group_id, row.escalation_group_id)
    ]
    drawn = _drawn("approvergroup", ApproverGroup.directory_groups.through, filter(None, approving))
    return [
        (
            row,
            policy_of(
                row,
                version=row.version or 0,
                role=row.role,
                environment=row.environment,
                permission_set=row.permission_set,
                group_ids=asking[row.pk],
                stages=tuple(
                    stage_of(
                        stage,
                        row.name,
                        (stage.approver_group.name, drawn[stage.approver_group_id]),
                        (stage.escalation_group.name, drawn[stage.escalation_group.pk])
                        if stage.escalation_group
                        else None,
                    )
                    for stage in stages.get(row.pk, ())
                ),
            ),
        )
        for row in read
    ]


def _drawn(link: str, through: Any, keys: Iterable[int]) -> defaultdict[int, frozenset[str]]:
    """The object ids of the directory groups that each of these rows is linked to."""
    found: defaultdict[int, frozenset[str]] = defaultdict(frozenset)
    links = through.objects.filter(**{f"{link}__in": set(keys)})
    for key, object_id in links.values_list(f"{link}_id", "directorygroup__object_id"):
        found[key] |= {object_id}
    return found


def _may_be_open_to(person: Person) -> Q:
    """The policies that could let this person ask: by a group of theirs, or by departments, looked at later."""
    by_group = AccessPolicy.requestable_by.through.objects.filter(directorygroup__object_id__in=person.groups)
    open_to = Q(pk__in=by_group.values("accesspolicy_id"))
    return open_to | ~Q(departments=[]) if person.department else open_to


def policy_of(
    row: Any,
    *,
    version: int,
    role: Any,
    environment: Any,
    permission_set: Any,
    group_ids: frozenset[str],
    stages: tuple[Stage, ...],
) -> Policy:
    """A policy to judge by, from its row and those it names; of today, or versions of them that history kept."""
    return Policy(
        id=row.id,
        version=version,
        name=row.name,
        role_id=row.role_id,
        role=role.name,
        role_is_offered=role.is_offered,
        environment_id=row.environment_id,
        environment=environment.name,
        group_ids=group_ids,
        departments=departments_of(row),
        permission_set_id=row.permission_set_id,
        permission_set=permission_set.name,
        permission_set_vanished=permission_set.vanished_at is not None,
        default_duration=row.default_duration,
        longest_duration=row.longest_duration,
        accounts_per_request=row.accounts_per_request,
        ticket_pattern=row.ticket_pattern,
        approves_automatically=row.automatic_approval == AccessPolicy.AutomaticApproval.ALWAYS,
        stages=stages,
        step_up=Wanted(row.step_up_context, row.step_up_for or BOTH, row.step_up_longest_age or timedelta(0), row.name)
        if row.step_up_context
        else None,
    )


Drawn = tuple[str, frozenset[str]]


def stage_of(row: Any, rule: str, approvers: Drawn, escalation: Drawn | None) -> Stage:
    """A stage to judge by, from its row of today or a version of it, and its groups: name and object ids of each."""
    (approver_group, group_ids), after = approvers, row.escalates_after
    return Stage(
        position=row.position,
        approver_group_id=row.approver_group_id,
        approver_group=approver_group,
        group_ids=group_ids,
        approvals_needed=row.approvals_needed,
        rule=rule,
        escalation=Escalation(row.escalation_group_id, *escalation, after, rule) if escalation and after else None,
    )


def drawn_from(group: ApproverGroup | None) -> Any:
    """An approver group's name and the object ids of the directory groups that it is drawn from; None of none."""
    return group and (group.name, object_ids(group.directory_groups.all()))


def object_ids(groups: Iterable[DirectoryGroup]) -> frozenset[str]:
    """The object ids of these directory groups."""
    return frozenset(group.object_id for group in groups)


def departments_of(row: Any) -> frozenset[str]:
    """The departments that a policy names; whatever else the column holds, such as a bare text, names none."""
    named = row.departments if isinstance(row.departments, list) else []
    return frozenset(name for name in named if isinstance(name, str) and name)


def choices_of(accounts: Iterable[Account]) -> tuple[AccountChoice, ...]:
    """The accounts as a judgement needs them."""
    return tuple(
        AccountChoice(account.account_id, account.name, account.environment_id, account.vanished_at is not None)
        for account in accounts
    )


def offers_for(person: Person) -> tuple[Offer, ...]:
    """What this person may ask for now, the least sensitive environment first; a fixed number of queries."""
    if not person.is_active or person.is_local:
        return ()
    read = _read(AccessPolicy.objects.filter(_may_be_open_to(person), is_in_force=True))
    by_pair: dict[tuple[int, int], list[Policy]] = {}
    for policy in matching((policy for _, policy in read), person):
        by_pair.setdefault((policy.environment_id, policy.role_id), []).append(policy)
    environments = {row.environment_id: row.environment for row, _ in read}
    roles = {row.role_id: row.role for row, _ in read}
    accounts: dict[int, list[Account]] = {}
    wanted = {environment for environment, _ in by_pair}
    for account in Account.objects.filter(environment__in=wanted, vanished_at=None):
        accounts.setdefault(account.environment_id or 0, []).append(account)
    offers = [
        Offer(roles[role], environments[environment], terms, tuple(accounts[environment]))
        for (environment, role), policies in by_pair.items()
        if environment in accounts and (terms := offered(tuple(policies)))
    ]
    return tuple(sorted(offers, key=lambda o: (o.environment.sensitivity, o.environment.name, o.role.name)))
