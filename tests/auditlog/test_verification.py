"""The database's own verification: every way of tampering is found and named."""

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from auditlog import chain, checkpoints, clock, history, integrity
from auditlog.history import latest_digest
from auditlog.models import ChainHead, Checkpoint, Event
from catalog.models import DirectoryGroup
from tests.auditlog.conftest import Append
from tests.flush import unprotected


@pytest.fixture
def group(append: Append) -> DirectoryGroup:
    """A chain with a checkpoint in its middle and a history row that an event vouches for."""
    append()
    append()
    checkpoints.make()
    group = DirectoryGroup.objects.create(object_id="11111111-1111-4111-8111-111111111111", name="Payments")
    append(data={"history": [latest_digest(group)]})
    return group


def _problem() -> str:
    return integrity.verify([checkpoints.public_key()]).problem


def test_what_was_left_alone_is_whole(group: DirectoryGroup) -> None:
    result = integrity.verify([checkpoints.public_key()])
    assert result.whole
    assert (result.number, result.checkpoints) == (4, 1)
    assert (result.history_rows, result.unvouched_history_rows, result.live_rows) == (1, 0, 1)


@pytest.mark.django_db
def test_an_empty_ledger_is_whole() -> None:
    assert integrity.verify([checkpoints.public_key()]).whole


@pytest.mark.parametrize("column", ["actor", "actor_name", "action", "subject_kind", "subject_id", "hash", "canonical"])
def test_an_altered_column_is_found(group: DirectoryGroup, column: str) -> None:
    with unprotected():
        Event.objects.filter(number=2).update(**{column: "forged"})
    assert "ecord 2 " in _problem()


def test_a_time_that_was_moved_is_found(group: DirectoryGroup) -> None:
    with unprotected():
        Event.objects.filter(number=2).update(at=Event.objects.get(number=4).at)
    assert _problem() == "Record 2 was altered: at says something else than the record."


def test_a_deleted_event_is_found(group: DirectoryGroup) -> None:
    with unprotected():
        Event.objects.filter(number=2).delete()
    assert _problem().startswith("Record 2 is missing.")


def test_a_deleted_end_is_found(group: DirectoryGroup) -> None:
    with unprotected():
        Event.objects.filter(number=4).delete()
    assert _problem() == "The events from 4 to 4 are missing."


def test_a_deleted_end_is_found_even_with_the_head_put_back(group: DirectoryGroup) -> None:
    with unprotected():
        Event.objects.filter(number__gte=2).delete()
        ChainHead.objects.update(number=1, hash=Event.objects.get(number=1).hash)
    assert _problem() == "A checkpoint was signed at 2; the events to it are missing."


def test_a_rewritten_chain_is_found_by_its_checkpoint(group: DirectoryGroup) -> None:
    with unprotected():
        _rewrite()
    assert _problem() == "Event 2 is not the one that its checkpoint signed."


def test_a_rewritten_chain_with_a_checkpoint_of_ones_own_is_found_by_the_key(group: DirectoryGroup) -> None:
    with unprotected():
        Checkpoint.objects.all().delete()
        _rewrite()
    with override_settings(AUDIT_SIGNING_KEY="42" * 32):
        checkpoints.make()
    assert _problem() == "The checkpoint at record 4 is signed with another key."


def test_a_head_that_says_something_else_is_found(group: DirectoryGroup) -> None:
    with unprotected():
        ChainHead.objects.update(hash="f" * 64)
    assert _problem() == "The head of the chain does not say what event 4 says."


def test_a_missing_head_is_found(group: DirectoryGroup) -> None:
    with unprotected():
        ChainHead.objects.all().delete()
    assert _problem() == "The head of the chain is missing."


def test_an_event_after_the_head_is_found(group: DirectoryGroup) -> None:
    with unprotected():
        ChainHead.objects.update(number=3, hash=Event.objects.get(number=3).hash)
    assert _problem() == "There are events after the head of the chain, at 3."


def test_an_altered_history_row_is_found(group: DirectoryGroup) -> None:
    with unprotected():
        group.history.update(name="Forged")
    assert "Event 4 vouches for row" in _problem()
    assert "was altered" in _problem()


def test_a_deleted_history_row_is_found(group: DirectoryGroup) -> None:
    with unprotected():
        group.history.all().delete()
    assert "is missing" in _problem()


@pytest.mark.parametrize(
    "entry",
    [
        {"model": "catalog.HistoricalDirectoryGroup", "history_id": 10**30, "sha256": ""},
        {"model": "catalog.HistoricalDirectoryGroup", "history_id": -1, "sha256": ""},
        {"model": "nothing", "history_id": 1, "sha256": ""},
        {"model": ["a", "list"], "history_id": 1, "sha256": ""},
        {"model": "catalog.HistoricalNothing", "history_id": 1, "sha256": ""},
        {"model": "catalog.Role"},
        "text",
        7,
    ],
)
def test_history_that_nobody_can_look_up_is_found(append: Append, entry: chain.JSON) -> None:
    append(data={"history": [entry]})
    assert _problem()


@pytest.mark.parametrize("history", [7, "text", {"model": 1}, True])
def test_history_that_is_no_list_is_found(append: Append, history: chain.JSON) -> None:
    append(data={"history": history})
    assert _problem() == "Event 1 vouches for history in a way nobody reads."


def test_two_events_that_vouch_for_one_row_must_both_be_right(append: Append) -> None:
    group = DirectoryGroup.objects.create(object_id="11111111-1111-4111-8111-111111111111", name="Payments")
    append(data={"history": [latest_digest(group) | {"sha256": "0" * 64}]})
    append(data={"history": [latest_digest(group)]})
    assert "Event 1 vouches for row" in _problem()


def test_a_row_that_two_events_vouch_for_is_counted_once(group: DirectoryGroup, append: Append) -> None:
    append(data={"history": [latest_digest(group)]})
    result = integrity.verify([checkpoints.public_key()])
    assert (result.history_rows, result.unvouched_history_rows) == (1, 0)


def test_a_missing_trigger_is_found(group: DirectoryGroup) -> None:
    with unprotected():
        assert "is missing or altered" in _problem()


def test_the_command_says_so_and_fails(group: DirectoryGroup, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_ledger")
    group.history.create(id=group.pk, object_id=group.object_id, name=group.name, history_date=clock.now())
    call_command("verify_ledger")
    whole = (
        "Events 1 to 4 are whole; 1 checkpoints and 1 history rows agree, and 1 rows are as their newest history row"
    )
    more = (
        "No event vouches for 1 more history rows (1 of directory groups), so they prove nothing. Of assignments that "
        "is as it should be; of anything else, tell your security team."
    )
    assert capsys.readouterr().out.splitlines() == [
        f"{whole} says.",
        f"{whole} says.",
        more,
    ]
    with unprotected():
        Event.objects.filter(number=3).update(actor_name="Somebody Else")
    with pytest.raises(CommandError, match="Record 3 was altered"):
        call_command("verify_ledger")


def test_the_command_takes_former_keys(group: DirectoryGroup) -> None:
    former = checkpoints.public_key().hex()
    with override_settings(AUDIT_SIGNING_KEY="42" * 32):
        with pytest.raises(CommandError, match="another key"):
            call_command("verify_ledger")
        call_command("verify_ledger", public_key=[former])
        with pytest.raises(CommandError, match="64 hexadecimal digits"):
            call_command("verify_ledger", public_key=["not a key"])


def _rewrite() -> None:
    """What somebody does who owns the database and knows the chain: rewrites all of it, consistently."""
    previous = chain.GENESIS
    for event in Event.objects.order_by("number"):
        data = event.data
        text = chain.event_text(
            number=event.number,
            at=chain.stamp(event.at),
            actor=event.actor,
            actor_name="Somebody Else",
            action=event.action,
            subject_kind=event.subject_kind,
            subject_id=event.subject_id,
            previous=previous,
            sentence=event.sentence,
            data=data,
        )
        Event.objects.filter(pk=event.pk).update(
            actor_name="Somebody Else", canonical=text, previous_hash=previous, hash=chain.sha256(text)
        )
        previous = chain.sha256(text)
    ChainHead.objects.update(hash=previous)


@pytest.mark.django_db
def test_a_column_without_a_value_leaves_the_digest_as_it_was_before_there_was_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = DirectoryGroup.history.model(object_id="g", name="Payments", history_change_reason=None)
    before = history.digest(row)
    fields = [field for field in row._meta.concrete_fields if field.name != "history_change_reason"]
    monkeypatch.setattr(type(row)._meta, "concrete_fields", fields)
    assert history.digest(row) == before
