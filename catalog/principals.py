"""Mirrors the users and groups of IAM Identity Center, page by page: any number of them in the memory of one page.

They are names to ids and decide nothing, so they have no history: a round that found something different is one event.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from auditlog import clock
from auditlog.actions import Action
from auditlog.ledger import Subject, record
from catalog.inventory import INVENTORY, Inventory, PositionLost, PrincipalRow
from catalog.models import InventorySync, Principal
from catalog.names import showable

ROUND_EVERY: Final = timedelta(hours=24)
KINDS: Final = (Principal.Kind.USER, Principal.Kind.GROUP)
_LONGEST: Final = 256


def walk(inventory: Inventory, goes_on: Callable[[], bool]) -> None:
    """Reads on from where the last walk stopped, for as long as `goes_on`; a new round begins a day after the last.

    Raises:
        Exception: what the inventory raised; the next walk goes on with the same page.
    """
    row = InventorySync.objects.get()
    if not row.reading:
        if row.principals_at and row.principals_at > clock.now() - ROUND_EVERY:
            return
        row.reading, row.position, row.round, row.counts = KINDS[0], "", row.round + 1, {}
        _keep(row)
    while row.reading and goes_on():
        try:
            page = inventory.principals(row.reading, row.position)
        except PositionLost:
            if not row.position:
                raise
            row.position = ""
            _keep(row)
            continue
        with transaction.atomic():
            _add(row, _write(page.rows, row))
            row.position = page.following
            if not page.following:
                _end_kind(row, clock.now())
            _keep(row)


def _write(rows: Sequence[PrincipalRow], at: InventorySync) -> Counter[str]:
    """Writes what is new or different of one page; how many of which."""
    listed = {row.principal_id: row for row in rows}
    known = Principal.objects.in_bulk(list(listed))
    new: list[Principal] = []
    changed: list[Principal] = []
    for principal_id, row in listed.items():
        described = {"name": showable(row.name)[:_LONGEST], "is_enabled": row.is_enabled, "vanished_at": None}
        kept = known.get(principal_id)
        if kept is None:
            new.append(Principal(principal_id=principal_id, kind=at.reading, seen_in=at.round, **described))
        elif any(getattr(kept, column) != value for column, value in described.items()):
            for column, value in described.items():
                setattr(kept, column, value)
            changed.append(kept)
    Principal.objects.bulk_create(new)
    Principal.objects.bulk_update(changed, ["name", "is_enabled", "vanished_at"])
    Principal.objects.filter(pk__in=known).update(seen_in=at.round)
    return Counter({"listed": len(listed), "new": len(new), "changed": len(changed)})


def _end_kind(row: InventorySync, now: datetime) -> None:
    """Marks what this round has not listed, and goes on to the next kind or ends the round."""
    unseen = Principal.objects.filter(kind=row.reading, vanished_at=None).exclude(seen_in=row.round)
    _add(row, Counter({"vanished": unseen.update(vanished_at=now)}))
    following = KINDS.index(Principal.Kind(row.reading)) + 1
    if following < len(KINDS):
        row.reading = KINDS[following]
        return
    row.reading, row.principals_at = "", now
    counts = Counter(row.counts)
    if counts["new"] or counts["changed"] or counts["vanished"]:
        told = {name: counts[name] for name in ("listed", "new", "changed", "vanished")}
        record(INVENTORY, Action.INVENTORY_READ, Subject("inventory", "principals"), {**told})


def _add(row: InventorySync, found: Counter[str]) -> None:
    row.counts = dict(Counter(row.counts) + found)


def _keep(row: InventorySync) -> None:
    row.save(update_fields=["reading", "position", "round", "counts", "principals_at"])
