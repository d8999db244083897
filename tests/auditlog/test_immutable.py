"""Nothing in the record is edited, deleted, replaced or cut off, by ORM or by SQL."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from auditlog import checkpoints, immutable
from auditlog.models import ChainHead, Checkpoint, Event
from catalog.models import DirectoryGroup
from tests.auditlog.conftest import Append

only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="these words are SQLite's")
only_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="these words are PostgreSQL's")


@pytest.fixture
def everything(append: Append) -> None:
    """A row in every kind of protected table."""
    append()
    append()
    checkpoints.make()
    DirectoryGroup.objects.create(object_id="11111111-1111-4111-8111-111111111111", name="Payments")


def _refused(sql: str) -> None:
    with pytest.raises(IntegrityError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


TABLES = ("auditlog_event", "auditlog_checkpoint", "catalog_historicaldirectorygroup", "auditlog_chainhead")


@pytest.mark.parametrize("table", TABLES)
def test_rows_cannot_be_deleted(everything: None, table: str) -> None:
    _refused(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", TABLES)
def test_rows_cannot_be_updated(everything: None, table: str) -> None:
    column = "name" if "directorygroup" in table else "hash"
    _refused(f"UPDATE {table} SET {column} = 'forged'")


@only_postgresql
@pytest.mark.parametrize("table", TABLES)
def test_tables_cannot_be_truncated(everything: None, table: str) -> None:
    _refused(f"TRUNCATE {table} CASCADE")


@only_postgresql
@pytest.mark.parametrize("table", TABLES)
def test_a_session_that_poses_as_a_replica_is_refused_too(everything: None, table: str) -> None:
    _refused(f"SET LOCAL session_replication_role = replica; DELETE FROM {table}")


@only_postgresql
def test_an_upsert_cannot_change_an_event(everything: None) -> None:
    _refused(
        "INSERT INTO auditlog_checkpoint SELECT * FROM auditlog_checkpoint "
        "ON CONFLICT (number) DO UPDATE SET hash = 'x'"
    )


@only_sqlite
@pytest.mark.parametrize("table", TABLES)
def test_a_row_cannot_be_replaced_by_inserting_it_again(everything: None, table: str) -> None:
    _refused(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")


@only_sqlite
def test_an_update_or_replace_is_refused(everything: None) -> None:
    _refused("UPDATE OR REPLACE auditlog_event SET number = 1 WHERE number = 2")


@only_sqlite
def test_an_event_cannot_push_out_another_by_its_hash(everything: None) -> None:
    _refused(
        "INSERT OR REPLACE INTO auditlog_event SELECT number + 3, at, actor, actor_name, action, "
        "subject_kind, subject_id, canonical, previous_hash, hash FROM auditlog_event WHERE number = 1"
    )


def test_the_orm_is_refused_too(everything: None) -> None:
    event = Event.objects.order_by("number")[0]
    event.actor = "person:forged"
    attempts = (
        event.save,
        event.delete,
        lambda: Event.objects.update(actor="forged"),
        lambda: Event.objects.all()._raw_delete("default"),
        lambda: Event.objects.bulk_update([event], ["actor"]),
        lambda: Checkpoint.objects.all().delete(),
        lambda: DirectoryGroup.history.all().delete(),
        lambda: DirectoryGroup.history.update(name="forged"),
        lambda: ChainHead.objects.all().delete(),
        lambda: ChainHead.objects.update(number=1),
    )
    for attempt in attempts:
        with pytest.raises(IntegrityError, match="refused"), transaction.atomic():
            attempt()


def test_an_event_cannot_be_inserted_past_the_head(everything: None) -> None:
    last = Event.objects.order_by("-number")[0]
    for number, previous in ((last.number + 2, last.hash), (last.number + 1, "f" * 64)):
        forged = Event(
            number=number,
            at=timezone.now(),
            actor="x",
            actor_name="x",
            action="x",
            canonical="{}",
            previous_hash=previous,
            hash="a" * 64,
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            forged.save(force_insert=True)


@pytest.mark.parametrize("change", [0, -1, 2])
def test_the_head_moves_to_its_next_event_only(everything: None, change: int) -> None:
    number = ChainHead.objects.get().number
    with pytest.raises(IntegrityError, match="next event only"), transaction.atomic():
        ChainHead.objects.update(number=number + change, hash="f" * 64)


def test_a_second_head_is_refused(everything: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ChainHead(id=2, number=0, hash="0" * 64).save(force_insert=True)


@pytest.mark.django_db
def test_every_history_table_is_protected() -> None:
    protected = {model._meta.label for model in immutable.protected_models()}
    assert {"auditlog.Event", "auditlog.Checkpoint", "catalog.HistoricalDirectoryGroup"} <= protected
    # Many-to-many history too: who belonged to what is as much a part of the record.
    assert any("_" in label.split(".")[1] for label in protected)
    assert immutable.missing_triggers() == []
