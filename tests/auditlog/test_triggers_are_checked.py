"""Triggers that are missing, disabled or altered are noticed, and come back with the next migration."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Model

from auditlog import checks, immutable
from auditlog.models import ChainHead, Checkpoint, Event
from catalog.models import DirectoryGroup
from tests.auditlog.conftest import Append
from tests.flush import removal, unprotected

pytestmark = pytest.mark.django_db


def test_with_every_trigger_there_nothing_is_said() -> None:
    assert checks.triggers_are_there(databases=["default"]) == []


def test_a_dropped_trigger_is_named() -> None:
    with unprotected():
        found = checks.triggers_are_there(databases=["default"])
    assert [each.id for each in found] == ["auditlog.E001"]
    assert "auditlog_event.auditlog_refuse" in found[0].msg
    assert "migrate" in (found[0].hint or "")


def test_without_a_database_the_check_asks_nothing() -> None:
    with unprotected():
        assert checks.triggers_are_there(databases=None) == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL can disable a trigger")
@pytest.mark.parametrize("state", ["DISABLE", "ENABLE", "ENABLE REPLICA"])
def test_a_trigger_that_does_not_always_fire_is_named(state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE auditlog_event {state} TRIGGER auditlog_refuse_change")
    assert immutable.missing_triggers() == ["auditlog_event.auditlog_refuse_change"]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL's triggers call functions")
def test_a_trigger_whose_function_does_nothing_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION auditlog_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
    assert "auditlog_event.auditlog_refuse_change" in immutable.missing_triggers()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the words are SQLite's")
def test_a_trigger_that_refuses_nothing_is_named() -> None:
    with connection.cursor() as cursor:
        name = "auditlog_refuse_update_auditlog_event"
        cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON auditlog_event BEGIN SELECT 1; END")
    assert immutable.missing_triggers() == [f"auditlog_event.{name}"]


def test_installing_again_brings_them_back_and_keeps_the_head(append: Append) -> None:
    append()
    with connection.cursor() as cursor:
        for statement in removal(connection):
            cursor.execute(statement)
    assert immutable.missing_triggers()
    immutable.install()
    immutable.install()
    assert immutable.missing_triggers() == []
    assert ChainHead.objects.get().number == 1


def test_a_head_that_vanished_is_not_made_up_again(append: Append) -> None:
    append()
    with unprotected():
        ChainHead.objects.all().delete()
        immutable.install()
    assert not ChainHead.objects.exists()


def test_the_models_and_their_migration_agree() -> None:
    call_command("makemigrations", "auditlog", check=True, dry_run=True, verbosity=0, skip_checks=True)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="only SQLite remakes tables")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Event, ChainHead, Checkpoint, DirectoryGroup.history.model])
def test_a_remade_table_is_protected_again_after_migrating(model: type[Model]) -> None:
    with connection.schema_editor() as editor:
        editor._remake_table(model)  # type: ignore[attr-defined]
    assert any(name.startswith(f"{model._meta.db_table}.") for name in immutable.missing_triggers())
    call_command("migrate", verbosity=0, skip_checks=True)
    assert immutable.missing_triggers() == []
