"""What is amiss in the catalog as it stands: each with a stable id, the row it is about, and a remedy.

None of it lets anybody have more than the policies say. Some of it makes asks impossible; the rest is worth a look.
Everything is read in a fixed number of queries, however many policies there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.apps.config import AppConfig
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import WARNING, CheckMessage, Tags, register
from django.db import DatabaseError
from django.db.models import Count, Exists, OuterRef, Q

from catalog import account_tags, joining, on_call_problems, tickets
from catalog.deciders import Deciding, can_be_decided
from catalog.membership import first_people
from catalog.models import AccessPolicy, Account, ApproverGroup, DirectoryGroup
from catalog.offers import departments_of, stage_with_groups, tags_of
from catalog.people import IDENTITY, Identity, is_same
from catalog.policy import spell
from catalog.powers import too_much
from catalog.stages import MANAGER, Stage
from catalog.without_manager import WithoutManager, asks_manager

# More people than this need not be told of each ask: everybody thinks that another will answer.
MOST_TOLD: Final = 25
# With these nobody can ask, or nobody can approve.
_BLOCKING: Final = frozenset(f"catalog.W{number:03}" for number in (1, 3, 4, 6, 7, 8, 9, 11, 12, 18, 51))
_FEWEST_READ: Final = 3


@dataclass(frozen=True)
class Problem:
    """Something amiss: a stable id, a sentence with a remedy, and the row that it is about."""

    id: str
    text: str
    about_id: int
    about: str
    kind: str = "accesspolicy"

    @property
    def page(self) -> str:
        """The name of the admin page, by its id, on which it is mended."""
        return f"admin:catalog_{self.kind}_change"

    @property
    def is_blocking(self) -> bool:
        """Whether it keeps people from asking, or from being approved."""
        return self.id in _BLOCKING


@dataclass(frozen=True)
class _Member:
    """One of a small approver group: who they are, and what may let them ask."""

    identity: Identity
    department: str
    groups: frozenset[int]


@dataclass(frozen=True)
class _Facts:
    """What the rules need beside the policies.

    `open_in`: environments with an account; `peopled`: directory groups and departments with an active person; `sizes`:
    active people of each approver group; `small`: those of groups that may be too few, by user id; `in_management`: the
    permission sets that policies in force offer in the management account; `without_manager`: where a stage asks the
    requester's manager, the people who have none that could decide; `tags_in`: the
    tags of each environment's accounts.
    """

    open_in: frozenset[int]
    peopled: frozenset[int]
    departments: frozenset[str]
    sizes: Mapping[int, int]
    small: Mapping[int, Mapping[int, _Member]]
    in_management: frozenset[int]
    without_manager: WithoutManager
    tags_in: Mapping[int, Sequence[account_tags.Tags | None]]


def found(only: int | None = None, using: str = "default") -> list[Problem]:
    """What is amiss with the catalog, or with one policy in force (by id); what blocks comes first."""
    rows = AccessPolicy.objects.using(using).filter(is_in_force=True)
    if only is not None:
        beside = AccessPolicy.objects.using(using).filter(pk=only).values("role_id", "environment_id").first()
        rows = rows.filter(**beside) if beside else rows.none()
    loaded = rows.select_related("role", "environment", "permission_set").prefetch_related(
        "requestable_by",
        "closed_to",
        "stages__approver_group__directory_groups",
        "stages__escalation_group__directory_groups",
    )
    policies = list(loaded.order_by("name"))
    facts = _read(policies, using)
    by_pair: dict[tuple[int, int], list[AccessPolicy]] = {}
    for policy in policies:
        by_pair.setdefault((policy.role_id, policy.environment_id), []).append(policy)
    everything = {
        (problem.id, problem.text): problem
        for policy in reversed(policies)
        if only in (None, policy.pk)
        for problem in _problems_of(
            policy, [row for row in by_pair[policy.role_id, policy.environment_id] if row.pk != policy.pk], facts
        )
    }
    claimed = _claimed_in_vain(using) if only is None else []
    on_call = _of_on_call(using, only)
    return sorted(
        [*everything.values(), *claimed, *on_call],
        key=lambda problem: (not problem.is_blocking, problem.about, problem.id),
    )


def _claimed_in_vain(using: str) -> list[Problem]:
    """Accounts that rules claim and that join no environment, and rules that claim none."""
    in_vain = [
        Problem("catalog.W030", text, account.pk, str(account), "account") for account, text in joining.problems(using)
    ]
    empty = [
        Problem("catalog.W031", text, rule.environment_id, str(rule.environment), "environment")
        for rule, text in joining.empty_units(using)
    ]
    return in_vain + empty


def _of_on_call(using: str, only: int | None) -> Iterator[Problem]:
    """Schedules and groups by which nobody is on call, though policies count on it."""
    policy = AccessPolicy.objects.using(using).filter(pk=only).first() if only is not None else None
    for number, schedule, text in on_call_problems.of_schedules(using, policy):
        yield Problem(f"catalog.W{number:03}", text, schedule.pk, str(schedule), "oncallschedule")
    for number, about, text in on_call_problems.of_groups(using, policy):
        yield Problem(f"catalog.W{number:03}", text, about.pk, about.name)


@register(Tags.database)
def catalog_makes_sense(
    *, app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """System checks catalog.W001 and up, one for each problem, in `manage.py check --database`."""
    hint = "Change it in the admin pages of the catalog."
    told: list[CheckMessage] = []
    for database in databases or ():
        try:
            told += [CheckMessage(WARNING, each.text, hint=hint, id=each.id) for each in found(using=database)]
        except DatabaseError:
            # Checks run before the first migration, too.
            continue
    return told


def _problems_of(policy: AccessPolicy, rivals: Sequence[AccessPolicy], facts: _Facts) -> Iterator[Problem]:
    for rule in (_who_asks, _tickets, _what_it_gives, _who_decides, _beside(rivals)):
        for number, text in rule(policy, facts):
            yield Problem(f"catalog.W{number:03}", text, policy.pk, policy.name)


def _who_asks(policy: AccessPolicy, facts: _Facts) -> Iterator[tuple[int, str]]:
    groups, departments = list(policy.requestable_by.all()), departments_of(policy)
    if not groups and not departments:
        yield 1, f"Nobody may ask by “{policy}”: name a group or a department."
    elif not departments & facts.departments and not any(group.pk in facts.peopled for group in groups):
        yield 11, f"Nobody whom the portal knows is in a group or department that “{policy}” names."
    for group in policy.closed_to.all():
        if group.pk not in facts.peopled:
            why = "it keeps nobody from asking. Look whether it is still there in the directory."
            yield 19, f"Nobody whom the portal knows is in {group}, to which “{policy}” is closed: {why}"
    if policy.departments and len(departments) != len(policy.departments):
        yield 2, f"The departments of “{policy}” are not a list of names; save them anew."


def _tickets(policy: AccessPolicy, facts: _Facts) -> Iterator[tuple[int, str]]:
    if refusal := tickets.refusal(policy.ticket_pattern):
        yield 7, f"The ticket pattern of “{policy}” is not to be used. {refusal}"
    if policy.tickets_checked and not settings.TICKET_SYSTEM:
        remedy = "set TICKET_WEBHOOK_URL, or let the policy take tickets unchecked"
        yield (
            51,
            f"“{policy}” has tickets checked, and no ticket system is connected, so every ask is refused: {remedy}.",
        )


def _what_it_gives(policy: AccessPolicy, facts: _Facts) -> Iterator[tuple[int, str]]:
    permission_set, tags = policy.permission_set, account_tags.read(policy.account_tags)
    there = facts.tags_in.get(policy.environment_id, ())
    if there and not any(tags <= (each or account_tags.ANY) for each in there):
        words = account_tags.written(tags)
        yield 18, f"No account of {policy.environment} is tagged {words}, for which alone “{policy}” is."
    if permission_set.vanished_at:
        yield 3, f"AWS no longer has {permission_set}, which “{policy}” names; choose another."
    if policy.environment_id not in facts.open_in:
        yield 9, f"There is no account to ask for in {policy.environment}, where “{policy}” holds."
    if permission_set.session_duration > policy.longest_duration:
        last, longest = spell(permission_set.session_duration), spell(policy.longest_duration)
        outlasts = "a session that is open when access ends goes on without it. Shorten the sessions in AWS."
        yield 10, f"Sessions of {permission_set} last {last}, and “{policy}” grants at most {longest}: {outlasts}"
    if found := too_much(permission_set.managed_policies, permission_set.inline_policy):
        names = ", ".join(found)
        yield 17, f"{permission_set}, which “{policy}” gives, allows more than a job function needs: {names}."
    if permission_set.pk in facts.in_management:
        why = "AWS lets only that account assign it from then on, and it reaches all others"
        yield 16, f"{permission_set}, which “{policy}” gives, is for the management account, too: {why}."


def _who_decides(policy: AccessPolicy, facts: _Facts) -> Iterator[tuple[int, str]]:
    rows = list(policy.stages.all())
    automatic = policy.automatic_approval == AccessPolicy.AutomaticApproval.ALWAYS
    if not automatic and not rows:
        yield 4, f"Nobody decides by “{policy}”: add a stage."
    if automatic and rows:
        yield (
            5,
            f"“{policy}” approves automatically: its stages count only where another policy asks for people.",
        )
    is_limited = policy.automatic_approval == AccessPolicy.AutomaticApproval.UP_TO and policy.automatic_up_to
    if is_limited and is_limited >= policy.longest_duration:
        everything = f"approves all it allows at once, up to {spell(policy.longest_duration)}"
        yield 40, f"“{policy}” {everything}: nothing comes to its stages."
    undrawn = {
        stage.approver_group
        for stage in rows
        if not (stage.approver_group.is_requesters_manager or stage.approver_group.directory_groups.all())
    }
    if asks_manager(policy) and (named := facts.without_manager.named(policy)):
        why = "names nobody as their manager, or somebody who has never signed in here or is disabled"
        yield 50, f"“{policy}” asks {MANAGER}, and would refuse {named}: the directory {why}."
    for group in sorted(undrawn, key=str):
        yield 6, f"Nobody is in {group}, which decides by “{policy}”: give it a directory group."
    for group in sorted({stage.approver_group for stage in rows}, key=str):
        if (size := facts.sizes.get(group.pk, 0)) > MOST_TOLD:
            # Said once of a group, however many policies it decides by.
            yield 14, f"Each ask that {group} decides on is told to its {size} people; a smaller group answers sooner."
    if not undrawn:
        yield from _enough_deciders(policy, _stages(policy), facts)


def _enough_deciders(policy: AccessPolicy, stages: Sequence[Stage], facts: _Facts) -> Iterator[tuple[int, str]]:
    total = sum(stage.approvals_needed for stage in stages)
    # A group with more rows than all stages need together always has somebody left, without the one who asks, too.
    scarce = [stage for stage in stages if all(size <= total for size in _sizes(stage, facts))]
    if not (decided := can_be_decided(_steps(scarce, facts, but=None), anybody=True)):
        yield 12, decided.reason
        return
    alone = []
    members = {pk: member for stage in scarce for pk, member in _members(stage, facts).items()}
    asking, departments = {group.pk for group in policy.requestable_by.all()}, departments_of(policy)
    for member in members.values():
        may_ask = member.groups & asking or member.department in departments
        if may_ask and not can_be_decided(_steps(scarce, facts, but=member.identity)):
            alone.append(member.identity.name)
    if alone:
        names = ", ".join(sorted(alone)[:5])
        too_few = "without the one who asks, its stages have too few people"
        yield 13, f"Nobody could approve what {names} may ask for by “{policy}”: {too_few}."


def _steps(stages: Sequence[Stage], facts: _Facts, but: Identity | None) -> list[Deciding]:
    steps = []
    for stage in stages:
        if stage.by_manager:
            # Whoever that is: of those who have none, another rule tells.
            steps.append(Deciding(stage, 0))
            continue
        able = [each.identity for each in _members(stage, facts).values()]
        steps.append(Deciding(stage, *first_people([each for each in able if not but or not is_same(but, each)])))
    return steps


def _members(stage: Stage, facts: _Facts) -> dict[int, _Member]:
    members: dict[int, _Member] = {}
    for group in _groups(stage):
        members |= facts.small.get(group, {})
    return members


def _sizes(stage: Stage, facts: _Facts) -> list[int]:
    return [facts.sizes.get(group, 0) for group in _groups(stage)]


def _groups(stage: Stage) -> list[int]:
    return [stage.approver_group_id, *([stage.escalation.approver_group_id] if stage.escalation else [])]


def _beside(rivals: Sequence[AccessPolicy]) -> Any:
    def rule(policy: AccessPolicy, facts: _Facts) -> Iterator[tuple[int, str]]:
        for rival in rivals:
            one, other = sorted((policy, rival), key=lambda each: each.name)
            if rival.permission_set_id != policy.permission_set_id:
                yield 8, f"“{one}” names {one.permission_set} and “{other}” {other.permission_set}: they must agree."
            elif both := _in_both(policy, rival):
                what = f"{policy.role} in {policy.environment}"
                yield (
                    15,
                    f"“{one}” and “{other}” both let {both} ask for {what}: the strictest terms of the two hold.",
                )

    return rule


def _in_both(one: AccessPolicy, other: AccessPolicy) -> str:
    groups = {group.name for group in one.requestable_by.all()} & {group.name for group in other.requestable_by.all()}
    return ", ".join(sorted(groups | (departments_of(one) & departments_of(other))))


def _stages(policy: AccessPolicy) -> list[Stage]:
    return [stage_with_groups(row, policy.name) for row in policy.stages.all()]


def _read(policies: Sequence[AccessPolicy], using: str) -> _Facts:
    people = get_user_model().objects.using(using).filter(is_active=True)
    links: Any = get_user_model()._meta.get_field("directory_groups")
    memberships = links.remote_field.through.objects.using(using)
    open_in = Account.objects.using(using).filter(vanished_at=None, environment_id__isnull=False).order_by()
    named = {group.pk for policy in policies for group in (*policy.requestable_by.all(), *policy.closed_to.all())}
    somebody = Exists(memberships.filter(directorygroup=OuterRef("pk"), user__is_active=True))
    departments = {name for policy in policies for name in departments_of(policy)}
    stages = [stage for policy in policies for stage in policy.stages.all()]
    approving = {pk for stage in stages for pk in (stage.approver_group_id, stage.escalation_group_id) if pk}
    counted = Count("directory_groups__people", filter=Q(directory_groups__people__is_active=True), distinct=True)
    groups = ApproverGroup.objects.using(using).filter(pk__in=approving).order_by()
    sizes = dict(groups.annotate(size=counted).values_list("pk", "size"))
    most = max(
        (sum(stage.approvals_needed for stage in policy.stages.all()) for policy in policies), default=_FEWEST_READ
    )
    small: dict[int, dict[int, _Member]] = {pk: {} for pk, size in sizes.items() if size <= max(most, _FEWEST_READ)}
    rows = people.filter(directory_groups__approver_groups__in=small).values_list(
        "directory_groups__approver_groups", "department", *IDENTITY
    )
    for group, department, *identity in rows:
        if group in small:
            small[group][identity[0]] = _Member(Identity(*identity), department, frozenset())
    few = {pk for members in small.values() for pk in members}
    for pk, group in memberships.filter(user__in=few).values_list("user_id", "directorygroup_id"):
        for members in small.values():
            if pk in members:
                members[pk] = replace(members[pk], groups=members[pk].groups | {group})
    tags_in: dict[int, list[account_tags.Tags | None]] = {}
    for account in open_in:
        tags_in.setdefault(account.environment_id or 0, []).append(tags_of(account))
    return _Facts(
        open_in=frozenset(tags_in),
        peopled=frozenset(
            DirectoryGroup.objects.using(using).filter(somebody, pk__in=named).values_list("pk", flat=True)
        ),
        departments=frozenset(
            people.filter(department__in=departments).order_by().values_list("department", flat=True).distinct()
        ),
        sizes=sizes,
        small=small,
        in_management=frozenset(
            AccessPolicy.objects.using(using)
            .filter(is_in_force=True, environment__accounts__is_management=True)
            .values_list("permission_set_id", flat=True)
        ),
        without_manager=WithoutManager(policies, using),
        tags_in=tags_in,
    )
