"""Checkpoints: signed hourly, only over a chain that holds, and recorded themselves."""

from typing import Any

import pytest
from django.test import override_settings
from structlog.testing import capture_logs

from auditlog import chain, checkpoints, clock, integrity, tasks
from auditlog.actions import Action
from auditlog.models import ChainHead, Checkpoint, Event
from tests.auditlog.conftest import Append
from tests.flush import unprotected


def test_a_checkpoint_signs_the_head_and_is_recorded(append: Append) -> None:
    last = append()
    checkpoint = checkpoints.make()
    assert checkpoint is not None
    assert (checkpoint.number, checkpoint.hash) == (last.number, last.hash)
    checkpoint.stated.refuse_forgery({checkpoint.key_id: checkpoints.public_key()})
    event = Event.objects.get(number=last.number + 1)
    assert event.action == Action.AUDIT_CHECKPOINT
    assert event.data == {"number": last.number, "hash": last.hash, "key_id": checkpoint.key_id}


@pytest.mark.django_db
def test_an_empty_ledger_has_nothing_to_sign() -> None:
    assert checkpoints.make() is None


def test_without_news_nothing_more_is_signed(append: Append) -> None:
    append()
    assert checkpoints.make() is not None
    assert checkpoints.make() is None
    append()
    later = checkpoints.make()
    assert later is not None
    assert later.number == 3


def test_the_task_signs(append: Append) -> None:
    append()
    tasks.checkpoint()
    tasks.checkpoint()
    assert Checkpoint.objects.count() == 1


def test_a_broken_chain_is_not_signed(append: Append) -> None:
    append()
    append()
    with unprotected():
        Event.objects.filter(number=2).update(actor_name="Somebody Else")
    with pytest.raises(chain.Broken, match="Record 2 was altered"):
        checkpoints.make()
    assert not Checkpoint.objects.exists()


def test_what_was_rewritten_before_the_last_checkpoint_is_left_to_the_verification(append: Append) -> None:
    append()
    checkpoints.make()
    append()
    with unprotected():
        Event.objects.filter(number=3).delete()
    with pytest.raises(chain.Broken, match="3"):
        checkpoints.make()


def test_another_key_has_another_id(append: Append) -> None:
    append()
    first = checkpoints.make()
    append()
    with override_settings(AUDIT_SIGNING_KEY="42" * 32):
        second = checkpoints.make()
    assert first is not None
    assert second is not None
    assert first.key_id != second.key_id


@pytest.mark.parametrize("signature", ["0" * 128, "not hexadecimal"])
def test_a_forged_checkpoint_is_not_built_upon(append: Append, signature: str) -> None:
    append()
    append()
    _forge(2, chain.sha256("something else"), key_id=chain.key_id(checkpoints.public_key()), signature=signature)
    last = append()
    with capture_logs() as logs:
        made = checkpoints.make()
    assert made is not None
    assert (made.number, made.hash) == (last.number, last.hash)
    assert [(line["log_level"], line["event"], line["number"]) for line in logs] == [
        ("error", "checkpoint_not_believed", 2)
    ]
    assert (
        integrity.verify([checkpoints.public_key()]).problem == "The signature of the checkpoint at record 2 is wrong."
    )


def test_a_forged_checkpoint_does_not_hide_the_true_one_before_it(append: Append) -> None:
    append()
    true = checkpoints.make()
    assert true is not None
    _forge(2, "0" * 64)
    with capture_logs() as logs:
        assert checkpoints.make() is None
    assert [line["log_level"] for line in logs] == ["error"]


def test_a_checkpoint_beyond_the_head_does_not_stop_new_ones(append: Append) -> None:
    append()
    _forge(10**12, "0" * 64, key_id=chain.key_id(checkpoints.public_key()))
    append()
    with capture_logs() as logs:
        made = checkpoints.make()
    assert made is not None
    assert made.number == 2
    assert [(line["log_level"], line["number"]) for line in logs] == [("error", 10**12)]
    assert (
        "The signature of the checkpoint at record 1000000000000"
        in integrity.verify([checkpoints.public_key()]).problem
    )
    append()
    later = checkpoints.make()
    assert later is not None
    assert later.number == 4


def test_a_forged_checkpoint_at_the_head_is_recorded_and_that_is_signed(append: Append) -> None:
    last = append()
    _forge(last.number, last.hash)
    with capture_logs() as logs:
        made = checkpoints.make()
    assert {line["event"] for line in logs} == {"checkpoint_not_believed", "checkpoint_place_taken"}
    event = Event.objects.get(number=2)
    assert event.action == Action.AUDIT_CHECKPOINT_FORGED
    assert event.sentence.startswith("A checkpoint at number 1 is forged, and counts for nothing: ")
    assert (made.number, made.hash) == (2, event.hash) if made else False
    assert checkpoints.make() is None


def test_forged_checkpoints_ahead_are_passed_and_not_for_ever(append: Append) -> None:
    append()
    for number in range(1, 16):
        _forge(number, "0" * 64)
    assert checkpoints.make() is None
    assert Event.objects.filter(action=Action.AUDIT_CHECKPOINT_FORGED).count() == 10
    made = checkpoints.make()
    assert made is not None
    assert made.number == 16
    assert checkpoints.make() is None


def test_a_true_checkpoint_beyond_the_head_says_that_events_were_cut_off(append: Append) -> None:
    append()
    append()
    checkpoints.make()
    with unprotected():
        Event.objects.filter(number__gte=2).delete()
        ChainHead.objects.update(number=1, hash=Event.objects.get(number=1).hash)
    with pytest.raises(chain.Broken, match="A checkpoint was signed at 2; the events to it are missing"):
        checkpoints.make()


def test_a_head_that_says_something_else_is_not_signed(append: Append) -> None:
    append()
    with unprotected():
        ChainHead.objects.update(hash="f" * 64)
    with pytest.raises(chain.Broken, match="head of the chain does not say what event 1 says"):
        checkpoints.make()


def test_after_a_change_of_keys_the_whole_chain_is_walked_again(append: Append) -> None:
    append()
    append()
    checkpoints.make()
    append()
    with unprotected():
        Event.objects.filter(number=1).update(actor_name="Somebody Else")
    with override_settings(AUDIT_SIGNING_KEY="42" * 32), pytest.raises(chain.Broken, match="Record 1 was altered"):
        checkpoints.make()


def _forge(number: int, digest: str, **columns: Any) -> None:
    """What somebody does who may add rows to the table, and does not have the key."""
    described = {"at": clock.now(), "key_id": "0" * 16, "signature": "0" * 128} | columns
    Checkpoint.objects.create(number=number, hash=digest, **described)
