"""Writes the catalog: every change is one transaction with its row versions and its event."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import models, transaction

from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.history import attribute, digest
from auditlog.ledger import Subject, record
from catalog.differences import differences, parts_of, state_of
from catalog.models import ApprovalStage
from catalog.uses import StillUsed, uses_of

# Out of the way of any position that a form accepts.
_ASIDE: Final = 1000

_Versions = dict[Any, int]


def save(*, form: Any, formsets: Iterable[Any] = (), actor: Actor, why: str = "") -> bool:
    """Saves a valid model form with its many-to-many fields and inline formsets, and records it as one event.

    Returns whether there was anything to save: a form sent as it came writes neither version nor event.
    """
    instance, parts = form.instance, list(formsets)
    own = {field.name for field in (*instance._meta.fields, *instance._meta.many_to_many)}
    for formset in parts:
        # Makes the lists of new, changed and deleted objects; nothing is written yet.
        formset.save(commit=False)
    is_changed = own & set(form.changed_data) or any(formset.has_changed() for formset in parts)
    if not is_changed and not instance._state.adding:
        return False
    with recorded(instance, actor=actor, why=why):
        form.save()
        for formset in parts:
            _save_parts(formset, actor, why)
    return True


@contextmanager
def recorded(instance: models.Model, *, actor: Actor, why: str = "") -> Iterator[None]:
    """Makes all that is written to a catalog object and its parts inside the block one change with one event.

    The object itself must be saved inside, also when only its parts change: its newest version stands for the
    whole. Its parts are to be given their `attribute` before they are saved.
    """
    with transaction.atomic():
        attribute(instance, actor, why)
        is_new = instance._state.adding
        newest = _newest_versions(type(instance))
        before = {} if is_new else state_of(type(instance)._default_manager.get(pk=instance.pk))
        yield
        after = state_of(type(instance)._default_manager.get(pk=instance.pk))
        data: dict[str, JSON] = {
            "changes": differences(before, after),
            "history": _vouched(type(instance), instance.pk, newest),
        }
        _record(Action.CATALOG_CREATED if is_new else Action.CATALOG_CHANGED, instance, actor, why, data)


def delete(*, instance: models.Model, actor: Actor, why: str = "") -> None:
    """Deletes a catalog object together with its parts.

    Raises:
        StillUsed: policies, requests, people or others refer to it.
    """
    with transaction.atomic():
        if uses := uses_of(instance):
            raise StillUsed(uses)
        pk, newest, before = instance.pk, _newest_versions(type(instance)), state_of(instance)
        for part, link in parts_of(type(instance)):
            for row in part._default_manager.filter(**{link: pk}):
                attribute(row, actor, why)
                row.delete()
        attribute(instance, actor, why)
        instance.delete()
        # The event is about the row by its key, which Django forgets with the row.
        instance.pk = pk
        data: dict[str, JSON] = {
            "changes": differences(before, {}),
            "history": _vouched(type(instance), pk, newest),
        }
        _record(Action.CATALOG_DELETED, instance, actor, why, data)


def _save_parts(formset: Any, actor: Actor, why: str) -> None:
    for row in formset.deleted_objects:
        attribute(row, actor, why)
        row.delete()
    changed = [row for row, _ in formset.changed_objects]
    if formset.model is ApprovalStage:
        # Two stages may change places, and the database never has two at one; this moment is no version.
        moved = ApprovalStage.objects.filter(pk__in=[row.pk for row in changed])
        moved.update(position=models.F("position") + _ASIDE)
    for row in [*changed, *formset.new_objects]:
        attribute(row, actor, why)
        row.save()


def _record(action: Action, instance: models.Model, actor: Actor, why: str, data: dict[str, JSON]) -> None:
    kind = str(instance._meta.verbose_name)
    told: dict[str, JSON] = {"kind": kind, "object": str(instance), **data}
    if why:
        told["why"] = why
    record(actor, action, Subject(kind, str(instance.pk)), told)


def _newest_versions(model: Any) -> _Versions:
    """The newest history row of each table that a change of this object can touch."""
    tables = [model, *(part for part, _ in parts_of(model))]
    newest = {table: table.history.order_by("-history_id").first() for table in tables}
    return {table: row.history_id if row else 0 for table, row in newest.items()}


def _vouched(model: Any, pk: Any, newest: _Versions) -> list[JSON]:
    """A digest of every history row of this object and its parts that is newer than these."""
    links: dict[Any, str] = {model: model._meta.pk.attname, **dict(parts_of(model))}
    rows = [
        row
        for table, link in links.items()
        for row in table.history.filter(**{link: pk}, history_id__gt=newest[table]).order_by("history_id")
    ]
    return [{"model": row._meta.label, "history_id": row.pk, "sha256": digest(row)} for row in rows]
