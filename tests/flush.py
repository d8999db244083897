"""Lets tests empty a database whose triggers refuse exactly that; production has no such door."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from auditlog import immutable, triggers_postgresql, triggers_sqlite
from auditlog.chain import GENESIS

_HEAD = f"INSERT INTO auditlog_chainhead (id, number, hash) VALUES (1, 0, '{GENESIS}')"
MADE_BY_DJANGO: Final = ("django_content_type", "auth_permission")


def allow_flush() -> None:
    """Wraps the flush of every connection: triggers away, tables emptied, triggers and head row back."""
    for each in connections.all():
        if not hasattr(each.ops, "flushes_past_triggers"):
            _wrap(each)


@contextmanager
def unprotected() -> Iterator[None]:
    """A stretch without triggers: what someone who owns the database could do."""
    with connection.cursor() as cursor:
        for statement in removal(connection):
            cursor.execute(statement)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for statement in immutable.statements(connection):
                cursor.execute(statement)


def removal(connection: BaseDatabaseWrapper) -> list[str]:
    """The SQL that takes our triggers away."""
    if connection.vendor == "sqlite":
        found = triggers_sqlite.found(connection)
        return [f'DROP TRIGGER "{name}"' for _, name in found if name.startswith("auditlog_")]
    found = triggers_postgresql.found(connection)
    return [f'DROP TRIGGER "{name}" ON "{table}"' for table, name in found if name.startswith("auditlog_")]


def _wrap(connection: BaseDatabaseWrapper) -> None:
    flush = connection.ops.sql_flush

    def sql_flush(style: Any, tables: Any, **options: Any) -> list[str]:
        # Django would make the same rows of these again at once.
        tables = [table for table in tables if table not in MADE_BY_DJANGO]
        statements = flush(style, tables, **options)
        if connection.vendor == "postgresql" and not options.get("reset_sequences"):
            # TRUNCATE makes new files for fifty tables, each of them synchronised, to take away a dozen rows.
            statements = [f'DELETE FROM "{table}"' for table in tables if _has_rows(connection, table)]
        head = [_HEAD] if "auditlog_chainhead" in tables else []
        return [*removal(connection), *statements, *immutable.statements(connection), *head]

    setattr(connection.ops, "sql_flush", sql_flush)  # noqa: B010 - a method is replaced on purpose
    setattr(connection.ops, "flushes_past_triggers", True)  # noqa: B010


def _has_rows(connection: BaseDatabaseWrapper, table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")')
        (found,) = cursor.fetchone()
    return bool(found)
