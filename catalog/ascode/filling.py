"""Fills in the admin's own forms with what a file says of an object, as a browser would send it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.text import slugify

from catalog.ascode.document import Entry
from catalog.ascode.references import References, Unknown
from catalog.ascode.sections import Parts, blank, word_of
from catalog.ascode.tree import Complaint, Listing, Node, Place, Text
from catalog.names import alike
from catalog.policy_forms import AccessPolicyForm

_YES: Final = frozenset({"true", "yes", "on"})
_NO: Final = frozenset({"false", "no", "off"})


@dataclass
class FilledParts:
    """A formset, filled in; the file's row n stands in it as form `at[n]`."""

    parts: Parts
    formset: Any
    at: list[int]


@dataclass
class Filled:
    """A form with its formsets, filled in; `missing` are values that were given and could not be understood."""

    entry: Entry
    form: Any
    parts: list[FilledParts]
    complaints: list[Complaint]
    missing: set[tuple[str, int, str]]

    @property
    def formsets(self) -> list[Any]:
        """The formsets alone."""
        return [each.formset for each in self.parts]

    def judge(self) -> list[Complaint]:
        """Everything that is wrong with it, each where the file says it; empty if it may be saved.

        What is missing may be what could not be understood: of an entry that is not whole, what is given is judged.
        """
        said = list(self.complaints)
        for name, texts in self.form.errors.items():
            if ("", 0, name) not in self.missing and (self.entry.is_whole or name in ("name", *self.entry.values)):
                said += [self._complaint(self.entry.place_of(name), word_of(name), text) for text in texts]
        for each in self.parts:
            said += self._of_parts(each)
        return said

    def _of_parts(self, each: FilledParts) -> list[Complaint]:
        said = []
        each.formset.is_valid()
        for number, part in enumerate(self.entry.parts.get(each.parts.key, ())):
            for name, texts in each.formset.forms[each.at[number]].errors.items():
                if (each.parts.key, number, name) not in self.missing and (self.entry.is_whole or name in part.values):
                    place = part.values[name].place if name in part.values else part.place
                    where = f"{each.parts.kind} {number + 1}, {word_of(name)}"
                    said += [self._complaint(place, where, text) for text in texts]
        if self.entry.is_whole and not any(of == each.parts.key for of, _, _ in self.missing):
            place = self.entry.place_of(each.parts.key)
            said += [self._complaint(place, each.parts.key, text) for text in each.formset.non_form_errors()]
        return said

    def _complaint(self, place: Place, where: str, text: str) -> Complaint:
        at = f", {where}".removesuffix(", name").removesuffix(", __all__")
        return Complaint(place, f"{self.entry.section.kind} “{self.entry.name.value}”{at}: {text}")


def fill(
    entry: Entry,
    row: Any,
    references: References,
    declared: frozenset[tuple[Any, str]],
    beside: frozenset[int] = frozenset(),
) -> Filled:
    """The forms of an entry, for a row that there is or for a new one.

    Args:
        entry: what the file says.
        row: the row that it speaks of, as it is in the database; None for a new one.
        references: what names mean at this moment.
        declared: (model, name) of all that the file itself has. What is wrong with one of them is said there, and
            not again wherever it is named.
        beside: policies that change together with this one.
    """
    section = entry.section
    instance = section.model() if row is None else row
    filling = _Filling(entry, references, declared)
    data = filling.values("", 0, section.form, section.fields, entry.values, instance)
    data["name"] = entry.text_of("name") or entry.name.value
    if "slug" in section.form.base_fields and not entry.text_of("slug"):
        data["slug"] = instance.slug or slugify(data["name"])
    form = section.form(data, instance=instance)
    form.is_by_file = True
    for name in ("why", "seen"):
        # Nobody is there to be asked why, or to be told that a page is outdated.
        form.fields.pop(name, None)
    if isinstance(form, AccessPolicyForm):
        form.beside = beside
    # Some parts are understood by what the object says now, such as a time by its time zone.
    form.full_clean()
    for name, node in entry.values.items():
        if form.fields[name].disabled and form.fields[name].has_changed(
            form.get_initial_for_field(form.fields[name], name), data[name]
        ):
            where = f"{section.kind} “{entry.name.value}”, {word_of(name)}"
            filling.complaints.append(Complaint(node.place, f"{where}: It cannot be changed any more; make another."))
    parts = [filling.parts(parts, instance) for parts in section.parts]
    return Filled(entry, form, parts, filling.complaints, filling.missing)


class _Filling:
    """One entry being filled in, with what could not be understood so far."""

    def __init__(self, entry: Entry, references: References, declared: frozenset[tuple[Any, str]]) -> None:
        self._entry, self._references, self._declared = entry, references, declared
        self.complaints: list[Complaint] = []
        self.missing: set[tuple[str, int, str]] = set()

    def values(
        self, of: str, number: int, form: Any, fields: Mapping[str, str], given: Mapping[str, Node], instance: Any
    ) -> dict[str, Any]:
        """What a browser would send for these fields: what the file says, else what stands in an empty form."""
        data = {}
        for key, name in fields.items():
            node = given.get(name)
            if node is None or (isinstance(node, Text) and node.is_empty):
                data[name] = blank(form)[name].value()
                continue
            try:
                data[name] = self._value(node, form.base_fields[name])
            except _NotUnderstood as error:
                self.missing.add((of, number, name))
                for place, text in error.said:
                    where = f"{self._entry.section.kind} “{self._entry.name.value}”, {of and f'{of}, '}{key}"
                    self.complaints.append(Complaint(place, f"{where}: {text}"))
                continue
            was = getattr(instance, name, None) if instance.pk else None
            if isinstance(was, str) and was.replace("\r\n", "\n").strip() == data[name]:
                # Browsers end lines otherwise than files; that is no change.
                data[name] = was
        return data

    def parts(self, parts: Parts, instance: Any) -> FilledParts:
        """The formset: rows that there are keep their places in it, and new ones follow, as formsets want it."""
        made: Any = forms.inlineformset_factory(
            type(instance), parts.model, form=parts.form, formset=parts.formset, extra=0, can_delete=True
        )
        link, prefix = made.fk.name, made.get_default_prefix()
        rows = self._entry.parts.get(parts.key, ())
        sent = [
            self.values(parts.key, number, parts.form, parts.fields, row.values, parts.model(**{link: instance}))
            | ({parts.position: number + 1} if parts.position else {})
            for number, row in enumerate(rows)
        ]
        there = (
            list(parts.model._default_manager.filter(**{link: instance}).order_by(parts.position or "pk"))
            if instance.pk
            else []
        )
        at = _places(there, sent, parts, lambda: parts.model(**{link: instance}))
        count = max([len(there), *(place + 1 for place in at)])
        data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": count, f"{prefix}-INITIAL_FORMS": len(there)}
        for place, row in enumerate(there):
            data[f"{prefix}-{place}-id"] = row.pk
            if place not in at:
                data[f"{prefix}-{place}-DELETE"] = "on"
        for place, values in zip(at, sent, strict=True):
            data |= {f"{prefix}-{place}-{name}": value for name, value in values.items()}
        return FilledParts(parts, made(data, instance=instance), at)

    def _value(self, node: Node, field: forms.Field) -> Any:
        match field:
            case forms.ModelMultipleChoiceField():
                return self._keys(_model_of(field), node.items if isinstance(node, Listing) else ())
            case forms.ModelChoiceField():
                return next(iter(self._keys(_model_of(field), (node,))), None)
            case _ if isinstance(node, Listing):
                return "\n".join(item.value for item in node.items if isinstance(item, Text))
        text = node.value if isinstance(node, Text) else ""
        match field:
            case forms.NullBooleanField():
                return str(_truth(node, text)).lower()
            case forms.BooleanField():
                return _truth(node, text)
            case forms.ChoiceField():
                return _choice(node, text, field)
        return text.strip()

    def _keys(self, model: Any, nodes: Any) -> list[int]:
        found, said = [], []
        is_broken = False
        for node in nodes:
            try:
                found.append(self._references.key_of(model, node.value))
            except Unknown as error:
                is_broken = True
                if (model, node.value) not in self._declared:
                    said.append((node.place, str(error)))
        if is_broken:
            raise _NotUnderstood(said)
        return found


def _model_of(field: Any) -> Any:
    return field.queryset.model


class _NotUnderstood(Exception):
    def __init__(self, said: list[tuple[Place, str]]) -> None:
        super().__init__()
        self.said = said


def _truth(node: Node, text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise _NotUnderstood([(node.place, f"“{text}” is neither true nor false; write one of them.")])


def _choice(node: Node, text: str, field: Any) -> str:
    """The value of a choice that is given by its value or by its words."""
    choices = {str(value): str(label) for value, label in field.choices if value not in (None, "")}
    for value, label in choices.items():
        if text.lower() in (value.lower(), label.lower()):
            return value
    # Numbers tell nobody anything; what they stand for does.
    words = [label.lower() if value.isdigit() else value for value, label in choices.items()]
    raise _NotUnderstood([(node.place, f"“{text}” is none of {', '.join(words)}.{alike(text.lower(), words)}")])


def _places(there: list[Any], sent: list[dict[str, Any]], parts: Parts, made: Callable[[], Any]) -> list[int]:
    """For each row of the file, its place in the formset: that of the row it stands for, or one after all these."""
    if parts.position:
        return list(range(len(sent)))
    free = {place: tuple(getattr(row, name) for name in parts.fields.values()) for place, row in enumerate(there)}
    at, new = [], len(there)
    for values in sent:
        form = parts.form(values, instance=made())
        form.is_valid()
        meant = tuple(form.cleaned_data.get(name) for name in parts.fields.values())
        if (place := next((place for place, has in free.items() if has == meant), None)) is not None:
            del free[place]
        else:
            place, new = new, new + 1
        at.append(place)
    return at
