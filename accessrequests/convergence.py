"""Holds an assignment to what its grants want: claim it, take turns at AWS without a lock, record what came of each.

`converge` may be called as often as anyone likes, by anybody, at the same time, and after any crash.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import structlog
from django.db.models import F, Q

from accessrequests import pace
from accessrequests.held import Held
from accessrequests.models import Assignment
from accessrequests.provisioner import Progress, Provisioner, ProvisionerError, Report
from accessrequests.states import Operation
from accessrequests.turn import Turn
from auditlog import clock

log = structlog.get_logger(__name__)

# Longer than any call may take (aws.session: 3 s to connect, 10 s to answer); after it another worker takes over.
LEASE: Final = timedelta(seconds=30)
SAFE_TO_CALL: Final = 10.0
WHILE_CLAIMED: Final = timedelta(seconds=0.25)
ASK_AGAIN: Final = timedelta(seconds=1)
MOST_TURNS: Final = 4
NOTHING_HEARD: Final[Mapping[str, Report]] = MappingProxyType({})


def converge(assignment_id: uuid.UUID, provisioner: Provisioner, heard: Mapping[str, Report] = NOTHING_HEARD) -> None:
    """Brings one assignment as far as it will go without waiting; what remains is due again at its time.

    Args:
        assignment_id: of which.
        provisioner: AWS.
        heard: what AWS has just said of operations, by their id; of others it is asked.
    """
    claim = uuid.uuid4()
    now = clock.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    if not Assignment.objects.filter(free, pk=assignment_id).update(claim=claim, claimed_until=now + LEASE):
        # Who has it may have read its rows before what we were called for.
        Assignment.objects.filter(pk=assignment_id, due_at__gt=now + WHILE_CLAIMED).update(due_at=now + WHILE_CLAIMED)
        return
    claimed_at = time.monotonic()
    turn = Turn(Held(assignment_id, claim), provisioner, heard, LEASE)
    try:
        for _ in range(MOST_TURNS):
            if time.monotonic() - claimed_at > SAFE_TO_CALL or not turn.take():
                break
    finally:
        Assignment.objects.filter(pk=assignment_id, claim=claim).update(claim=None, claimed_until=None)


def ask(assignment_ids: Sequence[uuid.UUID], provisioner: Provisioner) -> Mapping[str, Report] | None:
    """Asks AWS how operations in flight are going, by one call a kind; what `converge` is then to be told.

    None if AWS does not answer: then they are due again in a while. Those that are over take no room from now on,
    before what came of them is recorded: that takes longer.
    """
    in_flight = Assignment.objects.filter(pk__in=assignment_ids).exclude(operation_id="")
    began = {row[0]: row[1:] for row in in_flight.values_list("operation_id", "operation", "operation_began_at")}
    kinds = {kind for kind, _ in began.values()}
    heard: dict[str, Report] = {}
    try:
        if Operation.CREATE in kinds:
            heard |= {report.operation_id: report for report in provisioner.recent_creations()}
        if Operation.DELETE in kinds:
            heard |= {report.operation_id: report for report in provisioner.recent_deletions()}
    except ProvisionerError as error:
        log.warning("operations_not_listed", error=str(error))
        in_flight.update(due_at=clock.now() + ASK_AGAIN, attempts=F("attempts") + 1)
        return None
    now = clock.now()
    going_on = {pk for pk in began if pk in heard and heard[pk].progress is Progress.IN_PROGRESS}
    over = [pk for pk in began if pk in heard and pk not in going_on]
    in_flight.filter(operation_id__in=over).update(operation_over_at=now)
    pace.learn([now - at for pk, (_, at) in began.items() if pk in going_on and at])
    return heard
