"""The triggers in PostgreSQL's words; ENABLE ALWAYS, so that a session posing as a replica is refused too."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from auditlog.trigger import Trigger

_REFUSE: Final = """
BEGIN
    RAISE EXCEPTION '% refused: rows of % are never changed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
"""

_FORK: Final = """
BEGIN
    IF NOT (NEW.number = 1 AND NEW.previous_hash = repeat('0', 64)) AND NOT EXISTS (
        SELECT 1 FROM auditlog_event WHERE number = NEW.number - 1 AND hash = NEW.previous_hash
    ) THEN
        RAISE EXCEPTION 'INSERT refused: an event follows the last one'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
"""

_FORWARD: Final = """
BEGIN
    IF NEW.id <> OLD.id OR NEW.number <> OLD.number + 1 OR NOT EXISTS (
        SELECT 1 FROM auditlog_event
        WHERE number = NEW.number AND hash = NEW.hash AND previous_hash = OLD.hash
    ) THEN
        RAISE EXCEPTION 'UPDATE refused: the head of the chain moves to its next event only'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
"""

_BODIES: Final = {"auditlog_refuse": _REFUSE, "auditlog_fork": _FORK, "auditlog_forward": _FORWARD}


def preamble() -> list[str]:
    """The functions that the triggers call."""
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$"
        for name, body in _BODIES.items()
    ]


def append_only(model: type[models.Model]) -> Iterator[Trigger]:
    """Refuses to change, remove or truncate rows."""
    table = model._meta.db_table
    yield _trigger(table, "auditlog_refuse_change", "BEFORE UPDATE OR DELETE ON", "ROW", "auditlog_refuse")
    yield _trigger(table, "auditlog_refuse_truncate", "BEFORE TRUNCATE ON", "STATEMENT", "auditlog_refuse")


def chained(event: type[models.Model], head: type[models.Model]) -> Iterator[Trigger]:
    """Lets an event be added only after the last one, and the head move only to its next event."""
    events, heads = event._meta.db_table, head._meta.db_table
    yield _trigger(events, "auditlog_refuse_fork", "BEFORE INSERT ON", "ROW", "auditlog_fork")
    yield _trigger(heads, "auditlog_only_forward", "BEFORE UPDATE ON", "ROW", "auditlog_forward")
    yield _trigger(heads, "auditlog_refuse_delete", "BEFORE DELETE ON", "ROW", "auditlog_refuse")
    yield _trigger(heads, "auditlog_refuse_truncate", "BEFORE TRUNCATE ON", "STATEMENT", "auditlog_refuse")


def found(connection: BaseDatabaseWrapper) -> dict[tuple[str, str], str]:
    """The triggers that are there: (table, name) to how they are enabled, when they fire and what they do."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.relname, g.tgname, g.tgenabled::text, g.tgtype, coalesce(g.tgqual::text, ''),
                   p.proname, p.prosrc
            FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid
            WHERE NOT g.tgisinternal AND pg_table_is_visible(t.oid)
            """
        )
        return {
            (table, name): _fingerprint(enabled, moment, condition, function, body)
            for table, name, enabled, moment, condition, function, body in cursor.fetchall()
        }


# The bits of pg_trigger.tgtype: https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_trigger.h
_BITS: Final = {"ROW": 1, "BEFORE": 2, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}


def _trigger(table: str, name: str, moment: str, each: str, function: str) -> Trigger:
    bits = sum(bit for word, bit in _BITS.items() if word in f"{moment} {each}".split())
    return Trigger(
        table,
        name,
        (
            (f'CREATE OR REPLACE TRIGGER "{name}" {moment} "{table}" FOR EACH {each} EXECUTE FUNCTION {function}()'),
            f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"',
        ),
        _fingerprint("A", bits, "", function, _BODIES[function]),
    )


def _fingerprint(enabled: str, moment: int, condition: str, function: str, body: str) -> str:
    return f"{enabled} {moment} {condition} {function} {sha256(body.encode()).hexdigest()}"
