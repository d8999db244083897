"""Keeps the record as it was written: triggers on every table of the ledger and of history."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from simple_history.models import HistoricalChanges

from auditlog import triggers_postgresql, triggers_sqlite
from auditlog.chain import GENESIS


def protected_models() -> list[type[models.Model]]:
    """Every model whose rows are added and then stay: events, checkpoints and all history."""
    history = [model for model in apps.get_models(include_auto_created=True) if issubclass(model, HistoricalChanges)]
    ledger = [apps.get_model("auditlog", name) for name in ("Event", "Checkpoint")]
    return ledger + sorted(history, key=lambda model: model._meta.db_table)


def install(using: str = DEFAULT_DB_ALIAS) -> None:
    """Puts every trigger in place, over what may be there, and gives an empty ledger its head row."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for statement in statements(connection):
            cursor.execute(statement)
    event, head = apps.get_model("auditlog", "Event"), apps.get_model("auditlog", "ChainHead")
    # A head that vanished from under its events is evidence: it is not made up again.
    if head._meta.db_table in _tables(connection) and not event._default_manager.using(using).exists():
        head._default_manager.using(using).get_or_create(id=1, defaults={"number": 0, "hash": GENESIS})


def install_after_migrate(using: str, **_: Any) -> None:
    """What `post_migrate` calls."""
    install(using)


def missing_triggers(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """The triggers, as "table.trigger", that are missing, disabled or altered; future tables are left out."""
    connection = connections[using]
    dialect = _dialect(connection)
    found = dialect.found(connection)
    return sorted(
        f"{trigger.table}.{trigger.name}"
        for trigger in _wanted(connection)
        if found.get((trigger.table, trigger.name)) != trigger.fingerprint
    )


def statements(connection: BaseDatabaseWrapper) -> list[str]:
    """The SQL that installs every trigger, in order, safe to run again."""
    dialect = _dialect(connection)
    return [*dialect.preamble(), *(line for trigger in _wanted(connection) for line in trigger.installation)]


def _wanted(connection: BaseDatabaseWrapper) -> Iterator[Any]:
    dialect, tables = _dialect(connection), _tables(connection)
    for model in protected_models():
        if model._meta.db_table in tables:
            yield from dialect.append_only(model)
    event, head = apps.get_model("auditlog", "Event"), apps.get_model("auditlog", "ChainHead")
    if head._meta.db_table in tables and event._meta.db_table in tables:
        yield from dialect.chained(event, head)


def _dialect(connection: BaseDatabaseWrapper) -> Any:
    return triggers_sqlite if connection.vendor == "sqlite" else triggers_postgresql


def _tables(connection: BaseDatabaseWrapper) -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))
