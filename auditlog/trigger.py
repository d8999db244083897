"""What the triggers of both databases have in common."""

from dataclasses import dataclass

from django.db import models


@dataclass(frozen=True)
class Trigger:
    """One trigger: the SQL that installs it over an older one, and what tells an altered one apart."""

    table: str
    name: str
    installation: tuple[str, ...]
    fingerprint: str


def unique_keys(model: type[models.Model]) -> list[tuple[str, ...]]:
    """The columns of each key that no two rows of the model may share."""
    options = model._meta
    single: list[tuple[str, ...]] = [(field.column,) for field in options.concrete_fields if field.unique]
    named = [tuple(constraint.fields) for constraint in options.total_unique_constraints]
    columns = {field.name: field.column for field in options.concrete_fields}
    several = [tuple(columns[name] for name in names) for names in (*named, *options.unique_together)]
    return single + several
