"""Recording: one event, one number, in the transaction of its change or not at all."""

import json
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.db.transaction import TransactionManagementError

from auditlog import actions, chain
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.ledger import Subject, record
from auditlog.models import ChainHead, Event
from tests.auditlog.conftest import ADA, Append


def test_an_event_says_who_did_what_to_what(append: Append) -> None:
    number = str(uuid4())
    event = append(Action.GRANT_ENDED, {"account": "Payments Dev (123456789012)"}, subject=Subject("request", number))
    stored = Event.objects.get(pk=event.pk)
    assert (stored.actor, stored.actor_name) == (f"person:{ADA.id}", "Ada Okafor")
    assert (stored.action, stored.subject) == ("grant.ended", f"request:{number}")
    assert stored.data == {"account": "Payments Dev (123456789012)"}


def test_the_stored_bytes_are_the_hashed_bytes(append: Append) -> None:
    event = Event.objects.get(pk=append(data={"reason": "Zoë said “now” 🚀\x00"}).pk)
    assert chain.sha256(event.canonical) == event.hash
    assert json.loads(event.canonical)["data"]["reason"] == "Zoë said “now” 🚀\x00"


def test_what_happened_is_part_of_the_evidence_as_it_was_said(append: Append, monkeypatch: pytest.MonkeyPatch) -> None:
    event = append(Action.GRANT_ENDED, {"account": "Payments Dev", "reason": "=1+1\nZoë \x00"})
    said = "The grant on Payments Dev ended: =1+1\nZoë \x00"
    assert json.loads(event.canonical)["sentence"] == said
    monkeypatch.setattr(actions, "SENTENCES", {})
    assert Event.objects.get(pk=event.pk).sentence == said


def test_each_event_names_the_hash_of_the_one_before(append: Append) -> None:
    first, second = append(), append()
    assert second.number == first.number + 1
    assert second.previous_hash == first.hash
    assert ChainHead.objects.get().hash == second.hash


def test_the_first_event_follows_nothing(append: Append) -> None:
    event = append()
    assert (event.number, event.previous_hash) == (1, "0" * 64)


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError, match="inside the transaction"):
        record(Actor.system("sweep"), Action.GRANT_ACTIVE, Subject("request", "1"))
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_no_gap(append: Append) -> None:
    append()
    with transaction.atomic():
        record(ADA, Action.GRANT_ACTIVE, Subject("request", "1"))
        transaction.set_rollback(True)
    assert append().number == 2


def test_data_that_cannot_be_written_undoes_the_change(append: Append) -> None:
    with pytest.raises(TypeError):
        append(data={"reason": object()})
    assert append().number == 1


@pytest.mark.parametrize("name", ["", "x" * 5000, "שלום", "a\nb", "=cmd()"])
def test_any_name_can_be_recorded(append: Append, name: str) -> None:
    event = append(actor=Actor.person("0a5c", name))
    assert Event.objects.get(pk=event.pk).actor_name == name


def test_large_data_can_be_recorded(append: Append) -> None:
    event = append(data={"reason": "x" * 1_000_000})
    assert len(Event.objects.get(pk=event.pk).canonical) > 1_000_000


def test_a_subject_that_does_not_fit_is_refused_rather_than_cut(append: Append) -> None:
    try:
        event = append(subject=Subject("request", "x" * 300))
    except DatabaseError:
        return
    assert Event.objects.get(pk=event.pk).subject_id == "x" * 300


def test_actors_are_written_as_kind_and_id() -> None:
    assert str(Actor.system("sweep")) == "system:sweep"
    assert str(Actor.person("0a5c", "Ada")) == "person:0a5c"
