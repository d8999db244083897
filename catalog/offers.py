"""Reads the policies in force from the database, and works out what they offer to one person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import OuterRef, Q, Subquery

from catalog.models import AccessPolicy, Account, Environment, Role
from catalog.people import Person
from catalog.policy import AccountChoice, Policy, Stage, Terms, matching, offered
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
        .prefetch_related("requestable_by", "stages__approver_group__directory_groups")
        .annotate(version=Subquery(versions.values("history_id")[:1]))
        .order_by("name")
    )
    if role_id is not None:
        rows = rows.filter(role_id=role_id)
    if environment_id is not None:
        rows = rows.filter(environment_id=environment_id)
    return tuple(_policy(row, row.version) for row in rows)


def _policy(row: AccessPolicy, version: int) -> Policy:
    return Policy(
        id=row.pk,
        version=version or 0,
        name=row.name,
        role_id=row.role_id,
        role=row.role.name,
        role_is_offered=row.role.is_offered,
        environment_id=row.environment_id,
        environment=row.environment.name,
        group_ids=frozenset(group.object_id for group in row.requestable_by.all()),
        departments=departments_of(row),
        permission_set_id=row.permission_set_id,
        permission_set=row.permission_set.name,
        permission_set_vanished=row.permission_set.vanished_at is not None,
        default_duration=row.default_duration,
        longest_duration=row.longest_duration,
        accounts_per_request=row.accounts_per_request,
        ticket_pattern=row.ticket_pattern,
        approves_automatically=row.automatic_approval == AccessPolicy.AutomaticApproval.ALWAYS,
        stages=tuple(
            Stage(
                position=stage.position,
                approver_group_id=stage.approver_group_id,
                approver_group=stage.approver_group.name,
                group_ids=frozenset(group.object_id for group in stage.approver_group.directory_groups.all()),
                approvals_needed=stage.approvals_needed,
                rule=row.name,
            )
            for stage in row.stages.all()
        ),
        step_up=Wanted(row.step_up_context, row.step_up_for or BOTH, row.step_up_longest_age or timedelta(0), row.name)
        if row.step_up_context
        else None,
    )


def departments_of(row: AccessPolicy) -> frozenset[str]:
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
    if not person.is_active:
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
