"""A plan says what would change and who gains or loses what, and changes nothing."""

from pathlib import Path

import pytest
from django.core.management.base import CommandError

from auditlog.models import Event
from catalog.ascode import writer
from catalog.models import Role
from tests.catalog.ascode.conftest import HEAD, Run, applied, planned
from tests.catalog.conftest import Catalog, person


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "catalog.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_it_says_each_field_and_who_loses_what(catalog: Catalog, run: Run, tmp_path: Path) -> None:
    person("Ada", catalog.group.object_id)
    person("Chiara", catalog.group.object_id)
    text = writer.export().replace("longest_duration: 8h", "longest_duration: 2h")
    code, said = run("plan", written(tmp_path, text))
    assert code == 2
    assert "~ access policy “Payments support”\n    longest_duration: 8h → 2h\n" in said
    effect = "Production Support in Production, for 2 people: the longest duration is 2 hours instead of 8 hours"
    assert f"What it does to people:\n  {effect}, by “Payments support”.\n" in said


def test_it_says_who_gains_the_right_to_ask(catalog: Catalog, run: Run, tmp_path: Path) -> None:
    ben = person("Ben", "c0000000-0000-4000-8000-000000000001", department="Data")
    person("Chiara", catalog.group.object_id)
    text = writer.export().replace("    default_duration", f"    departments: [{ben.department}]\n    default_duration")
    _, said = run("plan", written(tmp_path, text))
    assert "Ben" in said.split("What it does to people:")[1]


def test_it_ends_with_0_where_nothing_would_change(catalog: Catalog, run: Run, tmp_path: Path) -> None:
    applied(writer.export())
    assert run("plan", written(tmp_path, writer.export())) == (0, "Nothing would change.\n")


def test_it_ends_with_an_error_that_names_the_file_line_and_column(catalog: Catalog, run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}roles: {{A: {{}}}}\n")
    with pytest.raises(CommandError) as refused:
        run("plan", path)
    assert refused.value.returncode == 1
    assert str(refused.value).startswith(f"{path}:2:9: role “A”, description: This field is required.")
    assert str(refused.value).endswith("1 to mend; nothing was changed.")


@pytest.mark.parametrize("missing", ["nothing.yaml", "."])
def test_a_file_that_cannot_be_opened_is_named(db: None, run: Run, tmp_path: Path, missing: str) -> None:
    with pytest.raises(CommandError, match=str(tmp_path)):
        run("plan", str(tmp_path / missing))


def test_it_changes_nothing(catalog: Catalog) -> None:
    events, versions = Event.objects.count(), Role.history.count()
    shown = planned(f"{HEAD}roles:\n  New:\n    description: x\n")
    assert [change.data["object"] for change in shown.changes] == ["New"]
    assert not Role.objects.filter(name="New").exists()
    assert (Event.objects.count(), Role.history.count()) == (events, versions)


def test_an_export_is_planned_as_no_change_and_names_all_that_it_would_lock(
    company: None, run: Run, tmp_path: Path
) -> None:
    code, said = run("plan", written(tmp_path, writer.export()))
    first, *named = said.partition("Nothing would change but who manages it.\n")[0].splitlines()
    assert (code, first) == (0, "= Managed by the file from then on and locked in the admin, else as before:")
    assert f"\n{len(named)} taken over.\n" in said
    assert {f"    role “{role.name}”" for role in Role.objects.all()} < set(named)
    assert said.endswith("Nobody gains or loses anything by it.\n")


def test_what_it_no_longer_names_is_said_to_be_open_to_the_admin_again(
    catalog: Catalog, run: Run, tmp_path: Path
) -> None:
    applied(f"{HEAD}roles:\n  New:\n    description: x\n")
    said = "= No longer managed by the file, and changed in the admin again, else as before:\n    role “New”\n"
    assert run("plan", written(tmp_path, HEAD)) == (
        0,
        f"{said}Nothing would change but who manages it.\n1 released.\nNobody gains or loses anything by it.\n",
    )
