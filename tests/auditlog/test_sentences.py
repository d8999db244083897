"""Every action has a sentence, and no data keeps it from being said."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditlog.actions import SENTENCES, Action, duration, sentence

WITH_EVERYTHING = {
    "role": "DevOps Engineer",
    "environment": "Production",
    "accounts": ["Payments (123456789012)", "Ledger (210987654321)"],
    "duration_seconds": 5400,
    "reason": "deploy",
}


def test_every_action_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Action)


def test_a_request_reads_as_one_would_say_it() -> None:
    assert sentence("request.submitted", "Ada Okafor", WITH_EVERYTHING) == (
        "Ada Okafor asked for DevOps Engineer in Production on Payments (123456789012), "
        "Ledger (210987654321) for 1 h 30 min: deploy"
    )


def test_whoever_ended_access_is_named_and_their_reason_with_them() -> None:
    data = {"account": "Ledger (2)", "end_reason": "revoked", "reason": "The laptop was stolen."}
    assert sentence("grant.revoking", "Ines", data) == ("Ines revoked the grant on Ledger (2): The laptop was stolen.")
    assert sentence("grant.revoking", "Ada", {**data, "end_reason": "given_back", "reason": "Given back."}) == (
        "Ada gave back the grant on Ledger (2)"
    )
    assert sentence("grant.revoking", "clock", {**data, "end_reason": "expired"}) == (
        "The time of the grant on Ledger (2) is up"
    )


def test_whoever_holds_access_in_aws_is_named_and_by_awss_id_only_if_nobody_knows_them() -> None:
    data = {"principal": "9067-1", "person": "Ada Okafor", "permission_set": "ReadOnly", "account": "Ledger (2)"}
    assert sentence("assignment.creation_confirmed", "worker", data) == (
        "AWS confirmed that Ada Okafor holds ReadOnly on Ledger (2)"
    )
    assert "that 9067-1 holds" in sentence("assignment.creation_confirmed", "worker", {**data, "person": ""})


def test_what_is_optional_is_left_out_when_it_is_missing() -> None:
    data = {"role": "DevOps Engineer", "environment": "Production", "reason": ""}
    assert sentence("request.submitted", "Ada", data) == "Ada asked for DevOps Engineer in Production"


def test_what_must_be_there_says_that_it_is_missing() -> None:
    assert sentence("grant.active", "sweep", {}) == "The grant on (account not recorded) is active"


def test_changes_name_what_was_and_what_is() -> None:
    data = {
        "kind": "role",
        "object": "DevOps",
        "changes": {"name": ["Dev", "DevOps"], "offered": [True, False]},
    }
    assert sentence("catalog.changed", "Ada", data) == (
        "Ada changed the role DevOps: name Dev → DevOps; offered yes → no"
    )


def test_an_action_that_nobody_knows_any_more_is_still_said() -> None:
    assert sentence("request.teleported", "Ada", {}) == "Ada: request.teleported"


def test_braces_and_brackets_in_data_are_only_text() -> None:
    assert sentence("grant.ended", "x", {"account": "{reason}", "reason": "[{account}] {0.__class__}"}) == (
        "The grant on {reason} ended: [{account}] {0.__class__}"
    )


@given(
    st.sampled_from([*Action, "unknown.action", "", "{x}"]),
    st.text(),
    st.dictionaries(
        st.sampled_from(["actor", "accounts", "account", "changes", "duration_seconds", "filters", "left", "role"])
        | st.text(alphabet=string.ascii_lowercase, min_size=1),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.lists(st.text() | st.none())
        | st.dictionaries(st.text(), st.lists(st.integers())),
    ),
)
def test_no_data_keeps_a_sentence_from_being_said(action: str, name: str, data: dict[str, object]) -> None:
    assert sentence(action, name, data)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (-5, "0 s"), (59, "59 s"), (3600, "1 h"), (5400, "1 h 30 min"), (90_000, "25 h")],
)
def test_a_duration_is_said_in_words(seconds: int, said: str) -> None:
    assert duration(seconds) == said
