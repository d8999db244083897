"""By what name a file speaks of a row, and which row a name means."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.contrib.auth import get_user_model

from catalog.forms import foreign
from catalog.models import DirectoryGroup, PermissionSet
from catalog.names import alike


class Unknown(Exception):
    """No row has this name, or several have; the text says what to do."""


class References:
    """Rows by the names that files use, read when they are first asked for.

    Args:
        aliases: how the file calls directory groups, whose names need not be unique: {name: object id}.
    """

    def __init__(self, aliases: Mapping[str, str] | None = None) -> None:
        self._aliases = aliases or {}
        self._known: dict[Any, dict[str, list[int]]] = {}
        self._names: dict[Any, dict[int, str]] = {}

    def forget(self, model: Any) -> None:
        """Reads the rows of a model anew: some were written."""
        self._known.pop(model, None)
        self._names.pop(model, None)

    def key_of(self, model: Any, name: str) -> int:
        """The primary key of the row that the name means.

        Raises:
            Unknown: none, or several.
        """
        if model not in self._known:
            self._known[model] = self._by_name(model)
        found = self._known[model].get(name) or self._known[model].get(" ".join(name.split()), [])
        if model is PermissionSet and name.startswith("arn:") and (why_not := foreign(name)):
            raise Unknown(why_not)
        kind = str(model._meta.verbose_name)
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(sorted(_id_of(row) for row in model._default_manager.filter(pk__in=found)))
            raise Unknown(f"There are {len(found)} of the name “{name}”; give one of {ids}.")
        raise Unknown(
            f"The catalog has no {kind} “{name}”.{alike(name, self._known[model]) or _REMEDIES.get(model, '')}"
        )

    def name_of(self, row: Any) -> str:
        """The name by which a file written from this catalog speaks of the row."""
        model = type(row)
        if model not in self._names:
            self._names[model] = _names(model)
        return self._names[model][row.pk]

    def _by_name(self, model: Any) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for name, pk in _every_name(model):
            found.setdefault(name, []).append(pk)
        if model is DirectoryGroup:
            # What the file itself calls a group goes before what others are called.
            found |= {name: found[object_id] for name, object_id in self._aliases.items() if object_id in found}
        return found


_REMEDIES: Final[Mapping[Any, str]] = {
    PermissionSet: " If it is new in AWS, run manage.py sync_inventory.",
    DirectoryGroup: " Add it under directory_groups.",
}


def _every_name(model: Any) -> Iterable[tuple[str, int]]:
    """Every name of every row, each with the row's key; one that belongs to the row alone and one that need not."""
    if model is PermissionSet:
        sets = list(PermissionSet.objects.all())
        present = {each.name for each in sets if not each.vanished_at}
        # One that vanished may have left its name to another.
        yield from ((each.name, each.pk) for each in sets if not each.vanished_at or each.name not in present)
        yield from ((each.arn, each.pk) for each in sets)
    elif model is DirectoryGroup:
        for name, object_id, pk in DirectoryGroup.objects.values_list("name", "object_id", "pk"):
            yield name, pk
            yield object_id, pk
    elif model is get_user_model():
        for user_name, object_id, pk in model.objects.values_list("user_name", "object_id", "pk"):
            yield user_name, pk
            yield object_id, pk
    else:
        columns = ("name", "slug") if hasattr(model, "slug") else ("name", "name")
        rows = list(model.objects.values_list(*columns, "pk"))
        names = {name for name, _, _ in rows}
        yield from ((name, pk) for name, _, pk in rows)
        yield from ((slug, pk) for _, slug, pk in rows if slug not in names)


def _names(model: Any) -> dict[int, str]:
    meant: dict[str, set[int]] = {}
    for name, pk in _every_name(model):
        meant.setdefault(name, set()).add(pk)
    told = _user_name if model is get_user_model() else _label
    # By its name, if that means this row and no other.
    return {
        row.pk: told(row) if meant.get(told(row)) == {row.pk} else _other_name(row)
        for row in model._default_manager.all()
    }


def _other_name(row: Any) -> str:
    return f"{row.name} ({row.object_id})" if isinstance(row, DirectoryGroup) else _id_of(row)


def _label(row: Any) -> str:
    return str(row.name)


def _user_name(row: Any) -> str:
    return str(row.user_name)


def _id_of(row: Any) -> str:
    return str(getattr(row, "arn", None) or getattr(row, "object_id", None) or row.name)
