"""No cell of a copy is calculated by the spreadsheet that opens it."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditlog import exports
from auditlog.actor import Actor
from auditlog.ledger import Subject
from auditlog.models import Event
from tests.auditlog.conftest import Append

DANGEROUS = [
    '=HYPERLINK("http://evil","x")',
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\tanything",
    "\ranything",
    "   =1",
    "\u00a0=1",
    "\u3000=1",
    "\u200b=1",
    "\ufeff=1",
    "\x00=1",
    "＝1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "﹦1",
]


@pytest.mark.parametrize("cell", DANGEROUS)
def test_a_cell_that_would_be_calculated_is_guarded(cell: str) -> None:
    assert exports.guarded(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Ada", "1", "a=b", "{}", "O'Neill", "שלום", "(=1)", "2026-11-20", " Ada", "…"])
def test_any_other_cell_is_left_as_it_is(cell: str) -> None:
    assert exports.guarded(cell) == cell


@given(st.text())
def test_a_guarded_cell_is_never_guarded_again(cell: str) -> None:
    assert exports.guarded(exports.guarded(cell)) == exports.guarded(cell)


@pytest.mark.parametrize("cell", [each for each in DANGEROUS if "\x00" not in each])
def test_no_cell_of_an_export_would_be_calculated(append: Append, cell: str) -> None:
    event = append(actor=Actor("person", "0a5c", cell), subject=Subject("request", cell), data={"account": cell})
    text = "".join(exports.stream(Event.objects.all(), event.number, exports.as_csv))
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert all(value == exports.guarded(value) for value in row.values())
    assert json.loads(row["canonical"])["actor_name"] == cell
