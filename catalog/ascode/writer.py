"""Writes a catalog as a file: always in the same order, and as short as it can be said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import yaml
from django import forms
from django.db.models import Manager, Model

from catalog import durations, names
from catalog.ascode.references import References
from catalog.ascode.sections import (
    DIRECTORY_GROUPS,
    ENVIRONMENTS,
    KEPT_OUT,
    SECTIONS,
    VERSION,
    Section,
    blank,
)
from catalog.models import Account

HEADING: Final = (
    "The catalog of roles, environments, approver groups and access policies.",
    "docs/catalog-as-code.md says what each key means; manage.py catalog plan says what this file would change.",
)
_WIDTH: Final = 110


@dataclass(frozen=True)
class Written:
    """One object as it is to stand in a file: its name, its keys, and lines that say where it comes from."""

    name: str
    body: Any
    comments: tuple[str, ...] = ()


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, and writes texts of several lines as such."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def export() -> str:
    """The whole catalog, as `reader` reads it back."""
    references = References()
    sections = {section.key: tuple(_rows(section, references)) for section in SECTIONS}
    kept_out = Account.objects.filter(environment=None, put_by=Account.PutBy.HAND).order_by("account_id")
    return written(sections, kept_out=list(kept_out.values_list("account_id", flat=True)))


def written(
    sections: Mapping[str, Iterable[Written]],
    kept_out: Sequence[str] = (),
    heading: Iterable[str] = HEADING,
    ending: Iterable[str] = (),
) -> str:
    """A file with these objects, section by section; empty sections are left out."""
    blocks = ["\n".join([*_comments(heading), f"version: {VERSION}"])]
    for key, objects in sections.items():
        texts = ["\n".join([*_comments(each.comments), _dumped({each.name: each.body})]) for each in objects]
        if texts:
            gap = "\n" if key == DIRECTORY_GROUPS.key else "\n\n"
            blocks.append(f"{key}:\n{_indented(gap.join(texts))}")
    if kept_out:
        blocks.append(_dumped({KEPT_OUT: list(kept_out)}))
    if last := list(_comments(ending)):
        blocks.append("\n".join(last))
    return "\n\n".join(blocks) + "\n"


def _comments(lines: Iterable[str]) -> list[str]:
    # What others have named could hold a line's end, and what follows it would be no comment.
    return [f"# {names.showable(line)}".rstrip() for line in lines]


def _dumped(value: Any) -> str:
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return str(text).rstrip("\n")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line.strip() else line for line in text.split("\n"))


def _rows(section: Section, references: References) -> Iterable[Written]:
    rows = sorted(section.model._default_manager.all(), key=lambda row: (row.name, row.pk))
    for row in rows:
        if section is DIRECTORY_GROUPS:
            name = references.name_of(row)
            yield Written(name, row.object_id if name == row.name else {"name": row.name, "object_id": row.object_id})
            continue
        body = _values(section.form, section.fields, row, references)
        for parts in section.parts:
            order = parts.position or "pk"
            link = _link(parts.model, section.model)
            rows_of = list(parts.model._default_manager.filter(**{link: row}).order_by(order))
            listed = [_values(parts.form, parts.fields, part, references) for part in rows_of]
            if not parts.position:
                listed.sort(key=str)
            if listed:
                body[parts.key] = listed
        if section is ENVIRONMENTS:
            by_hand = row.accounts.exclude(put_by=Account.PutBy.RULE).order_by("account_id")
            if ids := list(by_hand.values_list("account_id", flat=True)):
                body["accounts"] = ids
        yield Written(row.name, body or None)


def _link(part: Any, whole: Any) -> str:
    return str(next(field.name for field in part._meta.fields if field.related_model is whole))


def _values(form: Any, fields: Mapping[str, str], row: Any, references: References) -> dict[str, Any]:
    """What a file says of a row: every value that must be given, and each other that is not the default."""
    untouched = blank(form).instance
    said: dict[str, Any] = {}
    for key, name in fields.items():
        field = form.base_fields[name]
        value = _said(_shown(form, row, name), field, references)
        usual = _said(None if _is_many(field) else getattr(untouched, name, None), field, references)
        if field.required or value not in (None, usual):
            said[key] = value
    return {key: value for key, value in said.items() if value is not None}


def _shown(form: Any, row: Any, name: str) -> Any:
    """The value of a row, times by the clocks that the form shows."""
    value = getattr(row, name)
    return form(instance=row).fields[name].prepare_value(value) if isinstance(value, datetime) else value


def _is_many(field: forms.Field) -> bool:
    return isinstance(field, forms.ModelMultipleChoiceField)


def _said(value: Any, field: forms.Field, references: References) -> Any:
    if isinstance(field, forms.ModelMultipleChoiceField):
        return sorted(references.name_of(row) for row in value.all()) if isinstance(value, Manager) else []
    match value:
        case Model():
            return references.name_of(value)
        case timedelta():
            return durations.written(value)
        case datetime():
            return value.isoformat(timespec="auto" if value.second or value.microsecond else "minutes")
        case bool() | None:
            return value
        case int() if isinstance(field, forms.ChoiceField):
            return str(dict(_choices(field)).get(value, value)).lower()
        case int():
            return value
        case list():
            return [str(each) for each in value]
        case dict():
            return [f"{key}={each}" for key, each in sorted(value.items())]
        case _:
            return str(value)


def _choices(field: Any) -> Iterable[tuple[Any, Any]]:
    return [(value, label) for value, label in field.choices if not isinstance(label, list | tuple)]
