"""What an object of the catalog looks like in an event, before and after a change."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models

from auditlog.chain import JSON
from auditlog.history import columns_kept
from catalog import durations
from catalog.models import ApprovalStage, DirectoryGroup, PermissionSet
from catalog.zones import zones


def state_of(instance: models.Model) -> dict[str, JSON]:
    """Every field of a saved catalog object that history keeps, and its parts, as they read in an event."""
    state: dict[str, JSON] = {}
    kept = columns_kept(type(instance))
    for field in instance._meta.concrete_fields:
        if not field.primary_key and field.name in kept:
            state[field.name] = _plain(getattr(instance, field.name), getattr(instance, "zone", ""))
    for many in instance._meta.many_to_many:
        state[many.name] = sorted(_named(row) for row in getattr(instance, many.name).all())
    for part, link in parts_of(type(instance)):
        rows = part._default_manager.filter(**{link: instance.pk})
        state[str(part._meta.verbose_name_plural)] = [_named(row) for row in _with_groups(rows)]
    return state


def differences(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> dict[str, JSON]:
    """What differs, as {field: [old, new]}; None stands for what there was not, or is no more."""
    names = dict.fromkeys([*before, *after])
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def to_agree_to(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> dict[str, JSON]:
    """What differs; of a policy that comes into force all that it says, for all of it begins to hold."""
    if before.get("is_in_force") is False and after.get("is_in_force"):
        return {name: [before.get(name), value] for name, value in after.items()}
    return differences(before, after)


def parts_of(model: type[models.Model]) -> list[tuple[Any, str]]:
    """The models whose rows are parts of one object and go with it, each with the name of its link to it."""
    return [
        (relation.related_model, relation.field.name)
        for relation in model._meta.related_objects
        if isinstance(relation, models.ManyToOneRel)
        and relation.on_delete is models.CASCADE
        and hasattr(relation.related_model, "history")
    ]


def _with_groups(rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Parts with what they are named by: of stages, not a query for each and each of its groups."""
    if rows.model is not ApprovalStage:
        return rows
    groups = ("approver_group", "escalation_group")
    return rows.select_related(*groups).prefetch_related(*(f"{group}__directory_groups" for group in groups))


def _named(row: models.Model) -> str:
    """A row by what identifies it, where its name alone does not."""
    match row:
        case DirectoryGroup():
            return f"{row.name} ({row.object_id})"
        case PermissionSet():
            return f"{row.name} ({row.arn})"
        case ApprovalStage():
            return row.in_full
        case _:
            return str(row)


def _plain(value: Any, zone: str = "") -> JSON:
    """A value as JSON; a moment by the clocks of its time zone, if it has one that is known."""
    match value:
        case None | bool() | int() | str() | list() | dict():
            return value
        case timedelta():
            return durations.written(value)
        case datetime():
            return (value.astimezone(ZoneInfo(zone)) if zone in zones() else value).isoformat()
        case models.Model():
            return _named(value)
        case _:
            return str(value)
