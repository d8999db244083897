"""A ticket pattern is taken only if every ticket can be held against it in next to no time."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.ticket_examples import LONGEST_TICKET
from catalog.tickets import refusal

GOOD = [
    "",
    r"(PAY|OPS)-\d{1,6}",
    r"[A-Z]{2,10}-\d+",
    r"CHG\d{7}",
    r"^INC[0-9]{7,10}$",
    r"[A-Z][A-Z0-9]+-[0-9]+",
    r"[]a-z-]+",
    r"[a-z]+(-[a-z]+)?",
    r"\{x\}{2}",
]


@pytest.mark.parametrize("pattern", GOOD)
def test_patterns_of_real_trackers_are_taken(pattern: str) -> None:
    assert refusal(pattern) == ""


@pytest.mark.parametrize("pattern", ["(", "[a", "a**", "*", "(?P<x>", "a{99999999999}", "\\"])
def test_what_does_not_compile_is_refused(pattern: str) -> None:
    assert refusal(pattern).startswith("This is not a regular expression")


def test_the_place_of_the_mistake_is_named() -> None:
    assert "at character 5" in refusal(r"PAY-(\d")


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\d+)+",
        r"(a*)*b",
        r"(a|a)*b",
        r"(a|aa)+b",
        r"(.*)(.*)(.*)(.*)(.*)b",
        r".*.*.*.*.*.*b",
        r"a?" * 30 + "a" * 30,
        r"(a|a)" * 30,
        r"([a-z]+)*\d",
        r"(?:x+x+)+y",
        r"(\w{1,20}){1,20}!",
    ],
)
def test_patterns_that_backtrack_without_end_are_refused_with_advice(pattern: str) -> None:
    assert "too many ways" in refusal(pattern)
    assert r"(\d+)+" in refusal(pattern)


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(?i)pay", r"(a)\1", r"a+?", r"a++", r"a{b", r"(?P<n>a)", r"\x41"])
def test_what_tickets_do_not_need_is_refused_by_name(pattern: str) -> None:
    assert refusal(pattern)
    assert "too many ways" not in refusal(pattern)


def test_a_pattern_that_no_ticket_is_long_enough_for_is_refused() -> None:
    assert "at most 40" in refusal(r"\d{41}")


# Pieces from which people, and attackers, build patterns.
pieces = st.recursive(
    st.sampled_from(["a", "b", ".", r"\w", "[ab]", "a?", "a*", "a+", "a{1,3}", "|"]),
    lambda inner: st.builds(
        lambda parts, end: "(" + "".join(parts) + ")" + end,
        st.lists(inner, min_size=1, max_size=4),
        st.sampled_from(["", "?", "*", "+", "{2}", "{1,9}"]),
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.lists(pieces, min_size=1, max_size=6).map("".join).filter(lambda pattern: len(pattern) <= 200))
def test_whatever_is_taken_compiles_and_is_done_at_once(pattern: str) -> None:
    if refusal(pattern):
        return
    # Were one of these to backtrack without end, the run would hang here and be ended by its time limit.
    for ticket in ("a" * LONGEST_TICKET, "a" * (LONGEST_TICKET - 1) + "!", "ab" * (LONGEST_TICKET // 2)):
        re.fullmatch(pattern, ticket)


def test_the_refused_kind_is_slow_indeed() -> None:
    slow = f"import re; re.fullmatch(r'(a|a)*b', 'a' * {LONGEST_TICKET})"
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", slow], timeout=2, check=False)
