"""The stages that decide on an ask: who, how many of them, and whom an undecided stage asks, too, after a time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

MANAGER: Final = "the requester’s manager"


@dataclass(frozen=True)
class Escalation:
    """Undecided for this long, a stage may be decided by this approver group, too; `rule` set the time."""

    approver_group_id: int
    approver_group: str
    group_ids: frozenset[str]
    after: timedelta
    rule: str


@dataclass(frozen=True)
class Stage:
    """So many distinct people of one approver group must agree; `group_ids` are directory groups' object ids.

    With `by_manager` the group is whoever the directory names as the requester's manager, and no directory group.
    """

    position: int
    approver_group_id: int
    approver_group: str
    group_ids: frozenset[str]
    approvals_needed: int
    rule: str
    escalation: Escalation | None = None
    by_manager: bool = False

    @property
    def asked(self) -> str:
        """Who must agree, in words."""
        return asked(self.approvals_needed, self.approver_group, by_manager=self.by_manager)

    @property
    def all_group_ids(self) -> frozenset[str]:
        """The directory groups whose members can decide, at once or once it has escalated."""
        return self.group_ids | self.escalation.group_ids if self.escalation else self.group_ids


def asked(needed: int, approver_group: str, *, by_manager: bool) -> str:
    """Who must agree at a stage, in words: "2 of Payments leads", "the requester's manager"."""
    return MANAGER if by_manager else f"{needed} of {approver_group}"


def joined(by_policy: Iterable[tuple[Stage, ...]]) -> tuple[Stage, ...]:
    """The stages of all policies in order; a group that several name decides as often as the strictest asks."""
    strictest: dict[int, list[Stage]] = {}
    naming: dict[int, list[Stage]] = {}
    for stages in by_policy:
        for group in {stage.approver_group_id for stage in stages}:
            mine = [stage for stage in stages if stage.approver_group_id == group]
            naming.setdefault(group, []).extend(mine)
            known = strictest.get(group, [])
            if sum(stage.approvals_needed for stage in mine) > sum(stage.approvals_needed for stage in known):
                strictest[group] = mine
    ordered = sorted(
        (replace(stage, escalation=_slowest(naming[group])) for group, stages in strictest.items() for stage in stages),
        key=lambda stage: (stage.position, stage.rule, stage.approver_group),
    )
    return tuple(replace(stage, position=number) for number, stage in enumerate(ordered, start=1))


def _slowest(naming: list[Stage]) -> Escalation | None:
    """That which lets the fewest decide: none unless all stages of a group escalate to one and the same, the latest."""
    escalations = [stage.escalation for stage in naming if stage.escalation]
    if len(escalations) < len(naming) or len({each.approver_group_id for each in escalations}) != 1:
        return None
    return max(escalations, key=lambda each: each.after)
