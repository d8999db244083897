"""Access policies as judgements read them, and the terms that hold where several do: the most restrictive of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Generic, TypeVar

from catalog import reasons, step_up
from catalog.account_tags import ANY, Tags
from catalog.automatic import Automatically, By, When
from catalog.people import Person
from catalog.stages import Stage, joined
from catalog.step_up import Demand, Wanted

T = TypeVar("T")


@dataclass(frozen=True)
class Closed:
    """A directory group that a policy keeps from asking, whatever another allows: its object id, and the policy."""

    group_id: str
    rule: str


@dataclass(frozen=True)
class Policy:
    """One access policy in force, with its role, environment and permission set as far as a judgement needs them.

    `closed_by` are the groups that it, or another policy for the same role and environment, keeps from asking.
    """

    id: int
    version: int
    name: str
    role_id: int
    role: str
    role_is_offered: bool
    environment_id: int
    environment: str
    group_ids: frozenset[str]
    departments: frozenset[str]
    permission_set_id: int
    permission_set: str
    permission_set_vanished: bool
    default_duration: timedelta
    longest_duration: timedelta
    accounts_per_request: int
    ticket_pattern: str
    automatic: When | None
    stages: tuple[Stage, ...]
    step_up: Wanted | None = None
    least_reason: int | None = None
    account_tags: Tags = ANY
    checks_tickets: bool = False
    closed_by: frozenset[Closed] = frozenset()

    @property
    def closed_ids(self) -> frozenset[str]:
        """The object ids of the groups that are kept from asking."""
        return frozenset(closed.group_id for closed in self.closed_by)


@dataclass(frozen=True)
class Limit(Generic[T]):
    """A term's value and the policy that set it."""

    value: T
    rule: str


@dataclass(frozen=True)
class Terms:
    """The most restrictive of all matching policies, term by term, each with its rule."""

    policies: tuple[Policy, ...]
    permission_set_id: int
    permission_set: str
    default_duration: Limit[timedelta]
    longest_duration: Limit[timedelta]
    accounts_per_request: Limit[int]
    ticket_patterns: tuple[Limit[str], ...]
    automatic: Automatically
    stages: tuple[Stage, ...]
    step_up_to_ask: tuple[Demand, ...] = ()
    step_up_to_decide: tuple[Demand, ...] = ()
    # Of no policy, where none asks for more than the portal does.
    least_reason: Limit[int] = Limit(reasons.LEAST, "")
    # One for each policy that has tickets checked.
    ticket_checks: tuple[Limit[bool], ...] = ()


def matching(policies: Iterable[Policy], person: Person) -> tuple[Policy, ...]:
    """The policies that let this person ask, by directory group or by department, and are not closed to them."""
    return tuple(
        policy
        for policy in policies
        if (policy.group_ids & person.groups or (person.department and person.department in policy.departments))
        and not policy.closed_ids & person.groups
    )


def closed_together(policies: Iterable[Policy], closing: Mapping[int, Iterable[str]]) -> tuple[Policy, ...]:
    """The policies, each with what any of those for its role and environment keeps from asking.

    `closing` has the object ids of the groups that each policy, by id, itself keeps from it.
    """
    rows = tuple(policies)
    by_pair: dict[tuple[int, int], set[Closed]] = {}
    for policy in rows:
        closed = by_pair.setdefault((policy.role_id, policy.environment_id), set())
        closed |= {Closed(group_id, policy.name) for group_id in closing.get(policy.id, ())}
    return tuple(replace(row, closed_by=frozenset(by_pair[row.role_id, row.environment_id])) for row in rows)


def covering(policies: Iterable[Policy], tags: Tags | None) -> tuple[Policy, ...]:
    """The policies that are for an account with these tags; of one whose tags AWS has not told, those for any."""
    return tuple(policy for policy in policies if policy.account_tags <= (tags or ANY))


def applying(policies: Sequence[Policy], accounts: Iterable[Tags | None]) -> tuple[Policy, ...]:
    """The policies that are for any of these accounts; of no account, all."""
    given = list(accounts)
    chosen = {policy for tags in given for policy in covering(policies, tags)}
    return tuple(policy for policy in policies if policy in chosen or not given)


def terms_of(policies: tuple[Policy, ...]) -> Terms:
    """The terms that hold when all of these policies do: the most restrictive value of each.

    Args:
        policies: at least one, all for one role and environment and one permission set.
    """
    shortest = min(policies, key=lambda policy: policy.longest_duration)
    default = min(policies, key=lambda policy: policy.default_duration)
    fewest = min(policies, key=lambda policy: policy.accounts_per_request)
    wanted = [policy.step_up for policy in policies if policy.step_up]
    automatic = Automatically(tuple(By(policy.name, policy.version, policy.automatic) for policy in policies))
    return Terms(
        policies=policies,
        permission_set_id=policies[0].permission_set_id,
        permission_set=policies[0].permission_set,
        default_duration=Limit(min(default.default_duration, shortest.longest_duration), default.name),
        longest_duration=Limit(shortest.longest_duration, shortest.name),
        accounts_per_request=Limit(fewest.accounts_per_request, fewest.name),
        ticket_patterns=tuple(
            Limit(policy.ticket_pattern, policy.name) for policy in policies if policy.ticket_pattern
        ),
        automatic=automatic,
        stages=() if automatic.is_always else joined(policy.stages for policy in policies),
        step_up_to_ask=step_up.joined(wanted, step_up.ASKING),
        step_up_to_decide=step_up.joined(wanted, step_up.DECIDING),
        least_reason=_longest_reason(policies),
        ticket_checks=tuple(Limit(True, policy.name) for policy in policies if policy.checks_tickets),
    )


def _longest_reason(policies: tuple[Policy, ...]) -> Limit[int]:
    asked = [Limit(policy.least_reason, policy.name) for policy in policies if policy.least_reason]
    return max([Limit(reasons.LEAST, ""), *asked], key=lambda limit: limit.value)
