"""What an assignment needs next, worked out purely from its row and what its grants want."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from accessrequests.models import Assignment
from accessrequests.states import GrantStatus, Presence


class Step(Enum):
    """One thing to do."""

    WATCH = auto()  # an operation is in flight: ask AWS how it is going
    LOOK = auto()  # a grant wants to lean on it: ask AWS whether it is there, and whether it was before us
    CREATE = auto()
    DELETE = auto()
    FINISH = auto()  # AWS is as it should be: close what waited for that
    REST = auto()


@dataclass(frozen=True)
class Wants:
    """How many grants on an assignment are in each condition that matters."""

    waiting: int
    granting: int
    active: int
    revoking: int
    adopted: bool = False  # an admin made it ours, and the end of that has not come

    @classmethod
    def of(cls, statuses: Sequence[str], *, adopted: bool = False) -> "Wants":
        """Counts the statuses of an assignment's grants."""
        counted = (GrantStatus.WAITING, GrantStatus.GRANTING, GrantStatus.ACTIVE, GrantStatus.REVOKING)
        waiting, granting, active, revoking = (statuses.count(status) for status in counted)
        return cls(waiting, granting, active, revoking, adopted)

    @property
    def live(self) -> bool:
        """Whether any grant wants the assignment to be in AWS."""
        return bool(self.waiting or self.granting or self.active)


def next_step(assignment: Assignment, wants: Wants) -> Step:
    """What to do now; total over every state that a crash can leave behind."""
    if assignment.operation and assignment.operation_id:
        return Step.WATCH
    if wants.live:
        if wants.waiting:
            return Step.LOOK
        if assignment.presence != Presence.PRESENT:
            return Step.CREATE
        return Step.FINISH if wants.revoking or wants.granting else Step.REST
    # What was adopted is kept until its end, but never made again: who took it away earlier did what was wanted.
    kept = assignment.is_standing or wants.adopted
    if kept or assignment.presence == Presence.ABSENT or not assignment.was_begun:
        return Step.FINISH if wants.revoking else Step.REST
    return Step.DELETE
