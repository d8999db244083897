"""Of several policies the strictest says also whom an undecided stage escalates to, and after how long."""

from dataclasses import replace
from datetime import timedelta

from catalog.stages import Escalation, Stage, joined

HOUR = timedelta(hours=1)
LEADS = Stage(1, 1, "Leads", frozenset({"leads"}), 1, "A")
SECURITY = Escalation(2, "Security", frozenset({"security"}), HOUR, "A")
BOARD = Escalation(3, "Board", frozenset({"board"}), HOUR, "A")


def escalating(to: Escalation | None, rule: str = "A", needed: int = 1) -> Stage:
    return replace(LEADS, escalation=to and replace(to, rule=rule), rule=rule, approvals_needed=needed)


def test_one_policy_escalates_as_it_says() -> None:
    (stage,) = joined([(escalating(SECURITY),)])
    assert stage.escalation == SECURITY
    assert stage.all_group_ids == {"leads", "security"}


def test_a_stage_escalates_only_if_every_policy_that_names_its_group_says_so() -> None:
    (stage,) = joined([(escalating(SECURITY),), (escalating(None, "B"),)])
    assert stage.escalation is None


def test_the_latest_counts_with_the_rule_that_says_so() -> None:
    later = replace(SECURITY, after=3 * HOUR)
    (stage,) = joined([(escalating(SECURITY),), (escalating(later, "B"),)])
    assert stage.escalation == replace(later, rule="B")


def test_policies_that_escalate_to_different_groups_escalate_to_none() -> None:
    (stage,) = joined([(escalating(SECURITY),), (escalating(BOARD, "B"),)])
    assert stage.escalation is None


def test_the_strictest_count_stands_whatever_it_escalates_to() -> None:
    (stage,) = joined([(escalating(SECURITY),), (escalating(SECURITY, "B", needed=2),)])
    assert (stage.approvals_needed, stage.rule) == (2, "B")
    assert stage.escalation == SECURITY
