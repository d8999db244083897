"""Reads the policies in force from the database, and works out what they offer to one person."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import OuterRef, Q, QuerySet, Subquery, Value

from auditlog import clock
from catalog import account_tags
from catalog.automatic import When
from catalog.models import AccessPolicy, Account, ApprovalStage, ApproverGroup, DirectoryGroup, Environment, Role
from catalog.on_call import OnCall
from catalog.people import Person
from catalog.policy import AccountChoice, offered
from catalog.schedules import sources
from catalog.stages import Escalation, Stage
from catalog.step_up import BOTH, Wanted
from catalog.terms import Policy, Terms, applying, closed_together, matching


@dataclass(frozen=True)
class Offer:
    """A role that a person may ask for in an environment, on these terms, in these accounts.

    Where policies go by the tags of accounts there is one for each set of accounts with other terms; `is_part` then.
    `on_call` is whether they are on call now by all that the terms name; None if the terms name nothing.
    """

    role: Role
    environment: Environment
    terms: Terms
    accounts: tuple[Account, ...]
    is_part: bool = False
    on_call: bool | None = None

    @property
    def address(self) -> str:
        """The query that names it in the address of a page."""
        query = {"role": self.role.slug, "environment": self.environment.slug}
        return urlencode(query | ({"account": self.accounts[0].account_id} if self.is_part else {}))

    @property
    def tags(self) -> str:
        """The tags by which policies of it go, in words; empty if they are for any account."""
        return account_tags.written(frozenset(tag for policy in self.terms.policies for tag in policy.account_tags))


def policies_in_force(role_id: int | None = None, environment_id: int | None = None) -> tuple[Policy, ...]:
    """The policies in force, all or those for one role and environment, to judge by; a fixed number of queries."""
    rows = AccessPolicy.objects.filter(is_in_force=True)
    if role_id is not None:
        rows = rows.filter(role_id=role_id)
    if environment_id is not None:
        rows = rows.filter(environment_id=environment_id)
    return tuple(policy for _, policy in _read(rows))


def policies_among(role_ids: Iterable[int], environment_ids: Iterable[int]) -> tuple[Policy, ...]:
    """As `policies_in_force`, those for any of these roles in any of these environments."""
    rows = AccessPolicy.objects.filter(is_in_force=True, role__in=role_ids, environment__in=environment_ids)
    return tuple(policy for _, policy in _read(rows))


def _read(rows: QuerySet[AccessPolicy]) -> list[tuple[AccessPolicy, Policy]]:
    """The rows by name, each with the policy that it is.

    Groups are read as pairs of ids: making objects of them, for hundreds of policies, took most of a page's time.
    """
    versions = AccessPolicy.history.filter(id=OuterRef("pk")).order_by("-history_id").values("history_id")
    joined = rows.select_related("role", "environment", "permission_set").order_by("name")
    read = list(joined.annotate(version=Subquery(versions[:1])))
    asking, closing = _open_and_closed([row.pk for row in read])
    stages: dict[int, list[ApprovalStage]] = {}
    of_these = ApprovalStage.objects.filter(policy__in=[row.pk for row in read])
    for stage in of_these.select_related("approver_group", "escalation_group").order_by("position"):
        stages.setdefault(stage.policy_id, []).append(stage)
    approving = [
        pk for rows in stages.values() for row in rows for pk in (row.approver_group_id, row.escalation_group_id)
    ]
    drawn = _drawn(filter(None, approving))

    def drawn_as(group: ApproverGroup) -> Drawn:
        return Drawn(group.name, drawn[group.pk], bool(group.is_requesters_manager))

    on_call = sources(read)
    policies = (
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
                    drawn_as(stage.approver_group),
                    drawn_as(stage.escalation_group) if stage.escalation_group else None,
                )
                for stage in stages.get(row.pk, ())
            ),
            on_call=on_call.get(row.pk),
        )
        for row in read
    )
    return list(zip(read, closed_together(policies, closing), strict=True))


def _open_and_closed(
    keys: Sequence[int],
) -> tuple[defaultdict[int, frozenset[str]], defaultdict[int, frozenset[str]]]:
    """The object ids of the directory groups that each of these policies lets ask, and keeps from it; one query."""
    found: tuple[defaultdict[int, frozenset[str]], defaultdict[int, frozenset[str]]]
    found = defaultdict(frozenset), defaultdict(frozenset)
    links: tuple[Any, Any] = (AccessPolicy.requestable_by.through, AccessPolicy.closed_to.through)
    open_to, closed_to = (
        through.objects.filter(accesspolicy__in=keys).values_list(
            "accesspolicy_id", "directorygroup__object_id", Value(which)
        )
        for which, through in enumerate(links)
    )
    for key, object_id, which in open_to.union(closed_to, all=True):
        found[which][key] |= {object_id}
    return found


def _drawn(approver_groups: Iterable[int]) -> defaultdict[int, frozenset[str]]:
    """The object ids of the directory groups from which each of these approver groups is drawn."""
    found: defaultdict[int, frozenset[str]] = defaultdict(frozenset)
    through: Any = ApproverGroup.directory_groups.through
    links = through.objects.filter(approvergroup__in=set(approver_groups))
    for key, object_id in links.values_list("approvergroup_id", "directorygroup__object_id"):
        found[key] |= {object_id}
    return found


def _may_be_open_to(person: Person) -> Q:
    """The policies that could let this person ask: by a group of theirs, or by departments, looked at later."""
    by_group = AccessPolicy.requestable_by.through.objects.filter(directorygroup__object_id__in=person.groups)
    closing = AccessPolicy.closed_to.through.objects.filter(directorygroup__object_id__in=person.groups)
    # What keeps them from it must be read, too, though it may let only others ask.
    open_to = Q(pk__in=by_group.values("accesspolicy_id")) | Q(pk__in=closing.values("accesspolicy_id"))
    return open_to | ~Q(departments=[]) if person.department else open_to


def _is_on_call(terms: Terms, person: Person) -> bool | None:
    sources = terms.automatic.on_call
    if not sources:
        return None
    now = clock.now()
    return all(source.has(person, now) for source in sources)


def policy_of(
    row: Any,
    *,
    version: int,
    role: Any,
    environment: Any,
    permission_set: Any,
    group_ids: frozenset[str],
    stages: tuple[Stage, ...],
    on_call: OnCall | None,
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
        automatic=_when(row, on_call),
        stages=stages,
        step_up=Wanted(row.step_up_context, row.step_up_for or BOTH, row.step_up_longest_age or timedelta(0), row.name)
        if row.step_up_context
        else None,
        least_reason=row.least_reason,
        account_tags=account_tags.read(row.account_tags),
        checks_tickets=bool(row.tickets_checked),
    )


def _when(row: Any, on_call: OnCall | None) -> When | None:
    match row.automatic_approval:
        case AccessPolicy.AutomaticApproval.ALWAYS:
            return When()
        case AccessPolicy.AutomaticApproval.UP_TO if row.automatic_up_to:
            return When(up_to=row.automatic_up_to)
        case AccessPolicy.AutomaticApproval.ON_CALL if on_call:
            return When(up_to=row.automatic_up_to, on_call=on_call)
    # Whatever else it says, people decide.
    return None


@dataclass(frozen=True)
class Drawn:
    """An approver group: its name, the object ids of its directory groups, or that it is the requester's manager."""

    name: str
    group_ids: frozenset[str]
    by_manager: bool = False


def stage_of(row: Any, rule: str, approvers: Drawn, escalation: Drawn | None) -> Stage:
    """A stage to judge by, from its row of today or a version of it, and its groups."""
    after = row.escalates_after
    return Stage(
        position=row.position,
        approver_group_id=row.approver_group_id,
        approver_group=approvers.name,
        group_ids=approvers.group_ids,
        approvals_needed=row.approvals_needed,
        rule=rule,
        escalation=Escalation(row.escalation_group_id, escalation.name, escalation.group_ids, after, rule)
        if escalation and after
        else None,
        by_manager=approvers.by_manager,
    )


def stage_with_groups(row: Any, rule: str) -> Stage:
    """As `stage_of`, of a row of today whose groups, with their directory groups, are read with it."""
    escalation = _drawn_from(row.escalation_group) if row.escalation_group else None
    return stage_of(row, rule, _drawn_from(row.approver_group), escalation)


def _drawn_from(group: ApproverGroup) -> Drawn:
    return Drawn(group.name, object_ids(group.directory_groups.all()), bool(group.is_requesters_manager))


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
        AccountChoice(
            account.account_id, account.name, account.environment_id, account.vanished_at is not None, tags_of(account)
        )
        for account in accounts
    )


def tags_of(account: Any) -> account_tags.Tags | None:
    """The tags of an account, or of a version of it that history kept; None until AWS has told them."""
    return None if account.tags is None else account_tags.read(account.tags)


def parts_of(policies: Sequence[Policy], accounts: Iterable[Account]) -> dict[tuple[Policy, ...], tuple[Account, ...]]:
    """The accounts by the policies that are for them: more than one part only where policies go by tags.

    An account whose tags AWS has not told is in no part then, nor is one that no policy is for.
    """
    if not any(policy.account_tags for policy in policies):
        return {tuple(policies): tuple(accounts)}
    parts: dict[tuple[Policy, ...], tuple[Account, ...]] = {}
    for account in accounts:
        if (tags := tags_of(account)) is not None and (held := applying(policies, [tags])):
            parts[held] = (*parts.get(held, ()), account)
    return parts


def chosen(offers: Iterable[Offer], role: Role, environment: Environment, account_ids: Iterable[str]) -> Offer | None:
    """The offer of this role in this environment that has most of these accounts; None if there is none of it."""
    wanted = set(account_ids)
    alike = [offer for offer in offers if (offer.role, offer.environment) == (role, environment)]
    return max(alike, key=lambda offer: len(wanted & {row.account_id for row in offer.accounts}), default=None)


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
    offers = []
    for (environment, role), policies in by_pair.items():
        parts = parts_of(policies, accounts[environment]) if environment in accounts else {}
        for held, there in parts.items():
            if terms := offered(held):
                on_call = _is_on_call(terms, person)
                offers.append(Offer(roles[role], environments[environment], terms, there, len(parts) > 1, on_call))
    return tuple(sorted(offers, key=lambda o: (o.environment.sensitivity, o.environment.name, o.role.name)))
