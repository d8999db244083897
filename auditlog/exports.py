"""Copies of the ledger for people who trust neither the portal nor its administrators."""

import csv
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from django.db import transaction
from django.db.models import QuerySet

from auditlog import chain, checkpoints, ledger
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.ledger import Subject
from auditlog.models import Event

log = structlog.get_logger(__name__)

HEADER: Final = (*chain.COLUMNS, "hash", "canonical")

_BATCH: Final = 2000
_FORMULA: Final = "=+-@"


class Format(Protocol):
    """How a batch of rows becomes text."""

    def __call__(self, rows: Sequence[Sequence[str]], /) -> str: ...


@dataclass(frozen=True)
class Copy:
    """A copy that is about to leave: the number of its last event, and whether a checkpoint signs it to that."""

    up_to: int
    is_signed: bool


def begin(actor: Actor, filters: Mapping[str, str], suffix: str) -> Copy:
    """Records the export before its first byte leaves.

    A copy without filters is signed to its end at once, so that nothing in it rests on the portal's word. It ends with
    its own record, or with what came between that and the signature; one that ends before was cut short.
    """
    with transaction.atomic():
        up_to = ledger.next_number()
        data: dict[str, JSON] = {"filters": dict(filters), "format": suffix, "up_to": up_to}
        number = ledger.record(actor, Action.AUDIT_EXPORTED, Subject("audit", "ledger"), data).number
    return Copy(number, is_signed=False) if filters else _signed_from(number)


def _signed_from(number: int) -> Copy:
    """The copy to where the first signature from this event on stands; to the event where nothing can be signed."""
    try:
        checkpoints.make()
    except chain.Broken as broken:
        # A chain that does not hold is evidence: the copy leaves, and the verifier says what is wrong with it.
        log.error("export_not_signed", number=number, reason=str(broken))
    if covering := checkpoints.covering(number):
        return Copy(covering.number, is_signed=True)
    log.error("copy_not_signed", number=number)
    return Copy(number, is_signed=False)


def stream(matching: QuerySet[Event], up_to: int, written: Format) -> Iterator[str]:
    """The copy, oldest first, by the batch: bounded memory, and no transaction or cursor stays open."""
    if written is as_csv:
        # Without the mark in front, spreadsheets take UTF-8 for the code page of their country.
        yield "\ufeff" + as_csv([HEADER])
    last = 0
    while batch := list(matching.filter(number__gt=last, number__lte=up_to).order_by("number")[:_BATCH]):
        yield written([_row(event) for event in batch])
        last = batch[-1].number


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    """Rows for a spreadsheet."""
    lines = _Lines()
    csv.writer(lines).writerows([guarded(cell) for cell in row] for row in rows)
    return "".join(lines.written)


def as_jsonl(rows: Sequence[Sequence[str]]) -> str:
    """Rows for a program, as an object each."""
    return "".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in rows)


def guarded(cell: str) -> str:
    """The cell with an apostrophe before it when a spreadsheet might calculate it.

    Spreadsheets look past blanks and invisible characters, and take full-width signs for plain ones:
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if cell[:1] in ("\t", "\r", "\n"):
        return f"'{cell}"
    first = next((each for each in cell if not _is_invisible(each)), "")
    return f"'{cell}" if unicodedata.normalize("NFKC", first)[:1] in tuple(_FORMULA) else cell


def _is_invisible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def _row(event: Event) -> list[str]:
    return [*event.shown.values(), event.hash, event.canonical]


class _Lines:
    """Takes what csv writes."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, line: str) -> None:
        self.written.append(line)
