"""Reads the policies in force from the database, and works out what they offer to one person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from catalog.models import AccessPolicy, Account, ApproverGroup, DirectoryGroup, Environment, Role
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
    """The policies in force, all or those for one role and environment, ready to judge by; five queries at most."""
    versions = AccessPolicy.history.filter(id=OuterRef("pk")).order_by("-history_id")
    rows = (
        AccessPolicy.objects.filter(is_in_force=True)
        .select_related("role", "environment", "permission_set")
        .prefetch_related(
            "requestable_by", "stages__approver_group__directory_groups", "stages__escalation_group__directory_groups"
        )
        .annotate(version=Subquery(versions.values("history_id")[:1]))
        .order_by("name")
    )
    if role_id is not None:
        rows = rows.filter(role_id=role_id)
    if environment_id is not None:
        rows = rows.filter(environment_id=environment_id)
    return tuple(_policy(row, row.version) for row in rows)


def _policy(row: AccessPolicy, version: int) -> Policy:
    stages = (
        stage_of(stage, row.name, drawn_from(stage.approver_group), drawn_from(stage.escalation_group))
        for stage in row.stages.all()
    )
    return policy_of(
        row,
        version=version or 0,
        role=row.role,
        environment=row.environment,
        permission_set=row.permission_set,
        group_ids=object_ids(row.requestable_by.all()),
        stages=tuple(stages),
    )


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
    by_pair: dict[tuple[int, int], list[Policy]] = {}
    for policy in matching(policies_in_force(), person):
        by_pair.setdefault((policy.environment_id, policy.role_id), []).append(policy)
    environments = Environment.objects.in_bulk({environment for environment, _ in by_pair})
    roles = Role.objects.in_bulk({role for _, role in by_pair})
    accounts: dict[int, list[Account]] = {}
    for account in Account.objects.filter(Q(environment__in=environments), vanished_at=None):
        accounts.setdefault(account.environment_id or 0, []).append(account)
    offers = [
        Offer(roles[role], environments[environment], terms, tuple(accounts[environment]))
        for (environment, role), policies in by_pair.items()
        if environment in accounts and (terms := offered(tuple(policies)))
    ]
    return tuple(sorted(offers, key=lambda o: (o.environment.sensitivity, o.environment.name, o.role.name)))
