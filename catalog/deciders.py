"""Who could decide on what somebody asks: the people of each stage's group but the one who asks, each of them once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from catalog.membership import Membership
from catalog.people import Person
from catalog.policy import Verdict
from catalog.stages import Stage

WORTH_NAMING: Final = 5
CAN_BE_DECIDED: Final = Verdict(True, "", "")


@dataclass(frozen=True)
class Deciding:
    """A stage with those who could decide at it: how many, and names by user id of as many as are needed or more."""

    stage: Stage
    count: int
    names: Mapping[int, str]


def deciding(stages: Sequence[Stage], membership: Membership, asker: Person | None) -> tuple[Deciding, ...]:
    """Those who could decide at each stage if this person asked, or if somebody outside all of the groups did."""
    enough = max(WORTH_NAMING, sum(stage.approvals_needed for stage in stages))
    found = []
    for stage in stages:
        count, names = membership.members(stage.all_group_ids, enough, but=asker)
        found.append(Deciding(stage, count, names))
    return tuple(found)


def can_be_decided(steps: Sequence[Deciding], *, anybody: bool = False) -> Verdict:
    """Whether different people could agree at all of the stages; if not, at which stage nobody is left.

    With `anybody` the refusal speaks of whoever might ask, else of the person who does.
    """
    seats: dict[tuple[int, int], int] = {}
    for number, step in enumerate(steps):
        for seat in range(step.stage.approvals_needed):
            if not _seated((number, seat), steps, seats, set()):
                return Verdict(False, _lacking(step, anybody), step.stage.rule, "role")
    return CAN_BE_DECIDED


def _seated(
    seat: tuple[int, int], steps: Sequence[Deciding], seats: dict[tuple[int, int], int], tried: set[int]
) -> bool:
    """Whether somebody can take this seat, others moving to another of theirs where that makes room for it."""
    taken = {person: at for at, person in seats.items()}
    for person in steps[seat[0]].names:
        if person in tried:
            continue
        tried.add(person)
        if person not in taken or _seated(taken[person], steps, seats, tried):
            seats[seat] = person
            return True
    return False


def _lacking(step: Deciding, anybody: bool) -> str:
    stage, besides = step.stage, "" if anybody else " besides the one who asks"
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
