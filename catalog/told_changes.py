"""What each version of a catalog object changed, as its event tells it: with its parts, and in words."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from auditlog.actions import Action
from auditlog.models import Event
from catalog import account_tags

# What an event says beside a name, so that it is certain whose it is; a reader knows by the name.
_ID: Final = re.compile(r" \((?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|arn:[^)]*)\)(?=\Z|[],])")


def told_changes(model: type[models.Model], versions: Iterable[Any]) -> dict[int, list[dict[str, str]]]:
    """By the id of a version: each field or kind of part that changed, what was, and what is ("" for nothing).

    Of versions that no event of the catalog vouches for, and of the first one, nothing is told.
    """
    rows = [row for row in versions if row.history_type != "+"]
    if not rows:
        return {}
    key, table = model._meta.pk.attname, rows[0]._meta.label
    about = {str(getattr(row, key)) for row in rows}
    wanted = {row.pk for row in rows}
    told: dict[int, list[dict[str, str]]] = {}
    events = Event.objects.filter(subject_kind=str(model._meta.verbose_name), subject_id__in=about)
    for event in events.filter(action__startswith="catalog."):
        data = event.data
        ids = [row["history_id"] for row in data.get("history") or () if row["model"] == table]
        told |= {pk: [] for pk in ids if pk in wanted}
        # One change may leave several versions; the last of them is what came of it.
        if ids and max(ids) in wanted:
            told[max(ids)] = lines(model, data.get("changes") or {}, with_ids=False)
    return told


def on_the_way(model: type[models.Model], pk: Any) -> tuple[set[int], set[int]]:
    """The versions of an object, by id, that a change left on its way to its last one, and the last of its creation."""
    table = model.history.model._meta.label  # type: ignore[attr-defined]
    passed: set[int] = set()
    created: set[int] = set()
    events = Event.objects.filter(subject_kind=str(model._meta.verbose_name), subject_id=str(pk))
    for event in events.filter(action__startswith="catalog."):
        ids = sorted(row["history_id"] for row in event.data.get("history") or () if row["model"] == table)
        passed.update(ids[:-1])
        created.update(ids[-1:] if event.action == Action.CATALOG_CREATED else ())
    return passed, created


def lines(model: type[models.Model], changes: Mapping[str, Any], *, with_ids: bool) -> list[dict[str, str]]:
    """What changed, {field: [old, new]} as an event tells it, as readers are shown it.

    Who is to agree reads groups and permission sets `with_ids`: another may have the same name.
    """
    told = []
    for name, (old, new) in changes.items():
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            # A kind of part, which an event names by its words.
            told.append({"field": name.capitalize(), "old": _words(old, with_ids), "new": _words(new, with_ids)})
            continue
        labels = dict(getattr(field, "flatchoices", ()))
        heading = str(getattr(field, "verbose_name", name))
        heading = f"{heading[:1].upper()}{heading[1:]}"
        was, now = (labels.get(value, value) if isinstance(value, str | int) else value for value in (old, new))
        told.append({"field": heading, "old": _words(was, with_ids), "new": _words(now, with_ids)})
    # What there was not, and is not, is no change to a reader.
    return [line for line in told if line["old"] or line["new"]]


def _words(value: Any, with_ids: bool) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            return account_tags.written(account_tags.read(value))
        case list():
            return "; ".join(_words(each, with_ids) for each in value)
        case _:
            return str(value) if with_ids else _ID.sub("", str(value))
