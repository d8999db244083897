"""Reads what a question needs, now or at a moment that has passed, and answers it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from catalog import past
from catalog.deciders import Deciding, can_be_decided, deciding
from catalog.explain import Because, Standing, because, reach, standing
from catalog.membership import Membership, Now
from catalog.models import Account, DirectoryGroup, Environment, Role
from catalog.offers import policies_in_force
from catalog.people import Person
from catalog.policy import Policy, Terms, Verdict, whatever_is_asked

MOST_LISTED: Final = 50


@dataclass(frozen=True)
class Listed:
    """One of those who can ask, and by what."""

    person: Person
    because: tuple[Because, ...]


@dataclass(frozen=True)
class Crowd:
    """All whom the same policies let in: how many, on what terms or why not, and who would decide."""

    policies: tuple[Policy, ...]
    count: int
    terms: Terms | None
    refusals: tuple[Verdict, ...]
    deciding: tuple[Deciding, ...]

    @property
    def can_ask(self) -> bool:
        """Whether nothing is in the way of all that they could ask."""
        return self.terms is not None and not self.refusals


@dataclass(frozen=True)
class Who:
    """Who can ask for a role in an environment; `listed` are the first of them, by name."""

    role: Role
    environment: Environment
    policies: tuple[Policy, ...]
    crowds: tuple[Crowd, ...]
    listed: tuple[Listed, ...]
    groups: Mapping[str, str]

    @property
    def count(self) -> int:
        """How many people can ask."""
        return sum(crowd.count for crowd in self.crowds if crowd.can_ask)


@dataclass(frozen=True)
class Reached:
    """Where somebody stands with one role in one environment, and who would decide."""

    standing: Standing
    deciding: tuple[Deciding, ...]
    refusals: tuple[Verdict, ...]

    @property
    def may_ask(self) -> bool:
        """Whether any ask could be allowed, and approved."""
        return self.standing.may_ask and not self.refusals


@dataclass(frozen=True)
class Reach:
    """Where a person or the members of a group stand, with one role in one environment or with all."""

    name: str
    is_known: bool
    reached: tuple[Reached, ...]
    groups: Mapping[str, str]


def who_can_ask(role: Role, environment: Environment, at: datetime | None) -> Who:
    """Who can ask for this, now or then."""
    policies, membership, open_in = _read(at, role.pk, environment.pk)
    crowds = []
    for ids, count in sorted(membership.crowds(policies).items(), key=lambda each: -each[1]):
        matched = tuple(policy for policy in policies if policy.id in ids)
        judgement = whatever_is_asked(matched)
        refusals = judgement.refusals
        if environment.pk not in open_in:
            refusals = (*refusals, Verdict(False, f"There is no account to ask for in {environment}.", "accounts"))
        steps = deciding(judgement.terms.stages if judgement.terms else (), membership, None)
        if not (decided := can_be_decided(steps)):
            refusals = (*refusals, decided)
        crowds.append(Crowd(matched, count, judgement.terms, refusals, steps))
    can = [frozenset(policy.id for policy in crowd.policies) for crowd in crowds if crowd.can_ask]
    listed = tuple(
        Listed(person, tuple(each for policy in policies if _lets(each := because(policy, person))))
        for person in membership.some(policies, can, MOST_LISTED)
    )
    return Who(role, environment, policies, tuple(crowds), listed, group_names(policies))


def why(
    user_id: int,
    at: datetime | None,
    *,
    who: str = "",
    role: Role | None = None,
    environment: Environment | None = None,
) -> Reach:
    """Why a person can, or cannot, have this role in this environment; without the two, what they can ask for at all.

    `who` is how refusals call them, such as "You are"; by their name if it is empty.
    """
    policies, membership, open_in = _read(at, role.pk if role else None, environment.pk if environment else None)
    person = membership.person(user_id)
    if person is None:
        return Reach("", False, (), {})
    called = who or f"{person.name} is"
    if role and environment:
        found: Iterable[Standing] = (
            standing(policies, person, role.name, environment.name, open_in=open_in, who=called),
        )
    else:
        found = reach(policies, person, open_in=open_in, who=called)
    return Reach(person.name, True, _with_deciders(found, membership, person), group_names(policies))


def reach_of_group(group: DirectoryGroup, at: datetime | None) -> Reach:
    """What somebody could ask for who were in this group and in no other."""
    policies, membership, open_in = _read(at)
    member = Person(0, "", group.name, "", "", "", frozenset({group.object_id}), True, False, False)
    found = reach(policies, member, open_in=open_in, who="A member is")
    return Reach(group.name, True, _with_deciders(found, membership, None), group_names(policies))


def _read(
    at: datetime | None, role_id: int | None = None, environment_id: int | None = None
) -> tuple[tuple[Policy, ...], Membership, frozenset[int]]:
    if at is not None:
        then = past.policies_at(at, role_id, environment_id)
        return then, past.Then(at), past.environments_with_accounts_at(at)
    there = Account.objects.filter(vanished_at=None, environment_id__isnull=False)
    open_in = frozenset(there.order_by().values_list("environment_id", flat=True).distinct())
    return policies_in_force(role_id, environment_id), Now(), frozenset(each for each in open_in if each)


def _with_deciders(found: Iterable[Standing], membership: Membership, asker: Person | None) -> tuple[Reached, ...]:
    reached = []
    for each in found:
        steps = deciding(each.terms.stages if each.terms else (), membership, asker)
        decided = can_be_decided(steps)
        reached.append(Reached(each, steps, each.refusals if decided else (*each.refusals, decided)))
    return tuple(reached)


def _lets(each: Because) -> bool:
    return bool(each.group_ids or each.department)


def group_names(policies: Iterable[Policy]) -> dict[str, str]:
    """The names of all groups that these policies name, by object id."""
    ids = {each for policy in policies for each in policy.group_ids}
    ids |= {each for policy in policies for stage in policy.stages for each in stage.all_group_ids}
    return dict(DirectoryGroup.objects.filter(object_id__in=ids).values_list("object_id", "name"))
