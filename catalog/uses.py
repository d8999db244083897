"""What refers to a row of the catalog and so keeps it from being deleted."""

from dataclasses import dataclass

from django.db import models

_NAMED = 5


@dataclass(frozen=True)
class Use:
    """So many rows of one kind, and what the first few are called."""

    kind: str
    count: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {self.count - len(self.names)} more" if self.count > len(self.names) else ""
        return f"{self.count} {self.kind}: {', '.join(self.names)}{more}"


class StillUsed(Exception):
    """A row cannot be deleted because others refer to it; `uses` says which."""

    def __init__(self, uses: tuple[Use, ...]) -> None:
        super().__init__("; ".join(str(use) for use in uses))
        self.uses = uses


def uses_of(instance: models.Model) -> tuple[Use, ...]:
    """Everything that refers to this row and is not a part of it, such as policies, requests or people.

    Many-to-many relations count: Django would cut them without a word, and a policy would lose who may ask by it.
    """
    found: dict[type[models.Model], Use] = {}
    for relation in instance._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel | models.ManyToManyRel) or not _keeps(relation):
            continue
        model = relation.related_model
        if not isinstance(model, type):
            continue
        rows = model._default_manager.filter(**{relation.field.name: instance}).order_by("pk")
        if (count := rows.count()) and (model not in found or found[model].count < count):
            options = model._meta
            kind = str(options.verbose_name if count == 1 else options.verbose_name_plural)
            found[model] = Use(kind, count, tuple(str(row) for row in rows[:_NAMED]))
    return tuple(sorted(found.values(), key=lambda use: use.kind))


def _keeps(relation: models.ManyToOneRel | models.ManyToManyRel) -> bool:
    if isinstance(relation, models.ManyToManyRel):
        return not relation.field.model._meta.auto_created
    return relation.on_delete is models.PROTECT
