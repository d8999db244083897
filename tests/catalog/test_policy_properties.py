"""Whatever policies there are: nothing unmatched is allowed, the strictest wins, and each limit names its rule."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalog.automatic import When
from catalog.people import Person
from catalog.policy import AccountChoice, Ask, evaluate, offered
from catalog.stages import Stage
from catalog.terms import Policy
from tests.catalog.judging import LEAD, NOW, PERSON, POLICY

GROUPS = ("a", "b", "c")
hours = st.integers(min_value=1, max_value=12).map(lambda count: timedelta(hours=count))
groups = st.frozensets(st.sampled_from(GROUPS), max_size=2)


@st.composite
def policies(draw: st.DrawFn) -> tuple[Policy, ...]:
    """Some policies in force, most of them for the role and environment that is asked for."""
    drawn = []
    for number in range(draw(st.integers(min_value=0, max_value=4))):
        name = f"Policy {number}"
        longest = draw(hours)
        stages = tuple(
            Stage(position, group, f"Group {group}", frozenset({str(group)}), draw(st.integers(1, 3)), name)
            for position, group in enumerate(draw(st.lists(st.integers(1, 3), max_size=3)), start=1)
        )
        drawn.append(
            replace(
                POLICY,
                id=number,
                name=name,
                role_id=draw(st.sampled_from([1, 1, 1, 2])),
                environment_id=draw(st.sampled_from([1, 1, 1, 2])),
                role_is_offered=draw(st.sampled_from([True, True, True, False])),
                permission_set_id=draw(st.sampled_from([1, 1, 1, 1, 2])),
                permission_set_vanished=draw(st.sampled_from([False, False, False, True])),
                group_ids=draw(groups),
                departments=draw(st.frozensets(st.sampled_from(["X", "Y", ""]), max_size=1)),
                longest_duration=longest,
                default_duration=min(longest, draw(hours)),
                accounts_per_request=draw(st.integers(1, 3)),
                ticket_pattern=draw(st.sampled_from(["", "", "T.*", "T-[0-9]+", "("])),
                automatic=draw(st.sampled_from([None, When(), When()]) | hours.map(lambda most: When(up_to=most))),
                stages=stages,
            )
        )
    return tuple(drawn)


people = st.builds(
    lambda groups, department, is_active: replace(PERSON, groups=groups, department=department, is_active=is_active),
    groups,
    st.sampled_from(["", "X", "Z"]),
    st.sampled_from([True, True, True, False]),
)
asks = st.builds(
    Ask,
    role_id=st.just(1),
    environment_id=st.just(1),
    accounts=st.lists(
        st.builds(
            AccountChoice,
            st.just("1"),
            st.just("One"),
            st.sampled_from([1, 1, 1, 2, None]),
            st.sampled_from([False, False, True]),
        ),
        max_size=4,
    ).map(tuple),
    duration=st.integers(-1, 13).map(lambda count: timedelta(hours=count)),
    reason=st.sampled_from(["Payments are stuck.", "no"]),
    ticket=st.sampled_from(["", "T-1", "Tx"]),
    start=st.none() | st.integers(-2, 40).map(lambda days: NOW + timedelta(days=days)),
)


def lets_ask(policy: Policy, person: Person) -> bool:
    """Said another way than the code says it."""
    for group in person.groups:
        if group in policy.group_ids:
            return True
    return person.department != "" and person.department in policy.departments


def matched_by(everything: tuple[Policy, ...], person: Person) -> list[Policy]:
    return [p for p in everything if p.role_id == 1 and p.environment_id == 1 and lets_ask(p, person)]


@given(policies(), people, asks)
def test_what_no_policy_allows_is_refused(everything: tuple[Policy, ...], person: Person, ask: Ask) -> None:
    judgement = evaluate(everything, person, ask, NOW, LEAD)
    if not person.is_active or not matched_by(everything, person):
        assert not judgement.verdict
        assert judgement.terms is None


@given(policies(), people, asks)
def test_an_ask_is_allowed_exactly_if_every_matching_policy_alone_would_allow_it(
    everything: tuple[Policy, ...], person: Person, ask: Ask
) -> None:
    matched = matched_by(everything, person)
    alone = [evaluate([policy], person, ask, NOW, LEAD) for policy in matched]
    agreed = len({policy.permission_set_id for policy in matched}) == 1
    # A policy without stages may lean on another's: nobody who decides is a fault of all of them together.
    somebody_decides = all(policy.automatic == When() for policy in matched) or any(policy.stages for policy in matched)

    def fine(judgements: list[bool]) -> bool:
        return bool(matched) and agreed and somebody_decides and all(judgements)

    expected = fine([not [r for r in one.refusals if "names nobody who decides" not in r.reason] for one in alone])
    assert bool(evaluate(everything, person, ask, NOW, LEAD).verdict) is (expected and person.is_active)


@given(policies(), people, asks)
def test_every_refusal_has_a_reason_and_a_rule(everything: tuple[Policy, ...], person: Person, ask: Ask) -> None:
    judgement = evaluate(everything, person, ask, NOW, LEAD)
    for refusal in (*judgement.refusals, judgement.verdict):
        assert refusal.reason.strip()
        assert refusal.rule.strip()
    assert bool(judgement.verdict) is (judgement.terms is not None and not judgement.refusals)


@given(policies(), people, asks)
def test_each_term_is_the_strictest_there_is_and_names_a_policy_that_sets_it(
    everything: tuple[Policy, ...], person: Person, ask: Ask
) -> None:
    terms = evaluate(everything, person, ask, NOW, LEAD).terms
    if terms is None:
        return
    matched = {policy.name: policy for policy in matched_by(everything, person)}
    assert {policy.name for policy in terms.policies} == set(matched)
    for limit, values in (
        (terms.longest_duration, {name: policy.longest_duration for name, policy in matched.items()}),
        (terms.default_duration, {name: policy.default_duration for name, policy in matched.items()}),
        (terms.accounts_per_request, {name: policy.accounts_per_request for name, policy in matched.items()}),
    ):
        assert limit.value == min(values.values())
        assert values[limit.rule] == limit.value
    assert terms.default_duration.value <= terms.longest_duration.value
    assert {(limit.value, limit.rule) for limit in terms.ticket_patterns} == {
        (policy.ticket_pattern, name) for name, policy in matched.items() if policy.ticket_pattern
    }


@given(policies(), people, asks)
def test_what_is_approved_at_once_every_policy_alone_would_approve_at_once(
    everything: tuple[Policy, ...], person: Person, ask: Ask
) -> None:
    judgement = evaluate(everything, person, ask, NOW, LEAD)
    if judgement.outcome is None:
        return
    alone = {p.name: evaluate([p], person, ask, NOW, LEAD).at_once for p in matched_by(everything, person)}
    assert judgement.at_once is all(alone.values())
    assert alone[judgement.outcome.rule] is judgement.at_once
    assert bool(judgement.stages) is (not judgement.at_once and bool(judgement.terms and judgement.terms.stages))


@given(policies(), people, asks)
def test_joined_stages_never_ask_for_fewer_approvals_than_any_policy_by_itself(
    everything: tuple[Policy, ...], person: Person, ask: Ask
) -> None:
    terms = evaluate(everything, person, ask, NOW, LEAD).terms
    if terms is None or terms.automatic.is_always:
        return
    joined = needed(terms.stages)
    for policy in matched_by(everything, person):
        for group, count in needed(policy.stages).items():
            assert joined[group] >= count
        assert joined.total() >= needed(policy.stages).total()
    assert [stage.position for stage in terms.stages] == list(range(1, len(terms.stages) + 1))
    for stage in terms.stages:
        owner = next(policy for policy in everything if policy.name == stage.rule)
        assert stage.approver_group_id in {mine.approver_group_id for mine in owner.stages}


def needed(stages: tuple[Stage, ...]) -> Counter[int]:
    """How many approvals each group gives."""
    counted: Counter[int] = Counter()
    for stage in stages:
        counted[stage.approver_group_id] += stage.approvals_needed
    return counted


@given(policies(), people, asks)
def test_the_order_of_the_policies_does_not_matter(everything: tuple[Policy, ...], person: Person, ask: Ask) -> None:
    one = evaluate(everything, person, ask, NOW, LEAD)
    other = evaluate(everything[::-1], person, ask, NOW, LEAD)
    assert bool(one.verdict) is bool(other.verdict)
    if one.terms and other.terms:
        assert needed(one.terms.stages) == needed(other.terms.stages)
        assert one.terms.longest_duration.value == other.terms.longest_duration.value


@given(policies(), people, asks)
def test_whatever_is_allowed_was_offered(everything: tuple[Policy, ...], person: Person, ask: Ask) -> None:
    judgement = evaluate(everything, person, ask, NOW, LEAD)
    matched = tuple(matched_by(everything, person))
    if judgement.verdict:
        assert offered(matched) == judgement.terms
