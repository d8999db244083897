"""What is exported is read back as it was, and says all that the admin can set."""

import re
from pathlib import Path

import pytest
from django.contrib import admin
from django.db.models import Model

from catalog.admin.base import CatalogAdmin
from catalog.ascode import writer
from catalog.ascode.sections import SECTIONS, Section, word_of
from catalog.models import (
    AccessPolicy,
    Account,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    PermissionSet,
    Role,
)
from tests.catalog.ascode.conftest import Run, applied, planned
from tests.catalog.conftest import Catalog, arn

DOCUMENTED = Path(__file__).parents[3] / "docs" / "catalog-as-code.md"
# AWS says what these are, and the inventory would undo what a file says of them. Where an account belongs is said
# by the environments of a file.
OF_AWS: tuple[type[Model], ...] = (Account, PermissionSet)


def example() -> str:
    """The example of the documentation."""
    found = re.search(r"```yaml\n(.*?)```", DOCUMENTED.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def emptied() -> None:
    """Leaves of the catalog what AWS has."""
    AccessPolicy.objects.all().delete()
    ApproverGroup.objects.all().delete()
    Account.objects.update(environment=None, put_by=None, managed_by_file=None)
    for model in (Role, Environment, DirectoryGroup):
        model.objects.all().delete()


def test_the_catalog_applied_to_itself_changes_nothing_but_who_manages_it(company: None) -> None:
    text = writer.export()
    shown = planned(text)
    assert {verb for verb, count in shown.counts.items() if count} == {"taken over"}
    assert not shown.effects
    applied(text)
    assert not planned(text).changes
    assert writer.export() == text


def test_a_catalog_that_was_made_by_a_file_is_exported_as_that_file(company: None) -> None:
    text = writer.export()
    emptied()
    applied(text)
    assert writer.export() == text
    assert not planned(text).changes


def test_every_key_of_the_documented_example_survives(company: None) -> None:
    emptied()
    applied(example())
    text = writer.export()
    assert not planned(example()).changes
    emptied()
    applied(text)
    assert writer.export() == text


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.key)
def test_the_documented_example_uses_every_key(section: Section) -> None:
    keys = {*section.keys, *(key for parts in section.parts for key in parts.fields)}
    assert [key for key in keys if not re.search(rf"^\s+(- )?{key}:", example(), re.MULTILINE)] == []


def test_a_file_says_all_that_the_admin_can_set() -> None:
    sections = {section.model: section for section in SECTIONS}
    for model, page in admin.site._registry.items():
        if not isinstance(page, CatalogAdmin) or model in OF_AWS:
            continue
        section = sections[model]
        settable = set(page.form.base_fields) - {"why", "seen", "name"}
        assert settable == set(section.fields.values()), model
        parts = {part.model: part for part in section.parts}
        for inline in page.inlines:
            part = parts[inline.model]
            given = {word_of(name) for name in inline.form.base_fields} - {word_of(part.position)}
            assert given == set(part.fields), inline.model


@pytest.mark.parametrize(
    "name",
    [
        "yes",
        "12345",
        "1h: 30m",
        "'quoted'",
        "- dash",
        "#hash",
        "null",
        "naïve Ærø 日本",
        "a: b",
        "{x}",
        "& co",
        "1e3",
        "=1",
    ],
)
def test_names_that_yaml_reads_otherwise_are_quoted(catalog: Catalog, name: str) -> None:
    Role.objects.update(name=name)
    text = writer.export()
    applied(text)
    assert Role.objects.get().name == name
    assert writer.export() == text


@pytest.mark.parametrize(
    "words",
    ["Two\nlines", "Two\r\nlines of a browser", "# no comment\n\n  indented", "a colon: and one:", "tab\tin it", "“”"],
)
def test_texts_of_several_lines_are_no_change(catalog: Catalog, words: str) -> None:
    Role.objects.update(description=words)
    text = writer.export()
    assert planned(text).counts["changed"] == 0
    applied(text)
    assert Role.objects.get().description == words


def test_two_groups_of_one_name_are_told_apart(catalog: Catalog) -> None:
    twin = DirectoryGroup.objects.create(object_id="b0000000-0000-4000-8000-000000000009", name="Payments engineers")
    catalog.policy.requestable_by.set([twin])
    text = writer.export()
    assert planned(text).counts["changed"] == 0
    applied(text)
    assert list(catalog.policy.requestable_by.all()) == [twin]


def test_two_permission_sets_of_one_name_are_told_apart_by_arn(catalog: Catalog) -> None:
    PermissionSet.objects.create(arn=arn(2), name="Support")
    text = writer.export()
    assert f"permission_set: {arn(1)}" in text
    assert planned(text).counts["changed"] == 0


def test_the_command_writes_what_it_prints(catalog: Catalog, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "catalog.yaml"
    run("export", "--out", str(out))
    assert (0, out.read_text(encoding="utf-8")) == run("export")
    assert out.read_text(encoding="utf-8") == writer.export()
