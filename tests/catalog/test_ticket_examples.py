"""A reader is shown a ticket that would be taken, and never one that would not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.ticket_examples import example


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("INC-[0-9]+", "INC-4711"),
        (r"(PAY|OPS)-\d{1,6}", "PAY-4711"),
        (r"(?:CHG|INC)\d{7}", "CHG4711471"),
        (r"^[A-Z]{2,5}-\d+$", "ABCD-4711"),
        (r"#\d{2}", "#47"),
        (r"[a-z]{3}\.\d*", "abc.4711"),
        (r"SEC\/\d{6,}", "SEC/471147"),
    ],
)
def test_a_simple_pattern_has_an_example(pattern: str, shown: str) -> None:
    assert example(pattern) == shown


@pytest.mark.parametrize(
    "pattern",
    ["", ".*", r"\w+", "[^a]", "(a(b|c))", r"(INC)-\1", "a|b", r"\d{41}", r"\d{9999}", "(?=a)b", "[A-Z", "a{2"],
)
def test_whatever_else_has_none(pattern: str) -> None:
    assert example(pattern) == ""


@given(st.text(alphabet=r"AB(|)[]0-9{,}+*?\d^$-.#z", max_size=14))
def test_an_example_always_matches(pattern: str) -> None:
    if shown := example(pattern):
        assert re.fullmatch(pattern, shown)
