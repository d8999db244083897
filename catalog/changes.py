"""Writes the catalog: every change is one transaction with its row versions and its event."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from django.db import models, transaction

from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.history import attribute, digest
from auditlog.ledger import NOTHING, Subject, record
from catalog.differences import differences, parts_of, state_of, to_agree_to
from catalog.models import ApprovalStage, OnCallPerson
from catalog.uses import StillUsed, uses_of

# Out of the way of any position that a form accepts.
_ASIDE: Final = 1000

# Entered around the writing of a change, before its event.
Guard = AbstractContextManager[None]
_Versions = dict[Any, int]


@dataclass(frozen=True)
class Pending:
    """An event that tells of one change, not yet recorded; `whole` is what those read who are to agree to it."""

    actor: Actor
    action: Action
    subject: Subject
    data: dict[str, JSON]
    whole: Mapping[str, JSON]


_pending: ContextVar[list[Pending] | None] = ContextVar("pending", default=None)


@contextmanager
def events_last() -> Iterator[list[Pending]]:
    """Makes the changes inside the block write their rows at once, and record their events at its end, in their order.

    The ledger admits one writer at a time, so that whoever changes much at once does not keep all others waiting. If
    the block raises, nothing is recorded. Gives the events; needs a transaction around it, which ends with it or later.
    """
    pending: list[Pending] = []
    before = _pending.set(pending)
    try:
        yield pending
    finally:
        _pending.reset(before)
    for each in pending:
        record(each.actor, each.action, each.subject, each.data)


def save(
    *,
    form: Any,
    formsets: Iterable[Any] = (),
    actor: Actor,
    why: str = "",
    guard: Guard | None = None,
    told: Mapping[str, JSON] = NOTHING,
    is_otherwise_changed: bool = False,
) -> bool:
    """Saves a valid model form with its many-to-many fields and inline formsets, and records it as one event.

    `guard` is entered around the writing and left before the event is recorded: what it raises undoes all. `told` is
    put into the event beside what changed. Returns whether there was anything to save: a form sent as it came writes
    neither version nor event, unless something of the object that the form does not have `is_otherwise_changed`.
    """
    parts = list(formsets)
    if not is_different(form, parts) and not is_otherwise_changed:
        return False
    with recorded(form.instance, actor=actor, why=why, told=told), guard or nullcontext():
        _write(form, parts, actor, why)
    return True


def is_different(form: Any, formsets: Iterable[Any]) -> bool:
    """Whether there is anything to save in a valid model form and its inline formsets."""
    instance, parts = form.instance, list(formsets)
    own = {field.name for field in (*instance._meta.fields, *instance._meta.many_to_many)}
    for formset in parts:
        # Makes the lists of new, changed and deleted objects; nothing is written yet.
        formset.save(commit=False)
    is_changed = own & set(form.changed_data) or any(formset.has_changed() for formset in parts)
    return bool(is_changed or instance._state.adding)


def write_unrecorded(*, form: Any, formsets: Iterable[Any], actor: Actor, why: str = "") -> None:
    """As `save`, without an event: for a transaction that is rolled back, and that keeps nobody from recording."""
    attribute(form.instance, actor, why)
    _write(form, list(formsets), actor, why)


def _write(form: Any, parts: list[Any], actor: Actor, why: str) -> None:
    form.save()
    for formset in parts:
        _save_parts(formset, actor, why)


@contextmanager
def recorded(
    instance: models.Model, *, actor: Actor, why: str = "", told: Mapping[str, JSON] = NOTHING
) -> Iterator[None]:
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
            **told,
            "changes": differences(before, after),
            "history": _vouched(type(instance), instance.pk, newest),
        }
        action = Action.CATALOG_CREATED if is_new else Action.CATALOG_CHANGED
        _record(action, instance, actor, why, data, to_agree_to(before, after))


def delete(
    *,
    instance: models.Model,
    actor: Actor,
    why: str = "",
    guard: Guard | None = None,
    told: Mapping[str, JSON] = NOTHING,
) -> None:
    """Deletes a catalog object together with its parts; `guard` and `told` are as for `save`.

    Raises:
        StillUsed: policies, requests, people or others refer to it.
    """
    with transaction.atomic():
        if uses := uses_of(instance):
            raise StillUsed(uses)
        pk, newest, before = instance.pk, _newest_versions(type(instance)), state_of(instance)
        with guard or nullcontext():
            delete_unrecorded(instance=instance, actor=actor, why=why)
        # The event is about the row by its key, which Django forgets with the row.
        instance.pk = pk
        data: dict[str, JSON] = {
            **told,
            "changes": differences(before, {}),
            "history": _vouched(type(instance), pk, newest),
        }
        _record(Action.CATALOG_DELETED, instance, actor, why, data, differences(before, {}))


def delete_unrecorded(*, instance: models.Model, actor: Actor, why: str = "") -> None:
    """As `delete`, without an event: for a transaction that is rolled back."""
    for part, link in parts_of(type(instance)):
        for row in part._default_manager.filter(**{link: instance.pk}):
            attribute(row, actor, why)
            row.delete()
    attribute(instance, actor, why)
    instance.delete()


def _save_parts(formset: Any, actor: Actor, why: str) -> None:
    for row in formset.deleted_objects:
        attribute(row, actor, why)
        row.delete()
    changed = [row for row, _ in formset.changed_objects]
    if formset.model in (ApprovalStage, OnCallPerson):
        # Two may change places, and the database never has two at one; this moment is no version.
        moved = formset.model.objects.filter(pk__in=[row.pk for row in changed])
        moved.update(position=models.F("position") + _ASIDE)
    for row in [*changed, *formset.new_objects]:
        attribute(row, actor, why)
        row.save()


def _record(
    action: Action,
    instance: models.Model,
    actor: Actor,
    why: str,
    data: dict[str, JSON],
    whole: Mapping[str, JSON],
) -> None:
    kind = str(instance._meta.verbose_name)
    told: dict[str, JSON] = {"kind": kind, "object": str(instance), **data}
    if why:
        told["why"] = why
    event = Pending(actor, action, Subject(kind, str(instance.pk)), told, whole)
    if (pending := _pending.get()) is not None:
        pending.append(event)
    else:
        record(event.actor, event.action, event.subject, event.data)


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
