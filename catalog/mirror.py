"""Mirrors what AWS has into the catalog; what vanished is marked, never deleted.

The lists are short and read whole each time. Details cost a call or more for each row: those of what is new are read
first, then those that were read longest ago. Each is written as it is read, so a sync that is stopped goes on there.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction

from auditlog import claims, clock
from catalog import changes, joining, principals
from catalog.inventory import INVENTORY, Inventory
from catalog.models import AccessPolicy, Account, AccountRule, InventoryLook, InventorySync, PermissionSet

# Longer than any one question may take with all its waiting.
LEASE: Final = timedelta(minutes=5)
DETAILS_HOLD: Final = timedelta(hours=24)
TAGS_HOLD: Final = timedelta(hours=1)


class ListsNothing(Exception):
    """AWS listed no account, or no permission set: that is somebody else's organisation, or a fault."""


@dataclass
class Result:
    """What a sync did: rows that were new, changed, marked as vanished, or moved between environments by rules,
    and how many details were read and are still to be read."""

    new: int = 0
    changed: int = 0
    vanished: int = 0
    moved: int = 0
    looked_at: int = 0
    left: int = 0


def sync(inventory: Inventory, patience: timedelta | None = None) -> Result | None:
    """Brings the catalog up to date with AWS; None if another sync is at work. Running it again changes nothing.

    Args:
        inventory: AWS.
        patience: after how long to leave further details to the next sync; None: never.

    Raises:
        ListsNothing: nothing was changed.
        Exception: what the inventory raised; what was read before is kept, and nothing is marked as vanished for it.
    """
    with _claimed() as claim:
        return _Sync(inventory, claim, patience).run() if claim else None


@contextmanager
def _claimed() -> Iterator[uuid.UUID | None]:
    """The claim under which nobody else syncs, or None; how it went is written down at its end."""
    InventorySync.objects.get_or_create(pk=1)
    claim = claims.take(InventorySync.objects.all(), LEASE)
    if not claim:
        yield None
        return
    trouble = "It was interrupted."
    try:
        yield claim
        trouble = ""
    except Exception as error:
        trouble = str(error)
        raise
    finally:
        claims.release(InventorySync.objects.all(), claim, trouble=trouble)


def is_mirrored(row: Any) -> bool:
    """Whether the inventory has read this account or permission set: what AWS lists of it is written anew each time."""
    key = row.account_id if isinstance(row, Account) else row.arn
    return row.vanished_at is not None or InventoryLook.objects.filter(key=key).exists()


class _Sync:
    """One run under one claim."""

    def __init__(self, inventory: Inventory, claim: uuid.UUID, patience: timedelta | None) -> None:
        self._inventory = inventory
        self._claim = claim
        self._until = time.monotonic() + patience.total_seconds() if patience else float("inf")
        self._result = Result()

    def run(self) -> Result:
        accounts = {row.account_id: row for row in self._inventory.accounts()}
        arns = set(self._inventory.permission_set_arns())
        if not accounts or not arns:
            raise ListsNothing(
                f"AWS listed no {'permission set' if accounts else 'account'}. Look whether the settings name this "
                "organisation and its Identity Center instance."
            )
        known = {row.account_id: row for row in Account.objects.all()}
        for account_id, listed in accounts.items():
            row = known.pop(account_id, None) or Account(account_id=account_id)
            self._write(row, {**asdict(listed), "vanished_at": None})
        self._mark([*known.values(), *PermissionSet.objects.exclude(arn__in=arns)])
        self._look(set(accounts), arns)
        self._result.moved = len(joining.apply(self._tags_of))
        if not self._result.left:
            InventorySync.objects.filter(claim=self._claim).update(finished_at=clock.now())
            principals.walk(self._inventory, self._goes_on)
        return self._result

    def _tags_of(self, account_id: str) -> Mapping[str, str] | None:
        """An account's tags as they are now; None, too, when patience is over, and the next sync asks."""
        return self._inventory.tags_of(account_id) if self._goes_on() else None

    def _goes_on(self) -> bool:
        """Keeps the claim for another while, unless patience is over."""
        return time.monotonic() <= self._until and claims.keep(InventorySync.objects.all(), self._claim, LEASE)

    def _look(self, accounts: set[str], arns: set[str]) -> None:
        """Reads the details of what was not looked at lately, as far as patience goes."""
        now = clock.now()
        looks = dict(InventoryLook.objects.values_list("key", "at"))
        InventoryLook.objects.filter(key__in=looks.keys() - accounts - arns).delete()
        tags_hold = TAGS_HOLD if _tags_count() else DETAILS_HOLD
        due = [key for key in sorted(accounts) if looks.get(key, now) <= now - tags_hold]
        due += [key for key in sorted(arns) if looks.get(key, now) <= now - DETAILS_HOLD]
        due.sort(key=lambda key: looks[key])
        # Of permission sets first: without its details one cannot be named at all.
        unseen = [*sorted(arns - looks.keys()), *sorted(accounts - looks.keys())]
        for number, key in enumerate([*unseen, *due]):
            if not self._goes_on():
                self._result.left = len(unseen) + len(due) - number
                return
            self._read_account(key) if key in accounts else self._read_permission_set(key)
            InventoryLook.objects.update_or_create(key=key, defaults={"at": clock.now()})
            self._result.looked_at += 1

    def _read_account(self, account_id: str) -> None:
        tags = self._inventory.tags_of(account_id)
        if tags is not None:
            self._write(Account.objects.get(account_id=account_id), {"tags": dict(tags)})

    def _read_permission_set(self, arn: str) -> None:
        found = self._inventory.permission_set(arn)
        if found is not None:
            row = PermissionSet.objects.filter(arn=arn).first() or PermissionSet(arn=arn)
            self._write(row, {**asdict(found), "managed_policies": list(found.managed_policies), "vanished_at": None})

    def _write(self, row: Account | PermissionSet, values: dict[str, Any]) -> None:
        """Writes these columns and no others: an admin may change the row at the same moment."""
        if row.pk is None:
            for column, value in values.items():
                setattr(row, column, value)
            with changes.recorded(row, actor=INVENTORY, why="As AWS has it."):
                row.save()
            self._result.new += 1
        elif _differs(row, values):
            self._result.changed += _update(row, values, "As AWS has it.")

    def _mark(self, rows: list[Account | PermissionSet]) -> None:
        now = clock.now()
        for row in rows:
            if row.vanished_at is None:
                self._result.vanished += _update(row, {"vanished_at": now}, "AWS no longer lists it.")


def _update(row: Account | PermissionSet, values: dict[str, Any], why: str) -> bool:
    with transaction.atomic():
        locked = type(row)._default_manager.select_for_update(of=("self",), no_key=True).filter(pk=row.pk).first()
        if locked is None or not _differs(locked, values):
            return False
        for column, value in values.items():
            setattr(locked, column, value)
        with changes.recorded(locked, actor=INVENTORY, why=why):
            locked.save(update_fields=list(values))
    return True


def _differs(row: Any, values: dict[str, Any]) -> bool:
    return any(getattr(row, column) != value for column, value in values.items())


def _tags_count() -> bool:
    """Whether accounts join environments, or policies hold for them, by their tags: then none may wait for a day."""
    by_rules = AccountRule.objects.exclude(tag_key="")
    return by_rules.exists() or AccessPolicy.objects.filter(account_tags__isnull=False, is_in_force=True).exists()
