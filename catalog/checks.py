"""What is amiss in the catalog as it stands: system checks with stable ids, shown to an admin after saving, too.

None of it lets anybody have more than they should: every problem here makes requests impossible, or is pointless.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps.config import AppConfig
from django.core.checks import WARNING, CheckMessage, Tags, register
from django.db import DatabaseError

from catalog import tickets
from catalog.models import AccessPolicy
from catalog.offers import departments_of


@dataclass(frozen=True)
class Problem:
    """Something amiss: a stable id and a sentence with a remedy."""

    id: str
    text: str


@register(Tags.database)
def catalog_makes_sense(
    *, app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Warnings catalog.W001 and up, one for each problem of a policy in force."""
    found: list[CheckMessage] = []
    for database in databases or ():
        policies = (
            AccessPolicy.objects.using(database)
            .filter(is_in_force=True)
            .select_related("permission_set", "environment")
        )
        try:
            found += [_warning(problem) for policy in policies for problem in problems_of(policy)]
        except DatabaseError:
            # Checks run before the first migration, too.
            continue
    return found


def problems_of(policy: AccessPolicy) -> list[Problem]:
    """What is amiss with one policy; one that is not in force may be as it likes."""
    return list(_problems(policy)) if policy.is_in_force else []


def _problems(policy: AccessPolicy) -> Iterator[Problem]:
    name = f"“{policy}”"
    if not policy.requestable_by.exists() and not departments_of(policy):
        yield Problem("catalog.W001", f"Nobody may ask by {name}: name a group or a department.")
    if policy.departments and len(departments_of(policy)) != len(policy.departments):
        yield Problem("catalog.W002", f"The departments of {name} are not a list of names; save them anew.")
    if policy.permission_set.vanished_at:
        yield Problem("catalog.W003", f"AWS no longer has {policy.permission_set}, which {name} names; choose another.")
    stages = list(policy.stages.select_related("approver_group").prefetch_related("approver_group__directory_groups"))
    automatic = policy.automatic_approval == AccessPolicy.AutomaticApproval.ALWAYS
    if not automatic and not stages:
        yield Problem("catalog.W004", f"Nobody decides by {name}: add a stage.")
    if automatic and stages:
        yield Problem(
            "catalog.W005",
            f"{name} approves automatically: its stages count only where another policy asks for people.",
        )
    for group in {stage.approver_group for stage in stages if not stage.approver_group.directory_groups.all()}:
        yield Problem("catalog.W006", f"Nobody is in {group}, which decides by {name}: give it a directory group.")
    if refusal := tickets.refusal(policy.ticket_pattern):
        yield Problem("catalog.W007", f"The ticket pattern of {name} is not to be used. {refusal}")
    rivals = AccessPolicy.objects.using(policy._state.db).filter(
        role=policy.role_id, environment=policy.environment_id, is_in_force=True
    )
    for rival in rivals.exclude(permission_set=policy.permission_set_id).select_related("permission_set"):
        yield Problem(
            "catalog.W008",
            f"{name} names {policy.permission_set} and “{rival}” {rival.permission_set}: they must agree.",
        )
    if not policy.environment.accounts.filter(vanished_at=None).exists():
        yield Problem("catalog.W009", f"There is no account to ask for in {policy.environment}, where {name} holds.")


def _warning(problem: Problem) -> CheckMessage:
    return CheckMessage(WARNING, problem.text, hint="Change it in the admin pages of the catalog.", id=problem.id)
