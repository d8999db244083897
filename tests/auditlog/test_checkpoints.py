"""Checkpoints: signed hourly, only over a chain that holds, and recorded themselves."""

import pytest
from django.test import override_settings

from auditlog import chain, checkpoints, tasks
from auditlog.actions import Action
from auditlog.models import Checkpoint, Event
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
