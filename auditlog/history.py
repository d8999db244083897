"""Row versions that name their actor as text, and digests by which an event vouches for them."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import models
from simple_history.models import HistoricalRecords

from auditlog import chain, clock
from auditlog.actor import Actor
from auditlog.chain import JSON

# Many-to-many fields that a model with history got after its first version: empty, they are no part of a digest.
ADDED_LATER: Final = frozenset({"closed_to"})


def Records(**options: Any) -> HistoricalRecords:  # noqa: N802 - it is declared on a model as the class it makes
    """History for one model, as `history = Records()`; `options` are those of HistoricalRecords.

    Before saving, set `instance._history_user` to an Actor or a person, `instance._change_reason` to a text.
    """
    return HistoricalRecords(
        history_user_id_field=models.CharField("changed by", max_length=100, blank=True, default=""),
        history_user_getter=_read_actor,
        history_user_setter=_write_actor,
        history_change_reason_field=models.TextField(blank=True, null=True),
        **options,
    )


def attribute(instance: models.Model, actor: Actor, reason: str = "") -> None:
    """Says who changes an object, why, and when by the ledger's clock; call it before each save."""
    # The three names that simple-history reads.
    instance._history_user = actor  # type: ignore[attr-defined]
    instance._change_reason = reason  # type: ignore[attr-defined]
    instance._history_date = clock.now()  # type: ignore[attr-defined]


def digest(row: models.Model) -> str:
    """The SHA-256 over every column of a history row that has a value, and over the many-to-many rows kept with it.

    A column without a value is left out, so that one which is added later, nullable, leaves earlier digests as they
    are. A model with history must get no other kind of column. Of many-to-many fields those of ADDED_LATER are.
    """
    values = {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}
    columns: dict[str, JSON] = {name: plain(value) for name, value in values.items() if value is not None}
    kept = {field.name: _members(row, field) for field in getattr(row, "_history_m2m_fields", ())}
    many: dict[str, JSON] = {name: members for name, members in kept.items() if members or name not in ADDED_LATER}
    return chain.sha256(chain.canonical({"columns": columns, "many": many}))


def latest_digest(instance: models.Model, pk: Any = None) -> dict[str, JSON]:
    """Vouches for the newest history row of an object, in the list under "history" in an event's data.

    The shape is {"model", "history_id", "sha256"}. After a deletion Django has forgotten the key: give `pk`.
    """
    manager_name: str = instance._meta.simple_history_manager_attribute  # type: ignore[attr-defined]
    key = instance.pk if pk is None else pk
    rows = getattr(type(instance), manager_name).filter(**{instance._meta.pk.attname: key})
    row = rows.order_by("-history_id")[0]
    return {"model": row._meta.label, "history_id": row.pk, "sha256": digest(row)}


def tracked() -> dict[type[models.Model], Any]:
    """Every model that history is kept of, with the model of its history rows."""
    return {
        model: getattr(model, model._meta.simple_history_manager_attribute).model
        for model in apps.get_models()
        if hasattr(model._meta, "simple_history_manager_attribute")
    }


@cache
def columns_kept(model: type[models.Model]) -> frozenset[str]:
    """The names of the fields of a model that its history rows have, too."""
    rows = getattr(model, model._meta.simple_history_manager_attribute).model  # type: ignore[attr-defined]
    return frozenset(field.name for field in rows._meta.concrete_fields)


def plain(value: Any) -> JSON:
    """A column's value as JSON, the same on both databases."""
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value // timedelta(microseconds=1)
        case UUID() | Decimal():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).hex()
        case Mapping() | list() | tuple():
            return json.loads(json.dumps(value, default=str))  # type: ignore[no-any-return]
        case _:
            return str(value)


def _read_actor(row: Any) -> str | None:
    return row.history_user_id or None


def _write_actor(row: Any, actor: Any) -> None:
    if actor is None or actor == "":
        row.history_user_id = ""
    elif isinstance(actor, Actor | str):
        row.history_user_id = str(actor)
    else:
        row.history_user_id = str(Actor.person(actor.object_id, str(actor)))


def _members(row: models.Model, field: Any) -> list[JSON]:
    kept = getattr(row, field.name).model
    there = field.m2m_reverse_field_name()
    column = kept._meta.get_field(there).attname
    rows = kept.objects.filter(history=row).order_by(column, "pk").values_list(column, flat=True)
    return [plain(value) for value in rows]
