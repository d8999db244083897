"""The canonical form: one text a value, one value a text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditlog import chain

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
data = st.dictionaries(st.text(), values, max_size=4)
events = st.fixed_dictionaries(
    {
        "number": st.integers(1, 2**63 - 1),
        "at": st.text(),
        "actor": st.text(),
        "actor_name": st.text(),
        "action": st.text(),
        "subject_kind": st.text(),
        "subject_id": st.text(),
        "previous": st.text(),
        "sentence": st.text(),
        "data": data,
    }
)


@given(values)
def test_a_value_comes_back_from_its_text(value: Any) -> None:
    assert json.loads(chain.canonical(value)) == value


@given(values)
def test_the_text_of_what_was_read_back_is_the_same_text(value: Any) -> None:
    text = chain.canonical(value)
    assert chain.canonical(json.loads(text)) == text


@given(values)
def test_the_text_is_printable_ascii(value: Any) -> None:
    text = chain.canonical(value)
    assert text.isascii()
    assert text.isprintable()


@given(events, events)
def test_two_different_events_never_share_bytes(one: dict[str, Any], other: dict[str, Any]) -> None:
    # repr tells 1 from True and 0.0 from -0.0, which == does not.
    same = repr(_in_order(one)) == repr(_in_order(other))
    assert (chain.event_text(**one) == chain.event_text(**other)) == same


@given(events, st.sampled_from(["actor", "action", "subject_id", "actor_name", "sentence"]), st.text(min_size=1))
def test_text_moved_from_one_part_to_another_changes_the_bytes(event: dict[str, Any], part: str, added: str) -> None:
    assert chain.event_text(**event) != chain.event_text(**event | {part: event[part] + added})


def test_the_order_of_keys_does_not_matter() -> None:
    assert chain.canonical({"b": 1, "a": {"d": 2, "c": 3}}) == chain.canonical({"a": {"c": 3, "d": 2}, "b": 1})


@pytest.mark.parametrize("value", [{1: "a"}, {None: "a"}, [{True: 1}], {"a": {2: 3}}])
def test_keys_that_are_not_text_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="key"):
        chain.canonical(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_has_no_number_for_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        chain.canonical({"a": value})


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 1j])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        chain.canonical({"a": value})


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, _in_order(value[key])) for key in sorted(value)]
    return [_in_order(each) for each in value] if isinstance(value, list) else value
