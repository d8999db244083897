"""A file that cannot be by its name is refused in one sentence, by whichever verb it was given to."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog.ascode import writer
from tests.catalog.ascode.conftest import Run
from tests.catalog.conftest import Catalog

LONG = "x" * 5000
NO_FILE = [("a\0b.yaml", "No file can have that name"), (LONG, "File name too long"), ("nowhere.yaml", "No such file")]


def refused(*arguments: str) -> str:
    """The one line in which it says no."""
    with pytest.raises(CommandError) as said:
        call_command(*arguments)
    (line,) = str(said.value).splitlines()
    assert len(line) < 300
    assert "\0" not in line
    return line


@pytest.mark.parametrize(("name", "why"), NO_FILE)
@pytest.mark.parametrize("more", [(), ("--as", "catalog.yaml")])
@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_no_file_is_read_by_such_a_name(
    db: None, tmp_path: Path, verb: str, more: tuple[str, ...], name: str, why: str
) -> None:
    assert why in refused("catalog", verb, str(tmp_path / name), *more)


@pytest.mark.parametrize(("name", "why"), NO_FILE[:2])
def test_none_is_written_by_such_a_name(catalog: Catalog, tmp_path: Path, name: str, why: str) -> None:
    assert why in refused("catalog", "export", "--out", str(tmp_path / name))


@pytest.mark.parametrize("name", ["y" * 120 + ".yaml", "cata\u200blog.yaml"])
def test_a_file_is_known_by_another_name_where_its_own_will_not_do(
    catalog: Catalog, tmp_path: Path, run: Run, name: str
) -> None:
    path = tmp_path / name
    path.write_text(writer.export(), encoding="utf-8")
    assert "--as" in refused("catalog", "plan", str(path))
    assert run("plan", str(path), "--as", "catalog.yaml")[0] in (0, 2)


@pytest.mark.parametrize("name", ["", LONG, "a\0b"])
def test_a_name_that_is_given_to_it_is_held_to_the_same(db: None, tmp_path: Path, name: str) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text("catalog: 1\n", encoding="utf-8")
    if name:
        assert "by --as" in refused("catalog", "plan", str(path), "--as", name)
    refused("catalog", "release", name, "--yes")
