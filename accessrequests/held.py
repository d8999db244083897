"""An assignment under a claim: its row, its grants, what is written and recorded of it. Nothing here calls AWS."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from accessrequests import queue
from accessrequests.grants import AWS_MAY_TAKE
from accessrequests.models import AccessRequest, Assignment, Grant
from accessrequests.states import GrantStatus, Operation, Presence
from accessrequests.steps import Wants
from auditlog import clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.history import attribute, latest_digest
from auditlog.ledger import Subject, record

WORKER: Final = Actor.system("convergence")
LONGEST_BACKOFF: Final = 60
# Columns that only say when and by whom to look next; they change too often to be history.
SCHEDULING: Final = frozenset({"due_at", "attempts", "trouble"})
# The advisory lock under which operations in flight are counted; SQLite has one writer anyway.
COUNTING: Final = 0x6A697470


class ClaimLost(Exception):
    """The claim ran out and somebody else has it: what we know is stale."""


class Held:
    """One assignment, as long as our claim on it lasts; every method but `room` wants a transaction around it."""

    def __init__(self, assignment_id: uuid.UUID, claim: uuid.UUID) -> None:
        self.assignment_id = assignment_id
        self._claim = claim

    def row(self) -> Assignment:
        """The row, locked.

        Raises:
            ClaimLost: it is not ours any more.
        """
        rows = Assignment.objects.select_for_update(of=("self",)).select_related("permission_set", "account")
        assignment = rows.get(pk=self.assignment_id)
        if assignment.claim != self._claim:
            raise ClaimLost
        return assignment

    def grants(self, *statuses: GrantStatus) -> list[Grant]:
        """The grants in these states, locked after their requests; before anything is recorded, or locks cross."""
        chosen = Grant.objects.filter(assignment_id=self.assignment_id, status__in=statuses)
        requests = AccessRequest.objects.filter(grants__in=chosen)
        list(requests.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
        rows = chosen.select_for_update(of=("self",))
        return list(rows.select_related("request__requester", "request__permission_set", "account").order_by("pk"))

    def wants(self, assignment: Assignment, now: datetime) -> Wants:
        """What its grants, and an admin who adopted it, want of it now."""
        grants = Grant.objects.filter(assignment_id=self.assignment_id).order_by()
        adopted = assignment.adopted_until is not None and assignment.adopted_until > now
        return Wants.of(list(grants.values_list("status", flat=True)), adopted=adopted)

    def room(self, operation: Operation, *, exactly: bool = False) -> bool:
        """Whether AWS will take another operation; ours are counted in the rows, whichever worker began them.

        With `exactly`, in a transaction, nobody else counts until it is committed.
        """
        if exactly and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
        return queue.room(operation, clock.now()) > 0

    def save(self, assignment: Assignment, **changes: Any) -> bool:
        """Writes the changes, with a history row if they mean anything; always False: no further step follows."""
        for column, value in changes.items():
            setattr(assignment, column, value)
        if changes.keys() <= SCHEDULING:
            Assignment.objects.filter(pk=assignment.pk).update(**changes)
        else:
            attribute(assignment, WORKER)
            assignment.save()
        return False

    def doubt(self, operation: Operation) -> None:
        """Something was asked of AWS under a claim that had run out: it may come true, whoever has the claim now."""
        row = Assignment.objects.select_for_update(of=("self",)).get(pk=self.assignment_id)
        now = clock.now()
        kind = "doubt_until" if operation == Operation.CREATE else "may_vanish_until"
        changes: dict[str, Any] = {kind: now + AWS_MAY_TAKE, "due_at": now}
        if operation == Operation.CREATE:
            changes["was_begun"] = True
        if not row.operation:
            changes["presence"] = Presence.UNKNOWN
        self.save(row, **changes)

    def put_off(self, assignment: Assignment, trouble: str, **changes: Any) -> bool:
        """Says what keeps it waiting, here and on its requests' pages, and looks again later, later each time."""
        seconds = min(0.5 * 2 ** min(assignment.attempts, 10), LONGEST_BACKOFF)
        later = clock.now() + timedelta(seconds=seconds)
        self.save(assignment, **{"due_at": later, "attempts": assignment.attempts + 1, "trouble": trouble, **changes})
        self.tell(trouble)
        return False

    def tell(self, trouble: str) -> None:
        """Says on the pages of the requests that wait for this assignment what keeps them waiting; locks them."""
        waiting = {grant.request_id for grant in self.grants(GrantStatus.WAITING, GrantStatus.GRANTING)}
        AccessRequest.objects.filter(pk__in=waiting).exclude(trouble=trouble).update(trouble=trouble)

    def record(self, assignment: Assignment, action: Action, **data: Any) -> None:
        """Appends an event of the assignment to the ledger."""
        self.record_about(Subject("assignment", str(assignment.pk)), assignment, action, **data)

    def record_about(self, subject: Subject, assignment: Assignment, action: Action, **data: Any) -> None:
        """Appends an event of what becomes of something else by the assignment."""
        grants = Grant.objects.filter(assignment=assignment).order_by("-request__submitted_at")
        requests = grants.values_list("request_id", "request__requester__name")[:20]
        described = {
            "account": str(assignment.account),
            "permission_set": assignment.permission_set.name,
            "principal": assignment.principal_id,
            "person": next((name for _, name in requests), ""),
            "requests": [str(pk) for pk, _ in requests],
        }
        history = [latest_digest(assignment)]
        record(WORKER, action, subject, {**described, **data, "history": history})


def forgotten(assignment: Assignment, now: datetime) -> dict[str, Any]:
    """The changes by which an operation is given up whose fate is not known: it may yet come true, for a while."""
    kind = "doubt_until" if assignment.operation == Operation.CREATE else "may_vanish_until"
    unknown = {"operation": Operation.NONE, "operation_id": "", "presence": Presence.UNKNOWN}
    return {**unknown, kind: now + AWS_MAY_TAKE}


def may_vanish(assignment: Assignment, now: datetime) -> bool:
    """Whether a deletion whose fate is not known may still come true: what AWS lists now may not last."""
    return assignment.may_vanish_until is not None and assignment.may_vanish_until > now


def in_doubt(assignment: Assignment, now: datetime) -> bool:
    """Whether a creation whose fate is not known may still come true."""
    return assignment.doubt_until is not None and assignment.doubt_until > now


def is_nobodys(assignment: Assignment, wants: Wants, now: datetime) -> bool:
    """Whether what we began is gone, wanted by nobody and in no doubt: what is found there later, others have made."""
    gone = assignment.presence == Presence.ABSENT and assignment.was_begun
    return gone and not wants.live and not in_doubt(assignment, now)
