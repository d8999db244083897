"""Measures the inventory sync of a large organisation in the database that the settings name.

1,000 accounts, 750 permission sets, 100,000 users and 20,000 groups, and before that a tenth of it all; prints its
figures as one JSON list. AWS is a generator of pages here: what is measured is the portal, and the calls it makes.
"""

import json
import sys
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.core.management import call_command

from auditlog import clock
from auditlog.models import Event
from catalog import mirror, principals
from catalog.inventory import AccountRow, PermissionSetRow, PrincipalPage, PrincipalRow
from catalog.models import InventorySync, Principal

ACCOUNTS: Final = 1_000
PERMISSION_SETS: Final = 750
SIZES: Final = {"USER": 100_000, "GROUP": 20_000}
PAGE: Final = 100
PER_SET: Final = 4
LATER: Final = timedelta(minutes=10)
Row = tuple[str, str, str, bool | None]


@dataclass
class Organisation:
    """AWS with so many of everything, divided by `part`; counts the calls that it would have taken."""

    part: int = 1
    calls: int = field(default=0)

    def accounts(self) -> Iterator[AccountRow]:
        for number in range(ACCOUNTS // self.part):
            self.calls += number % PAGE == 0
            yield AccountRow(f"{number:012d}", f"Account {number}", "", f"Workloads/Unit {number % 20}", number == 0)

    def tags_of(self, account_id: str) -> Mapping[str, str] | None:
        self.calls += 1
        return {"owner": f"team-{int(account_id) % 50}"}

    def permission_set_arns(self) -> Iterator[str]:
        for number in range(PERMISSION_SETS // self.part):
            self.calls += number % PAGE == 0
            yield f"arn:aws:sso:::permissionSet/ssoins-{1:016x}/ps-{number:016x}"

    def permission_set(self, arn: str) -> PermissionSetRow | None:
        self.calls += PER_SET
        name = f"Set-{int(arn[-16:], 16)}"
        return PermissionSetRow(arn, name, "", timedelta(hours=1), ("arn:aws:iam::aws:policy/ReadOnlyAccess",), "")

    def principals(self, kind: str, position: str) -> PrincipalPage:
        self.calls += 1
        first, size = int(position or 0), SIZES[kind] // self.part
        after = min(first + PAGE, size)
        rows = (PrincipalRow(f"{kind}-{number:012d}", f"{kind.lower()}{number}") for number in range(first, after))
        return PrincipalPage(tuple(rows), str(after) if after < size else "")


def main() -> None:
    """Syncs a tenth, then the whole, then again at once, ten minutes and a day later; prints the rows as JSON."""
    call_command("migrate", verbosity=0, interactive=False)
    tracemalloc.start()
    _, a_tenth = _most_held(Organisation(part=10))
    InventorySync.objects.update(principals_at=None)
    whole, all_of_it = _most_held(Organisation())
    tracemalloc.stop()
    assert Principal.objects.count() == sum(SIZES.values())
    ratio = all_of_it / a_tenth
    figures: list[Row] = [
        ("first sync of 120,000 principals: AWS calls", str(whole.calls), "", None),
        (
            "most memory held in it, of that for a tenth",
            f"{all_of_it:.1f} MB ({ratio:.1f} times)",
            "≤ 32 MB",
            all_of_it <= 32,
        ),
    ]
    events = Event.objects.count()
    for what, later, forgets in (
        ("second sync, ten minutes later", LATER, False),
        ("all principals read anew, a day later", principals.ROUND_EVERY, True),
    ):
        if forgets:
            InventorySync.objects.update(principals_at=clock.now() - later)
        again, taken = _sync(Organisation())
        share = again.calls / whole.calls
        most = 0.5 if forgets else 0.01
        figures.append(
            (
                f"{what}: AWS calls of the first, events",
                f"{again.calls} ({share:.3f}), {Event.objects.count() - events} events, {taken:.1f} s",
                f"≤ {most:g}, none",
                share <= most and Event.objects.count() == events,
            )
        )
    sys.stdout.write(json.dumps(figures) + "\n")


def _sync(organisation: Organisation) -> tuple[Organisation, float]:
    began = time.perf_counter()
    done = mirror.sync(organisation)
    assert done is not None
    assert done.left == 0
    return organisation, time.perf_counter() - began


def _most_held(organisation: Organisation) -> tuple[Organisation, float]:
    """The organisation after its sync, and the most megabytes of objects that Python held for it at once."""
    tracemalloc.reset_peak()
    held, _ = tracemalloc.get_traced_memory()
    _sync(organisation)
    _, most = tracemalloc.get_traced_memory()
    return organisation, (most - held) / 2**20
