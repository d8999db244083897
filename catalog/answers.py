"""Reads what a question needs, now or at a moment that has passed, and answers it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.conf import settings

from catalog import past
from catalog.account_tags import Tags
from catalog.deciders import Deciding, can_be_decided, deciding
from catalog.duties import Duty, duties_of
from catalog.explain import Because, Part, Standing, There, because, parts, reach, standing, standings
from catalog.membership import Membership, Now
from catalog.models import Account, DirectoryGroup, Environment, Role
from catalog.offers import policies_in_force, tags_of
from catalog.people import Person
from catalog.policy import Verdict, whatever_is_asked
from catalog.terms import Policy, Terms

MOST_LISTED: Final = 50


@dataclass(frozen=True)
class Listed:
    """One of those who can ask, and by what."""

    person: Person
    because: tuple[Because, ...]


@dataclass(frozen=True)
class Crowd:
    """All whom the same policies let in to a part of the accounts: how many, on what terms or why not, who decides.

    `without_manager` are how many of them are refused because their manager decides, and there is none that could.
    """

    part: Part
    policies: tuple[Policy, ...]
    count: int
    terms: Terms | None
    refusals: tuple[Verdict, ...]
    deciding: tuple[Deciding, ...]
    duties: tuple[Duty, ...] = ()
    without_manager: int = 0

    @property
    def ids(self) -> frozenset[int]:
        """The ids of its policies."""
        return frozenset(policy.id for policy in self.policies)

    @property
    def part_ids(self) -> frozenset[int]:
        """The ids of all policies for the same accounts."""
        return frozenset(policy.id for policy in self.part.policies)

    @property
    def can_ask(self) -> bool:
        """Whether nothing is in the way of all that they could ask; but of those without a manager, see above."""
        return self.terms is not None and not self.refusals

    @property
    def needs_manager(self) -> bool:
        """Whether their manager decides on whatever they ask."""
        return bool(self.terms and self.terms.automatic.is_never and any(step.is_open for step in self.deciding))


@dataclass(frozen=True)
class Who:
    """Who can ask for a role in an environment, and how many; `listed` are the first of them, by name."""

    role: Role
    environment: Environment
    policies: tuple[Policy, ...]
    crowds: tuple[Crowd, ...]
    listed: tuple[Listed, ...]
    groups: Mapping[str, str]
    count: int


@dataclass(frozen=True)
class Reached:
    """Where somebody stands with one role in one environment, and who would decide.

    `duties` say who is on call by what the terms name, and whether it is they.
    """

    standing: Standing
    deciding: tuple[Deciding, ...]
    refusals: tuple[Verdict, ...]
    duties: tuple[Duty, ...] = ()

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
    policies, membership, there = _read(at, role.pk, environment.pk)
    matched = membership.crowds(policies)
    asks_manager = any(stage.by_manager for policy in policies for stage in policy.stages)
    alone = membership.crowds(policies, without_manager=True) if asks_manager else {}
    crowds: list[Crowd] = []
    for part in parts(policies, there.get(environment.pk, ())):
        of_part: Counter[frozenset[int]] = Counter()
        alone_there: Counter[frozenset[int]] = Counter()
        for ids, count in matched.items():
            let = ids & {policy.id for policy in part.policies}
            of_part[let] += count
            alone_there[let] += alone.get(ids, 0)
        crowds += [
            _crowd(part, ids, count, alone_there[ids], membership) for ids, count in of_part.most_common() if ids
        ]
    asking = {
        ids: [crowd for crowd in crowds if crowd.can_ask and ids & crowd.part_ids == crowd.ids] for ids in matched
    }
    can = [ids for ids, those in asking.items() if not all(crowd.needs_manager for crowd in those)]
    managed = [ids for ids, those in asking.items() if those and ids not in can]
    listed = tuple(
        Listed(person, tuple(each for policy in policies if _lets(each := because(policy, person))))
        for person in membership.some(policies, can, managed, MOST_LISTED)
    )
    count = sum(matched[ids] for ids in can) + sum(matched[ids] - alone.get(ids, 0) for ids in managed)
    return Who(role, environment, policies, tuple(crowds), listed, group_names(policies), count)


def _crowd(part: Part, ids: frozenset[int], count: int, alone: int, membership: Membership) -> Crowd:
    held = tuple(policy for policy in part.policies if policy.id in ids)
    judgement = whatever_is_asked(held)
    refusals, place = judgement.refusals, held[0]
    if not part.is_open:
        refusals = (*refusals, Verdict(False, f"There is no account to ask for in {place.environment}.", "accounts"))
    steps = deciding(judgement.terms.stages if judgement.terms else (), membership, None)
    duties = duties_of(judgement.terms, membership, None)
    refusals = (*refusals, *_unreachable(judgement.terms, steps, duties))
    crowd = Crowd(part, held, count, judgement.terms, refusals, steps, duties)
    return replace(crowd, without_manager=alone) if crowd.can_ask and crowd.needs_manager else crowd


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
    policies, membership, there = _read(at, role.pk if role else None, environment.pk if environment else None)
    person = membership.person(user_id)
    if person is None:
        return Reach("", False, (), {})
    called = who or f"{person.name} is"
    if role and environment:
        found = standings(policies, person, role.name, environment.name, there=there, who=called)
    else:
        found = reach(policies, person, there=there, who=called)
    return Reach(person.name, True, _with_deciders(found, membership, person), group_names(policies))


def reach_of_group(group: DirectoryGroup, at: datetime | None) -> Reach:
    """What somebody could ask for who were in this group and in no other."""
    policies, membership, there = _read(at)
    found = reach(policies, member_of(group.object_id, group.name), there=there, who="A member is")
    return Reach(group.name, True, _with_deciders(found, membership, None), group_names(policies))


def member_of(object_id: str, name: str) -> Person:
    """Somebody who is in this directory group and in no other."""
    return Person(0, "", name, "", "", "", frozenset({object_id}), True, False, False)


def with_account(
    policies: Sequence[Policy], person: Person, membership: Membership, *, asker: Person | None
) -> Reached:
    """Where a person stands with one account.

    Args:
        policies: those for one role and environment that are for the account; at least one.
        person: who would ask.
        membership: where those are looked up who would decide.
        asker: the same person, if they are nobody made up: they and their manager decide accordingly.
    """
    role, environment = policies[0].role, policies[0].environment
    found = standing(policies, person, role, environment, is_open=True, who=f"{person.name} is")
    return _with_deciders([found], membership, asker)[0]


def _read(
    at: datetime | None, role_id: int | None = None, environment_id: int | None = None
) -> tuple[tuple[Policy, ...], Membership, There]:
    if at is not None:
        then = past.policies_at(at, role_id, environment_id)
        return then, past.Then(at), past.accounts_at(at)
    there: dict[int, list[Tags | None]] = {}
    rows = Account.objects.filter(vanished_at=None, environment_id__isnull=False)
    for row in rows.filter(environment_id=environment_id) if environment_id else rows:
        there.setdefault(row.environment_id or 0, []).append(tags_of(row))
    return policies_in_force(role_id, environment_id), Now(), there


def _with_deciders(found: Iterable[Standing], membership: Membership, asker: Person | None) -> tuple[Reached, ...]:
    reached = []
    for each in found:
        steps = deciding(each.terms.stages if each.terms else (), membership, asker)
        duties = duties_of(each.terms, membership, asker)
        refusals = (*each.refusals, *_unreachable(each.terms, steps, duties))
        reached.append(Reached(each, steps, refusals, duties))
    return tuple(reached)


def _unreachable(terms: Terms | None, steps: tuple[Deciding, ...], duties: tuple[Duty, ...]) -> tuple[Verdict, ...]:
    """What keeps every ask from coming to anything, though no policy refuses it."""
    return (*_unchecked(terms), *_undecided(terms, steps, duties))


def _unchecked(terms: Terms | None) -> tuple[Verdict, ...]:
    """Tickets that must be checked, and nothing that does; which ticket system there was once is not on record."""
    if terms is None or not terms.ticket_checks or settings.TICKET_SYSTEM:
        return ()
    rule = terms.ticket_checks[0].rule
    return (Verdict(False, f"“{rule}” has tickets checked, and no ticket system is connected.", rule, "ticket"),)


def _undecided(terms: Terms | None, steps: tuple[Deciding, ...], duties: tuple[Duty, ...]) -> tuple[Verdict, ...]:
    """That nobody could decide is in the way of everything only where nothing is approved at once."""
    if terms is not None and terms.automatic.is_for_anybody:
        return ()
    if duties and all(duty.is_theirs for duty in duties):
        return ()
    decided = can_be_decided(steps)
    return () if decided else (decided,)


def _lets(each: Because) -> bool:
    return bool(each.group_ids or each.department)


def group_names(policies: Iterable[Policy]) -> dict[str, str]:
    """The names of all groups that these policies name, by object id."""
    ids = {each for policy in policies for each in policy.group_ids | policy.closed_ids}
    ids |= {each for policy in policies for stage in policy.stages for each in stage.all_group_ids}
    return dict(DirectoryGroup.objects.filter(object_id__in=ids).values_list("object_id", "name"))
