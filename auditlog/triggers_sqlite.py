"""The triggers in SQLite's words."""

from collections.abc import Iterator

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from auditlog.chain import GENESIS
from auditlog.trigger import Trigger, unique_keys


def preamble() -> list[str]:
    """What every trigger leans on: nothing here."""
    return []


def append_only(model: type[models.Model]) -> Iterator[Trigger]:
    """Refuses to change or remove rows, and to replace one by inserting its key again."""
    table = model._meta.db_table
    for verb in ("UPDATE", "DELETE"):
        yield _trigger(
            table,
            f"refuse_{verb.lower()}",
            f"BEFORE {verb} ON",
            "",
            f"{verb} refused: rows of {table} are never changed",
        )
    # INSERT OR REPLACE removes the old row without asking a DELETE trigger.
    yield _trigger(
        table,
        "refuse_replace",
        "BEFORE INSERT ON",
        _taken(model),
        f"INSERT refused: {table} has a row with this key",
    )


def chained(event: type[models.Model], head: type[models.Model]) -> Iterator[Trigger]:
    """Lets an event be added only after the last one, and the head move only by one.

    Neither trigger speaks of the other's table: SQLite could then not remake that table in a migration.
    """
    events, heads = event._meta.db_table, head._meta.db_table
    yield _trigger(
        events,
        "refuse_fork",
        "BEFORE INSERT ON",
        f"""NOT (NEW."number" = 1 AND NEW."previous_hash" = '{GENESIS}') AND NOT """
        + _exists(events, '"number" = NEW."number" - 1 AND "hash" = NEW."previous_hash"'),
        "INSERT refused: an event follows the last one",
    )
    yield _trigger(
        heads,
        "only_forward",
        "BEFORE UPDATE ON",
        'NEW."id" <> OLD."id" OR NEW."number" <> OLD."number" + 1',
        "UPDATE refused: the head of the chain moves to its next event only",
    )
    yield _trigger(heads, "refuse_delete", "BEFORE DELETE ON", "", f"DELETE refused: the row of {heads} stays")
    yield _trigger(heads, "refuse_replace", "BEFORE INSERT ON", _taken(head), f"INSERT refused: {heads} has its row")


def found(connection: BaseDatabaseWrapper) -> dict[tuple[str, str], str]:
    """The triggers that are there: (table, name) to their text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
        return {(table, name): sql for table, name, sql in cursor.fetchall()}


def _trigger(table: str, purpose: str, moment: str, condition: str, refusal: str) -> Trigger:
    # Names are the database's, not the table's, in SQLite.
    name = f"auditlog_{purpose}_{table}"
    when = f" WHEN {condition}" if condition else ""
    text = f'CREATE TRIGGER "{name}" {moment} "{table}"{when} BEGIN SELECT RAISE(ABORT, \'{refusal}\'); END'
    return Trigger(table, name, (f'DROP TRIGGER IF EXISTS "{name}"', text), text)


def _taken(model: type[models.Model]) -> str:
    same = (" AND ".join(f'"{column}" = NEW."{column}"' for column in key) for key in unique_keys(model))
    return " OR ".join(_exists(model._meta.db_table, condition) for condition in same)


def _exists(table: str, condition: str) -> str:
    return f'EXISTS (SELECT 1 FROM "{table}" WHERE {condition})'  # noqa: S608 - names of our own tables
