"""Mirrors what AWS has, accounts and permission sets, into the catalog; what vanished is marked, never deleted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from auditlog import clock
from auditlog.actor import Actor
from catalog import changes
from catalog.models import Account, PermissionSet

INVENTORY: Final = Actor.system("inventory")


@dataclass(frozen=True)
class AccountRow:
    """An account as AWS has it."""

    account_id: str
    name: str
    email: str


@dataclass(frozen=True)
class PermissionSetRow:
    """A permission set as AWS has it."""

    arn: str
    name: str
    description: str
    session_duration: timedelta


class Inventory(Protocol):
    """Where the rows come from."""

    def accounts(self) -> Iterable[AccountRow]: ...

    def permission_sets(self) -> Iterable[PermissionSetRow]: ...


@dataclass(frozen=True)
class Result:
    """What a sync did: how many rows were new, changed, and marked as vanished."""

    new: int
    changed: int
    vanished: int


def sync(inventory: Inventory) -> Result:
    """Brings the catalog up to date with AWS; running it again changes nothing.

    Everything is read before anything is written: an inventory that breaks off half-way marks nothing as vanished.
    """
    account_rows, permission_set_rows = list(inventory.accounts()), list(inventory.permission_sets())
    now = clock.now()
    known_accounts = {row.account_id: row for row in Account.objects.all()}
    known_sets = {row.arn: row for row in PermissionSet.objects.all()}
    counts = {"new": 0, "changed": 0, "vanished": 0}
    for account in account_rows:
        row = known_accounts.pop(account.account_id, None) or Account(account_id=account.account_id)
        _write(row, {"name": account.name, "email": account.email, "vanished_at": None}, counts)
    for found in permission_set_rows:
        kept = known_sets.pop(found.arn, None) or PermissionSet(arn=found.arn)
        values = {"name": found.name, "description": found.description, "session_duration": found.session_duration}
        _write(kept, {**values, "vanished_at": None}, counts)
    gone: list[Account | PermissionSet] = [*known_accounts.values(), *known_sets.values()]
    for vanished in gone:
        _mark(vanished, now, counts)
    return Result(**counts)


def _write(row: Account | PermissionSet, values: dict[str, Any], counts: dict[str, int]) -> None:
    is_new = row.pk is None
    if not is_new and all(getattr(row, column) == value for column, value in values.items()):
        return
    for column, value in values.items():
        setattr(row, column, value)
    with changes.recorded(row, actor=INVENTORY, why="As AWS has it."):
        row.save()
    counts["new" if is_new else "changed"] += 1


def _mark(row: Account | PermissionSet, now: datetime, counts: dict[str, int]) -> None:
    if row.vanished_at is None:
        row.vanished_at = now
        with changes.recorded(row, actor=INVENTORY, why="AWS no longer lists it."):
            row.save()
        counts["vanished"] += 1
