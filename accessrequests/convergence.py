"""Holds an assignment to what its grants want: claim it, take turns at AWS without a lock, record what came of each.

`converge` may be called as often as anyone likes, by anybody, at the same time, and after any crash.
"""

import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F, Q

from accessrequests import pace
from accessrequests.held import Held
from accessrequests.models import Assignment
from accessrequests.provisioner import Progress, Provisioner, ProvisionerError, Refused, Report
from accessrequests.queue import DISPATCHED
from accessrequests.states import Operation
from accessrequests.turn import Turn
from auditlog import claims, clock

log = structlog.get_logger(__name__)

# Longer than any call may take (aws.session: 3 s to connect, 10 s to answer); after it another worker takes over.
LEASE: Final = timedelta(seconds=30)
SAFE_TO_CALL: Final = 10.0
WHILE_CLAIMED: Final = timedelta(seconds=0.25)
ASK_AGAIN: Final = timedelta(seconds=1)
MOST_TURNS: Final = 4
NOTHING_HEARD: Final[Mapping[str, Report]] = MappingProxyType({})


@dataclass(frozen=True)
class Heard:
    """What AWS has said: the assignments to see to now, and the reports by operation id."""

    assignments: list[uuid.UUID]
    reports: Mapping[str, Report]


def converge(assignment_id: uuid.UUID, provisioner: Provisioner, heard: Mapping[str, Report] = NOTHING_HEARD) -> None:
    """Brings one assignment as far as it will go without waiting; what remains is due again at its time.

    Args:
        assignment_id: of which.
        provisioner: AWS.
        heard: what AWS has just said of operations, by their id; of others it is asked.
    """
    row = Assignment.objects.filter(pk=assignment_id)
    claim = claims.take(row, LEASE)
    if not claim:
        # Who has it may have read its rows before what we were called for.
        soon = clock.now() + WHILE_CLAIMED
        row.filter(due_at__gt=soon).update(due_at=soon)
        return
    claimed_at = time.monotonic()
    turn = Turn(Held(assignment_id, claim), provisioner, heard, LEASE)
    try:
        for _ in range(MOST_TURNS):
            if time.monotonic() - claimed_at > SAFE_TO_CALL or not turn.take():
                break
    finally:
        claims.release(row, claim)


def ask(assignment_ids: Sequence[uuid.UUID], provisioner: Provisioner) -> Heard:
    """Asks AWS how operations in flight are going, by one call a kind; what `converge` is then to be told.

    Those that are over, asked about or not, take no room from now on, before what came of them is recorded: that takes
    longer, and is for whoever asked. Where AWS does not list a kind now, its operations are due again in a while; where
    it refuses to, each is asked about by itself.
    """
    unheard = Q(operation_over_at=None) | Q(pk__in=assignment_ids)
    rows = Assignment.objects.exclude(operation_id="").filter(unheard)
    columns = ("pk", "operation", "operation_id", "operation_began_at", "operation_over_at")
    in_flight = {row.pk: row for row in rows.only(*columns)}
    asked = [pk for pk in assignment_ids if pk in in_flight]
    reports: dict[str, Report] = {}
    away: set[str] = set()
    lists = {Operation.CREATE: provisioner.recent_creations, Operation.DELETE: provisioner.recent_deletions}
    for kind in {Operation(in_flight[pk].operation) for pk in asked}:
        try:
            reports |= {report.operation_id: report for report in lists[kind]()}
        except ProvisionerError as error:
            log.warning("operations_not_listed", kind=kind, error=str(error))
            if not isinstance(error, Refused):
                away.add(kind)
    now = clock.now()
    heard = {pk: reports[row.operation_id] for pk, row in in_flight.items() if row.operation_id in reports}
    over = {pk for pk, report in heard.items() if report.progress is not Progress.IN_PROGRESS}
    put_off = {pk for pk in asked if in_flight[pk].operation in away}
    _note(in_flight, over=over, put_off=put_off, now=now)
    since = {pk: now - (row.operation_began_at or now) for pk, row in in_flight.items()}
    first_heard = [since[pk] for pk in over if in_flight[pk].operation_over_at is None]
    pace.learn([since[pk] for pk in asked if pk in heard and pk not in over], first_heard)
    return Heard([pk for pk in dict.fromkeys([*assignment_ids, *over]) if pk not in put_off], reports)


def _note(
    in_flight: Mapping[uuid.UUID, Assignment],
    *,
    over: Collection[uuid.UUID],
    put_off: Collection[uuid.UUID],
    now: datetime,
) -> None:
    """Writes what was heard to the rows, locked in the order in which everybody locks them."""
    changed = sorted({*over, *put_off})
    with transaction.atomic():
        rows = Assignment.objects.select_for_update(of=("self",)).filter(pk__in=changed).order_by("pk")
        for row in rows.only("pk", "operation_id"):
            if row.operation_id != in_flight[row.pk].operation_id:
                continue
            same = Assignment.objects.filter(pk=row.pk)
            if row.pk in put_off:
                same.update(due_at=now + ASK_AGAIN, attempts=F("attempts") + 1)
            else:
                same.filter(operation_over_at=None).update(operation_over_at=now)
                same.update(due_at=now + DISPATCHED)
