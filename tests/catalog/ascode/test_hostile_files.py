"""A file that means harm, or is none, is refused before it can grow, at its line and column."""

from pathlib import Path

import pytest
from django.core.management.base import CommandError

from catalog.ascode import tree
from catalog.ascode.tree import Listing, Table, Text, Unreadable
from catalog.models import PermissionSet
from tests.catalog.ascode.conftest import Run
from tests.catalog.conftest import Catalog


def said(raw: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        tree.parse(raw)
    return str(refused.value)


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (n, n, n - 1, n - 1) for n in range(98, 122))
    assert said(bomb).startswith("1:4: Anchors and aliases")


def test_a_merge_key_has_nothing_to_merge() -> None:
    assert said(b"a: {b: 1}\nc:\n  <<: *a\n").startswith("3:7: Anchors and aliases")


@pytest.mark.parametrize("tag", [b"!!python/object/apply:os.system ['true']", b"!!binary aGk=", b"!x y", b"!!str 1"])
def test_no_tag_makes_anything(tag: bytes) -> None:
    assert said(b"a: " + tag).startswith("1:4: Tags")


@pytest.mark.parametrize("bracket", [b"[", b"{", b"- ", b"? "])
def test_what_is_nested_without_end_is_refused_at_its_thirteenth_level(bracket: bytes) -> None:
    assert "more than 12 levels deep" in said(bracket * 200_000)


@pytest.mark.parametrize("raw", [b'a: "x\\0"', b'"a\\0": x'])
def test_a_character_that_no_database_keeps_is_refused_at_its_line(raw: bytes) -> None:
    assert "NUL" in said(raw)


def test_a_file_of_more_than_2_mib_is_not_looked_at() -> None:
    assert said(b"[" * (tree.LARGEST + 1)) == "1:1: The file is larger than 2 MiB; split it."


def test_a_key_that_is_given_twice_is_refused_with_the_line_of_the_first() -> None:
    assert said(b"a: 1\nb: 2\na: 3\n") == "3:1: “a” stands at line 1 already; give it once."


def test_all_keys_that_are_given_twice_are_told_at_once() -> None:
    assert len(said(b"a: 1\na: 2\nb:\n  c: 1\n  c: 2\n").splitlines()) == 2


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"a: [1, 2\n", "2:1: This is not YAML"),
        (b"a: b: c\n", "1:5: This is not YAML"),
        (b"a: 1\n---\nb: 2\n", "2:1: A second document"),
        (b"? [a]\n: b\n", "1:3: A key is a text"),
        (b"a: 1\nb: \xff\n", "2:1: This is not UTF-8"),
        (b"a: 1\nb: \x07\n", "2:1: There is a character that YAML does not allow (U+0007)"),
        (b'a: "\\ud800"\n', "1:"),
    ],
)
def test_what_is_no_yaml_of_one_document_is_refused_at_its_place(raw: bytes, told: str) -> None:
    assert said(raw).startswith(told)


def test_values_stay_the_texts_that_were_written() -> None:
    read = tree.parse("\ufeffa: [no, 010, 1:30, 012345678901, '~', ~, 2026-11-20]\n".encode())
    assert isinstance(read, Table)
    (_, listing) = read.entries[0]
    assert isinstance(listing, Listing)
    texts = [item for item in listing.items if isinstance(item, Text)]
    assert [item.value for item in texts] == ["no", "010", "1:30", "012345678901", "~", "~", "2026-11-20"]
    assert [item.is_empty for item in texts] == [False, False, False, False, False, True, False]


def test_an_empty_file_is_an_empty_table() -> None:
    assert tree.parse(b"# nothing\n") == tree.parse(b"") == Table(tree.Place(), ())


POLICY = """policies:
  P:
    role: Production Support
    environment: Production
    permission_set: Support
    in_force: false
    longest_duration: 2h
    default_duration: 1h
"""
HIDING = r"\e[2J\u202e"


@pytest.mark.parametrize(
    "text",
    [
        f'"{HIDING}": 1\n',
        f'roles:\n  "{HIDING}gone": {{description: x}}\n',
        f'roles:\n  R: {{description: "{HIDING}x"}}\n',
        f'roles:\n  R: {{offered: "{HIDING}"}}\n',
        f'roles:\n  R: {{"{HIDING}": 1}}\n',
        f'environments:\n  E: {{sensitivity: "{HIDING}", accounts: ["{HIDING}"]}}\n',
        f'environments:\n  E: {{sensitivity: sandbox, slug: "{HIDING}"}}\n',
        f'environments:\n  E:\n    account_rules:\n      - organisational_unit: "{HIDING}x"\n',
        f'environments:\n  E:\n    account_rules:\n      - {{tag: "{HIDING}x", value: "{HIDING}y"}}\n',
        f'approver_groups:\n  A: {{directory_groups: ["{HIDING}"]}}\n',
        f'on_call_schedules:\n  A: {{time_zone: "{HIDING}", first_handover: "{HIDING}", turn: "{HIDING}"}}\n',
        f'{POLICY}    renamed_from: "{HIDING}"\n    automatic_up_to: "{HIDING}"\n',
        f'{POLICY}    departments: ["{HIDING}D"]\n',
        f'{POLICY}    account_tags: ["{HIDING}=1"]\n',
        f'{POLICY}    ticket_pattern: "a{HIDING}"\n',
        f'{POLICY}    ticket_pattern: "a\\u202e"\n',
    ],
)
def test_a_file_sends_nothing_to_the_terminal_that_it_acts_on(
    catalog: Catalog, run: Run, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "hiding.yaml"
    path.write_text(f"version: 1\n{text}", encoding="utf-8")
    with pytest.raises(CommandError) as refused:
        run("plan", str(path))
    assert not {"\x1b", "\u202e"} & set(str(refused.value)), repr(str(refused.value))


def test_nor_does_what_another_system_has_named(catalog: Catalog, run: Run, tmp_path: Path) -> None:
    PermissionSet.objects.filter(pk=catalog.permission_set.pk).update(name="Sup\x1b[2J\u202eport")
    path = tmp_path / "hiding.yaml"
    policy = POLICY.replace("Support\n    in_force", f"{catalog.permission_set.arn}\n    in_force")
    path.write_text(f"version: 1\n{policy}", encoding="utf-8")
    code, said = run("plan", str(path))
    assert (code, "permission_set: Sup[2Jport" in said) == (2, True), said
    assert not {"\x1b", "\u202e"} & set(said), repr(said)
