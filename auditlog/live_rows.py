"""Holds every row that history is kept of against its newest version: whoever changes one past the portal is seen."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db import models, transaction
from django.db.models import Exists, Max, OuterRef

from auditlog import history

_BATCH: Final = 500


def first_difference() -> tuple[int, str]:
    """How many rows were held against their newest version, and a sentence on the first that differs, else "".

    Bounded memory. What the portal changes meanwhile is no difference: a row that seems to differ is read again
    with its lock held, and its version is written in the same transaction.
    """
    seen = 0
    for model, table in history.tracked().items():
        for rows in _batches(model):
            seen += len(rows)
            if (suspect := _difference(model, table, rows)) and (said := _for_certain(model, table, suspect[0])):
                return seen, said
        if said := _vanished(model, table):
            return seen, said
    return seen, ""


def _batches(model: type[models.Model]) -> Iterator[list[models.Model]]:
    rows = model._base_manager.order_by("pk")
    batch = list(rows[:_BATCH])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:_BATCH])


def _for_certain(model: type[models.Model], table: Any, pk: Any) -> str:
    with transaction.atomic():
        # Nothing when it was deleted meanwhile.
        found = _difference(model, table, list(model._base_manager.select_for_update().filter(pk=pk)))
    return found[1] if found else ""


def _difference(model: type[models.Model], table: Any, rows: Sequence[models.Model]) -> tuple[Any, str] | None:
    """The key of the first of these rows that is not as its newest version says, and a sentence on it."""
    key = model._meta.pk.attname
    newest_ids = (
        table._default_manager.filter(**{f"{key}__in": [row.pk for row in rows]})
        .order_by()
        .values(key)
        .annotate(newest=Max("history_id"))
        .values_list("newest", flat=True)
    )
    newest = {getattr(row, key): row for row in table._default_manager.in_bulk(list(newest_ids)).values()}
    many = [
        (field, *_members(field, rows, list(newest.values()))) for field in getattr(table, "_history_m2m_fields", ())
    ]
    for row in rows:
        name = f"Row {row.pk} of {model._meta.label}"
        version = newest.get(row.pk)
        if version is None:
            return row.pk, f"{name} has no history."
        if version.history_type == "-":
            return row.pk, f"{name} is there, although its newest history row says that it was deleted."
        columns = (field.name for field in table.tracked_fields if _said(row, field) != _said(version, field))
        members = (field.name for field, now, then in many if now[row.pk] != then[version.pk])
        if changed := next(columns, "") or next(members, ""):
            return row.pk, f"{name} was altered: {changed} is not what its newest history row says."
    return None


def _said(row: models.Model, field: Any) -> Any:
    return history.plain(getattr(row, field.attname))


def _members(
    field: Any, rows: Sequence[models.Model], versions: Sequence[Any]
) -> tuple[dict[Any, set[Any]], dict[Any, set[Any]]]:
    """Who belongs to each row now, by its key, and who did in each version, by the version's."""
    through = field.remote_field.through
    owner, member = (
        through._meta.get_field(name()).attname for name in (field.m2m_field_name, field.m2m_reverse_field_name)
    )
    now, then = defaultdict(set), defaultdict(set)
    live = through._base_manager.filter(**{f"{owner}__in": [row.pk for row in rows]})
    for pk, whom in live.values_list(owner, member):
        now[pk].add(whom)
    if versions:
        kept = getattr(versions[0], field.name).model._default_manager.filter(history__in=versions)
        for pk, whom in kept.values_list("history_id", member):
            then[pk].add(whom)
    return now, then


def _vanished(model: type[models.Model], table: Any) -> str:
    """A sentence on a row that is gone although no version says that it was deleted, else ""."""
    key = model._meta.pk.attname
    same = {key: OuterRef(key)}
    gone = (
        table._default_manager.exclude(history_type="-")
        .exclude(Exists(model._base_manager.filter(pk=OuterRef(key))))
        .exclude(Exists(table._default_manager.filter(**same, history_id__gt=OuterRef("history_id"))))
        .order_by("history_id")
        .first()
    )
    return f"Row {getattr(gone, key)} of {model._meta.label} is gone, and no history row says so." if gone else ""
