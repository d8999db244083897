"""An ask is judged by the policies: what they do not allow is refused, and each refusal names its rule."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from catalog.automatic import When
from catalog.policy import AccountChoice, Judgement, Verdict, evaluate, spell
from tests.catalog.judging import (
    ACCOUNT,
    ASK,
    LEAD,
    LEADS,
    NOW,
    PERSON,
    SECURITY,
    ask,
    judge,
    person,
    policy,
)


def refusal_at(judgement: Judgement, field: str) -> Any:
    """The one refusal that speaks of this field."""
    assert not judgement.verdict
    refusals = [refusal for refusal in judgement.refusals if refusal.field == field]
    assert len(refusals) == 1, judgement.refusals
    return refusals[0]


def test_a_good_ask_is_allowed_by_the_policy_that_allows_it() -> None:
    verdict = judge().verdict
    assert verdict
    assert verdict.rule == "Payments support"


def test_with_no_policy_at_all_the_answer_is_no() -> None:
    judgement = evaluate((), PERSON, ASK, NOW, LEAD)
    assert not judgement.verdict
    assert judgement.verdict.rule == "default deny"
    assert judgement.terms is None


def test_a_judgement_without_terms_is_a_no_even_without_a_refusal() -> None:
    assert not Judgement(None, ()).verdict


@pytest.mark.parametrize("changed", [{"role_id": 2}, {"environment_id": 2}])
def test_a_policy_for_another_role_or_environment_allows_nothing(changed: dict[str, int]) -> None:
    assert not judge(policy(**changed)).verdict


def test_a_person_in_none_of_the_groups_is_refused_and_told_which_policies_there_are() -> None:
    verdict = judge(by=person(groups=frozenset({"other"}))).verdict
    assert not verdict
    assert "“Payments support”" in verdict.reason


def test_a_department_serves_as_well_as_a_group() -> None:
    assert judge(by=person(groups=frozenset(), department="Payments")).verdict


@pytest.mark.parametrize("department", ["", "payments", "Payments ", "P"])
def test_a_department_is_compared_letter_by_letter_and_an_empty_one_is_none(department: str) -> None:
    blank = policy(departments=frozenset({"Payments", ""}))
    assert not judge(blank, by=person(groups=frozenset(), department=department)).verdict


def test_a_disabled_person_is_refused_whatever_the_policies_say() -> None:
    assert not judge(by=person(is_active=False)).verdict


def test_being_admin_allows_nothing_by_itself() -> None:
    assert not judge(by=person(groups=frozenset(), is_admin=True, is_compliance=True)).verdict


def test_a_role_that_is_not_offered_is_refused() -> None:
    assert "not offered" in refusal_at(judge(policy(role_is_offered=False)), "role").reason


def test_a_permission_set_that_vanished_is_refused_by_the_policy_that_names_it() -> None:
    refusal = refusal_at(judge(policy(permission_set_vanished=True)), "role")
    assert (refusal.rule, "Support" in refusal.reason) == ("Payments support", True)


def test_policies_that_name_different_permission_sets_are_a_refusal_that_names_both() -> None:
    verdict = judge(policy(), policy(id=2, name="Rival", permission_set_id=2)).verdict
    assert not verdict
    assert "“Payments support” and “Rival”" in verdict.reason


def test_a_policy_that_does_not_match_the_person_cannot_spoil_the_ask() -> None:
    assert judge(
        policy(), policy(id=2, name="Rival", permission_set_id=2, group_ids=frozenset({"x"}), departments=frozenset())
    ).verdict


@pytest.mark.parametrize("seconds", [0, -1, -3600])
def test_a_duration_of_nothing_or_less_is_refused(seconds: int) -> None:
    assert "longer than none" in refusal_at(judge(of=ask(duration=timedelta(seconds=seconds))), "duration").reason


def test_a_duration_beyond_the_longest_is_refused_with_the_limit_and_its_rule() -> None:
    refusal = refusal_at(judge(of=ask(duration=timedelta(hours=8, seconds=1))), "duration")
    assert (refusal.reason, refusal.rule) == ("“Payments support” allows at most 8 hours.", "Payments support")


def test_the_longest_duration_itself_is_allowed() -> None:
    assert judge(of=ask(duration=timedelta(hours=8))).verdict


def test_the_shorter_of_two_longest_durations_holds_and_names_its_policy() -> None:
    strict = policy(id=2, name="Strict", longest_duration=timedelta(hours=1))
    refusal = refusal_at(judge(policy(), strict), "duration")
    assert refusal.rule == "Strict"


@pytest.mark.parametrize(
    ("start", "allowed"),
    [
        (NOW, True),
        (NOW - timedelta(minutes=5), True),
        (NOW - timedelta(minutes=5, seconds=1), False),
        (NOW + LEAD, True),
        (NOW + LEAD + timedelta(seconds=1), False),
    ],
)
def test_a_start_lies_neither_in_the_past_nor_too_far_ahead(start: Any, allowed: bool) -> None:
    assert bool(judge(of=ask(start=start)).verdict) is allowed


def test_no_account_is_too_few() -> None:
    assert "at least one" in refusal_at(judge(of=ask(accounts=())), "accounts").reason


def test_more_accounts_than_the_policy_allows_are_refused_with_its_number() -> None:
    three = tuple(replace(ACCOUNT, account_id=f"{number:012d}") for number in range(3))
    refusal = refusal_at(judge(of=ask(accounts=three)), "accounts")
    assert "allows 2 accounts a request; 3 are chosen" in refusal.reason


@pytest.mark.parametrize("environment_id", [2, None])
def test_an_account_outside_the_environment_is_refused_by_name(environment_id: int | None) -> None:
    other = AccountChoice("210987654321", "Billing", environment_id, vanished=False)
    refusal = refusal_at(judge(of=ask(accounts=(ACCOUNT, other))), "accounts")
    assert refusal.reason.startswith("Billing")


def test_an_account_that_vanished_from_aws_is_refused_by_name() -> None:
    refusal = refusal_at(judge(of=ask(accounts=(replace(ACCOUNT, vanished=True),))), "accounts")
    assert "no longer lists Payments" in refusal.reason


@pytest.mark.parametrize("reason", ["", "   ", "too short", " \n\t x " * 3])
def test_a_reason_says_something(reason: str) -> None:
    assert "at least 10 characters" in refusal_at(judge(of=ask(reason=reason)), "reason").reason


@pytest.mark.parametrize("ticket", ["", "PAY-", "pay-1", "PAY-1 ", "xPAY-1", "PAY-1\n"])
def test_the_whole_ticket_matches_the_pattern(ticket: str) -> None:
    refusal = refusal_at(judge(of=ask(ticket=ticket)), "ticket")
    assert refusal.rule == "Payments support"
    assert "PAY-4711" in refusal.reason


def test_every_pattern_of_every_policy_holds() -> None:
    assert not judge(policy(), policy(id=2, name="Short", ticket_pattern=".{7,}")).verdict


def test_a_ticket_that_is_too_long_is_never_held_against_a_pattern() -> None:
    endless = policy(ticket_pattern="(a|a)*b")
    assert "at most 40" in refusal_at(judge(endless, of=ask(ticket="a" * 41)), "ticket").reason


def test_a_rule_that_errs_is_a_refusal_that_says_so() -> None:
    judgement = judge(policy(ticket_pattern="("))
    assert not judgement.verdict
    assert "could not be worked out" in judgement.verdict.reason
    assert judgement.verdict.rule == "ticket"


def test_a_policy_that_names_nobody_who_decides_allows_nothing() -> None:
    assert "nobody who decides" in refusal_at(judge(policy(stages=())), "role").reason


def test_all_refusals_are_told_at_once() -> None:
    judgement = judge(of=ask(accounts=(), duration=timedelta(0), reason="", ticket="", start=NOW - timedelta(days=1)))
    assert {refusal.field for refusal in judgement.refusals} == {"accounts", "duration", "reason", "ticket", "start"}


def test_an_automatic_policy_asks_nobody() -> None:
    judgement = judge(policy(automatic=When(), stages=()))
    assert judgement.verdict
    assert judgement.at_once
    assert judgement.stages == ()


def test_one_policy_that_asks_people_outweighs_one_that_does_not() -> None:
    judgement = judge(policy(id=2, name="At once", automatic=When(), stages=()), policy())
    assert judgement.outcome is not None
    assert (judgement.outcome.at_once, judgement.outcome.rule) == (False, "Payments support")
    assert [stage.approver_group for stage in judgement.stages] == ["Leads", "Security"]


def test_stages_of_two_policies_are_joined_in_order_and_a_group_is_asked_once() -> None:
    stricter = policy(id=2, name="Stricter", stages=(replace(LEADS, approvals_needed=2),))
    terms = judge(policy(), stricter).terms
    assert terms is not None
    assert [(stage.position, stage.approvals_needed, stage.approver_group, stage.rule) for stage in terms.stages] == [
        (1, 2, "Leads", "Stricter"),
        (2, 1, "Security", "Payments support"),
    ]


def test_a_group_that_decides_twice_still_decides_twice() -> None:
    twice = policy(stages=(LEADS, SECURITY, replace(LEADS, position=3)))
    terms = judge(twice, policy(id=2, name="Once", stages=(LEADS,))).terms
    assert terms is not None
    assert [stage.approver_group for stage in terms.stages] == ["Leads", "Security", "Leads"]


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=5), "5 seconds"),
        (timedelta(minutes=45), "45 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=1, minutes=30), "1 hour 30 minutes"),
        (timedelta(days=1, hours=2), "1 day 2 hours"),
        (timedelta(days=7), "7 days"),
        (timedelta(days=1, hours=2, minutes=3), "1 day 2 hours"),
        (timedelta(0), "no time"),
        (timedelta(milliseconds=300), "no time"),
        (timedelta(hours=-1), "no time"),
    ],
)
def test_a_duration_is_spelt_in_at_most_two_units(duration: timedelta, words: str) -> None:
    assert spell(duration) == words


def test_what_is_taken_already_counts_towards_the_longest_duration() -> None:
    assert judge(of=ask(duration=timedelta(hours=3), already=timedelta(hours=5))).verdict
    refusal = refusal_at(judge(of=ask(duration=timedelta(hours=4), already=timedelta(hours=5))), "duration")
    assert "at most 8 hours in all: 5 hours taken, 3 hours left" in refusal.reason
    beyond = refusal_at(judge(of=ask(duration=timedelta(seconds=1), already=timedelta(hours=9))), "duration")
    assert "9 hours taken, no time left" in beyond.reason


def test_a_verdict_in_full_names_its_rule_once() -> None:
    assert Verdict(False, "“Strict” allows 1 hour.", "Strict").in_full == "“Strict” allows 1 hour."
    assert Verdict(False, "Nobody decides on their own.", "self-approval").in_full == (
        "Nobody decides on their own. The rule is “self-approval”."
    )
    assert Verdict(False, "Typed wrongly.", "").in_full == "Typed wrongly."
    assert Verdict(False, "There is no access to end.", "state").in_full == "There is no access to end."
