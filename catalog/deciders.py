"""Who could decide on what somebody asks: the people of each stage's group but the one who asks, each of them once."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from catalog.managers import Manager
from catalog.membership import NO_ROWS, Membership
from catalog.people import Identity, Person, is_same, told_apart
from catalog.policy import Verdict
from catalog.stages import MANAGER, Stage

WORTH_NAMING: Final = 5
CAN_BE_DECIDED: Final = Verdict(True, "", "")
# A stage by its number, and which of the agreements that it needs.
Seat = tuple[int, int]


@dataclass(frozen=True)
class Deciding:
    """A stage with those who could decide at it: how many people, and the rows of as many as are needed or more.

    `manager` is that of the one who asks, at a stage where their manager decides; None if nobody in particular asks.
    """

    stage: Stage
    count: int
    able: tuple[Identity, ...] = ()
    manager: Manager | None = None

    @property
    def names(self) -> Mapping[int, str]:
        """The names of those who are able, by user id."""
        return {each.user_id: each.name for each in self.able}

    @property
    def is_open(self) -> bool:
        """Whether it depends on who asks, and nobody in particular does."""
        return self.stage.by_manager and self.manager is None


def deciding(
    stages: Sequence[Stage],
    membership: Membership,
    asker: Person | None,
    decided: Sequence[Identity] = (),
    late: Mapping[int, AbstractSet[int]] = MappingProxyType({}),
) -> tuple[Deciding, ...]:
    """Those who could decide at each stage if this person asked, or if somebody outside all of the groups did.

    Without those who have decided already: nobody does so twice. `late` are the rows (by user id) that came too late
    for a stage (by position) of this ask.
    """
    # One more than are needed: of so many, it does not matter which of them decides elsewhere.
    enough = max(WORTH_NAMING, sum(stage.approvals_needed for stage in stages) + 1)
    but = (*([asker] if asker else []), *decided)
    found = []
    for stage in stages:
        came = late.get(stage.position, NO_ROWS)
        if stage.by_manager:
            found.append(_by_manager(stage, membership, asker, but, enough, came))
            continue
        found.append(Deciding(stage, *membership.members(stage.all_group_ids, enough, but, came)))
    return tuple(found)


def _by_manager(
    stage: Stage,
    membership: Membership,
    asker: Person | None,
    but: Sequence[Identity],
    enough: int,
    late: AbstractSet[int],
) -> Deciding:
    """The manager, with those to whom the stage escalates; without a manager that could decide, nobody."""
    if asker is None:
        return Deciding(stage, 0)
    manager = membership.manager(asker)
    if manager.why_not or manager.person is None:
        return Deciding(stage, 0, (), manager)
    count, able = membership.members(stage.all_group_ids, enough, but, late) if stage.all_group_ids else (0, ())
    if manager.person.user_id in late or any(is_same(manager.person, each) for each in but):
        return Deciding(stage, count, able, manager)
    is_in = manager.person.groups & stage.all_group_ids or any(is_same(manager.person, each) for each in able)
    others = tuple(each for each in able if each.user_id != manager.person.user_id)
    return Deciding(stage, count + (0 if is_in else 1), (manager.person, *others), manager)


def can_be_decided(steps: Sequence[Deciding], *, anybody: bool = False) -> Verdict:
    """Whether different people could agree at all of the stages; if not, at which stage nobody is left.

    With `anybody` the refusal speaks of whoever might ask, else of the person who does.
    """
    open_steps = [step for step in steps if step.is_open]
    if sum(step.stage.approvals_needed for step in open_steps) > 1:
        return Verdict(False, _lacking(open_steps[-1], anybody), open_steps[-1].stage.rule, "role")
    known = [step for step in steps if not step.is_open]
    numbers = told_apart(each for step in known for each in step.able)
    seats = _seated(known, [{numbers[each.user_id] for each in step.able} for step in known])
    for number, step in enumerate(known):
        if any((number, place) not in seats for place in range(step.stage.approvals_needed)):
            return Verdict(False, _lacking(step, anybody), step.stage.rule, "role")
    return CAN_BE_DECIDED


def needed_at(person: Identity, steps: Sequence[Deciding]) -> Deciding | None:
    """The stage among these that would lack somebody if this person decided at another than these, or None.

    As long as only those decide for whom it is None, there are always enough for all of these if there were at first.
    """
    numbers = told_apart([person, *(each for step in steps for each in step.able)])
    them = numbers[person.user_id]
    able = [{numbers[each.user_id] for each in step.able} for step in steps]
    seats = _seated(steps, able)
    if len(_seated(steps, [people - {them} for people in able])) == len(seats):
        return None
    return next(steps[seat[0]] for seat, taken in seats.items() if taken == them)


def _seated(steps: Sequence[Deciding], able: Sequence[AbstractSet[int]]) -> dict[Seat, int]:
    """As many seats as can be taken by different people at once, with who takes them, of those able at each stage."""
    seats: dict[Seat, int] = {}
    for number, step in enumerate(steps):
        for place in range(step.stage.approvals_needed):
            _seat((number, place), able, seats, set())
    return seats


def _seat(seat: Seat, able: Sequence[AbstractSet[int]], seats: dict[Seat, int], tried: set[int]) -> bool:
    """Whether somebody can take this seat, others moving to another of theirs where that makes room for it."""
    taken = {person: at for at, person in seats.items()}
    for person in able[seat[0]]:
        if person in tried:
            continue
        tried.add(person)
        if person not in taken or _seat(taken[person], able, seats, tried):
            seats[seat] = person
            return True
    return False


def _lacking(step: Deciding, anybody: bool) -> str:
    stage, besides = step.stage, "" if anybody else " besides the one who asks"
    if stage.by_manager:
        return _lacking_manager(step, anybody)
    if not stage.all_group_ids:
        why = "that group is drawn from no directory group"
    elif step.count == 0:
        why = f"nobody{besides} is in it"
    elif step.count < stage.approvals_needed:
        why = f"only {step.count}{besides} {'is' if step.count == 1 else 'are'} in it"
    else:
        why = "those in it are needed at another stage, where each person decides once"
    asks = f"“{stage.rule}” asks {stage.approvals_needed} of {stage.approver_group} to agree"
    return (
        f"Nobody could approve {'what is asked' if anybody else 'this'}: {asks}, and {why}. An admin must mend it; "
        "members count once they have signed in here."
    )


def _lacking_manager(step: Deciding, anybody: bool) -> str:
    needed, remedy = step.stage.approvals_needed, "An admin must mend it."
    if step.manager and step.manager.why_not:
        why = step.manager.why_not
        remedy = "What the directory changes counts here within minutes, and a manager from their first sign-in on."
    elif needed > 1:
        why = f"{needed} agreements are more than one person gives"
    else:
        why = "that person is needed at another stage, where each person decides once"
    return (
        f"Nobody could approve {'what is asked' if anybody else 'this'}: “{step.stage.rule}” asks {MANAGER} to agree, "
        f"and {why}. {remedy}"
    )
