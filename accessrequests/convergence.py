"""Holds an assignment to what its grants want: claim it, do one step at AWS without a lock, record what came of it.

`converge` may be called as often as anyone likes, by anybody, at the same time, and after any crash.
"""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

import structlog
from django.db import connection, transaction
from django.db.models import F, Q

from accessrequests import due, grants, pace
from accessrequests.models import AccessRequest, Assignment, Grant
from accessrequests.provisioner import (
    AssignmentKey,
    Gone,
    NotDone,
    Progress,
    Provisioner,
    ProvisionerError,
    Refused,
    Report,
    Unclear,
)
from accessrequests.states import GrantStatus, Operation, Presence
from accessrequests.steps import Step, Wants, next_step
from auditlog import clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.history import attribute, latest_digest
from auditlog.ledger import Subject, record

log = structlog.get_logger(__name__)

WORKER: Final = Actor.system("convergence")
# Longer than any call may take (aws.session: 3 s to connect, 10 s to answer); after it another worker takes over.
LEASE: Final = timedelta(seconds=30)
SAFE_TO_CALL: Final = 10.0
POLL: Final = timedelta(seconds=1)
NOTHING_HEARD: Final[Mapping[str, Report]] = MappingProxyType({})
LONGEST_BACKOFF: Final = 60
MOST_STEPS: Final = 4
# The advisory lock under which operations in flight are counted; SQLite has one writer anyway.
COUNTING: Final = 0x6A697470
# Columns that only say when and by whom to look next; they change too often to be history.
SCHEDULING: Final = frozenset({"due_at", "attempts", "trouble"})


def watch(assignment_ids: Sequence[uuid.UUID], provisioner: Provisioner) -> Iterator[uuid.UUID]:
    """Sees how operations in flight are going, by one call a kind; yields each assignment when it has been seen to."""
    in_flight = Assignment.objects.filter(pk__in=assignment_ids).exclude(operation_id="")
    kinds = set(in_flight.values_list("operation", flat=True))
    heard: dict[str, Report] = {}
    try:
        for kind, ask in (
            (Operation.CREATE, provisioner.recent_creations),
            (Operation.DELETE, provisioner.recent_deletions),
        ):
            if kind in kinds:
                heard |= {report.operation_id: report for report in ask()}
    except ProvisionerError as error:
        log.warning("operations_not_listed", error=str(error))
        in_flight.update(due_at=clock.now() + POLL, attempts=F("attempts") + 1)
        return
    for assignment_id in assignment_ids:
        converge(assignment_id, provisioner, heard)
        yield assignment_id


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
        return
    claimed_at = time.monotonic()
    try:
        for _ in range(MOST_STEPS):
            if time.monotonic() - claimed_at > SAFE_TO_CALL:
                break
            if not _Turn(assignment_id, claim, provisioner, heard).take():
                break
    finally:
        Assignment.objects.filter(pk=assignment_id, claim=claim).update(claim=None, claimed_until=None)


class _Lost(Exception):
    """The claim ran out and somebody else has it: what we know is stale."""


class _Turn:
    """One step of one assignment under one claim."""

    def __init__(
        self, assignment_id: uuid.UUID, claim: uuid.UUID, provisioner: Provisioner, heard: Mapping[str, Report]
    ) -> None:
        self.assignment_id = assignment_id
        self.claim = claim
        self.provisioner = provisioner
        self.heard = heard

    def take(self) -> bool:
        """Does the step; True if another may follow at once."""
        try:
            return self._take()
        except _Lost:
            log.warning("claim_lost", assignment=str(self.assignment_id))
            return False

    def _take(self) -> bool:
        with transaction.atomic():
            assignment = self._locked()
            if assignment.operation and not assignment.operation_id:
                # Sent, or not, before a crash or a lost reply: nobody knows. Both calls can be repeated.
                self._save(assignment, operation=Operation.NONE, presence=Presence.UNKNOWN)
            step = next_step(assignment, self._wants(assignment))
            if step is Step.REST:
                self._save(assignment, due_at=None, trouble="", attempts=0)
            if step is Step.FINISH:
                self._finish(assignment)
        key = _key(assignment)
        if step is Step.WATCH:
            return self._watch(assignment)
        if step is Step.LOOK:
            return self._look(key)
        if step is Step.CREATE:
            return self._begin(key, Operation.CREATE)
        if step is Step.DELETE:
            return self._begin(key, Operation.DELETE)
        return step is Step.FINISH

    # What each step does at AWS, and what is recorded of it.

    def _watch(self, assignment: Assignment) -> bool:
        ask = (
            self.provisioner.creation_report
            if assignment.operation == Operation.CREATE
            else self.provisioner.deletion_report
        )
        report = self.heard.get(assignment.operation_id)
        try:
            # The list says that an operation failed, but not why.
            if report is None or report.progress is Progress.FAILED:
                report = ask(assignment.operation_id)
        except Gone:
            # AWS has forgotten the operation (it keeps them for days): find out from the assignment itself.
            with transaction.atomic():
                locked = self._locked()
                self._save(locked, operation=Operation.NONE, operation_id="", presence=Presence.UNKNOWN)
            return True
        except ProvisionerError as error:
            return self._put_off(error)
        if assignment.operation == Operation.DELETE and report.progress is Progress.FAILED:
            return self._failed_deletion(report, assignment)
        return self._settle(report)

    def _failed_deletion(self, report: Report, assignment: Assignment) -> bool:
        """AWS also says that a deletion failed when there was nothing to delete: what counts is whether it is there."""
        try:
            present = self.provisioner.is_assigned(_key(assignment))
        except Gone:
            present = False
        except ProvisionerError:
            present = True
        return self._settle(report if present else Report(report.operation_id, Progress.SUCCEEDED, report.reason))

    def _look(self, key: AssignmentKey) -> bool:
        """Asks AWS before a grant leans on the assignment: was it there before us, is it (still) there at all?"""
        if not self._room(Operation.CREATE):
            with transaction.atomic():
                return self._save(self._locked(), due_at=clock.now())
        try:
            self.provisioner.check_principal(key.principal_id)
            present = self.provisioner.is_assigned(key)
        except (NotDone, Unclear) as error:
            return self._put_off(error)
        except Refused as error:
            return self._refused(error, holds_nothing=True)
        with transaction.atomic():
            assignment, now = self._locked(), clock.now()
            waiting = self._grants(assignment, GrantStatus.WAITING)
            if not present:
                self._save(assignment, is_standing=False, presence=Presence.ABSENT)
                if not self._intend(assignment, Operation.CREATE):
                    return False
            elif not assignment.was_begun:
                found = not assignment.is_standing
                self._save(assignment, presence=Presence.PRESENT, is_standing=True, confirmed_at=now, trouble="")
                if found:
                    self._record(assignment, Action.ASSIGNMENT_STANDING_FOUND)
                grants.activate(waiting, actor=WORKER, now=now, reason="It was in AWS before; it will not be removed.")
            else:
                self._save(assignment, presence=Presence.PRESENT, confirmed_at=now, trouble="")
                grants.activate(waiting, actor=WORKER, now=now, reason="Another grant's assignment, confirmed.")
        return self._send(key, Operation.CREATE) if not present else True

    def _begin(self, key: AssignmentKey, operation: Operation) -> bool:
        if operation == Operation.CREATE:
            try:
                self.provisioner.check_principal(key.principal_id)
            except Refused as error:
                return self._refused_creation(key, error)
            except ProvisionerError as error:
                return self._put_off(error)
        with transaction.atomic():
            if not self._intend(self._locked(), operation):
                return False
        return self._send(key, operation)

    def _intend(self, assignment: Assignment, operation: Operation) -> bool:
        """Commits what is about to be asked of AWS, and with a creation the end of every grant that rides on it.

        False if AWS has no room for another operation: then it is due again at once, and taken when there is.
        """
        now = clock.now()
        if not self._room(operation, exactly=True):
            return self._save(assignment, due_at=now)
        changes: dict[str, Any] = {}
        if operation == Operation.CREATE:
            grants.begin_granting(self._grants(assignment, GrantStatus.WAITING), actor=WORKER, now=now)
            changes["was_begun"] = True
        self._save(
            assignment, operation=operation, operation_id="", operation_began_at=now, due_at=now + LEASE, **changes
        )
        return True

    def _send(self, key: AssignmentKey, operation: Operation) -> bool:
        call = self.provisioner.begin_creation if operation == Operation.CREATE else self.provisioner.begin_deletion
        try:
            report = call(key)
        except (NotDone, Unclear) as error:
            return self._put_off(error)
        except Gone as error:
            if operation == Operation.DELETE:
                return self._settle(Report("", Progress.SUCCEEDED, error.message))
            return self._refused_creation(key, error)
        except Refused as error:
            return (
                self._refused_creation(key, error)
                if operation == Operation.CREATE
                else self._refused(error, holds_nothing=False)
            )
        with transaction.atomic():
            assignment = self._locked()
            self._save(
                assignment,
                operation_id=report.operation_id,
                due_at=clock.now() + pace.expected(),
                trouble="",
                attempts=0,
            )
            sent = Action.ASSIGNMENT_CREATION_SENT if operation == Operation.CREATE else Action.ASSIGNMENT_DELETION_SENT
            self._record(assignment, sent, operation=report.operation_id)
        return self._settle(report) if report.progress is not Progress.IN_PROGRESS else False

    def _settle(self, report: Report) -> bool:
        """Records how an operation ended."""
        with transaction.atomic():
            assignment, now = self._locked(), clock.now()
            if report.progress is Progress.IN_PROGRESS:
                elapsed = now - (assignment.operation_began_at or now)
                pace.was_not_done(elapsed)
                return self._save(assignment, due_at=now + pace.again(elapsed))
            pace.was_done()
            creation = assignment.operation == Operation.CREATE
            done = {"operation": Operation.NONE, "operation_id": "", "due_at": now}
            if report.progress is Progress.SUCCEEDED:
                presence = Presence.PRESENT if creation else Presence.ABSENT
                self._save(
                    assignment, presence=presence, was_begun=creation, confirmed_at=now, trouble="", attempts=0, **done
                )
                self._record(
                    assignment,
                    Action.ASSIGNMENT_CREATION_CONFIRMED if creation else Action.ASSIGNMENT_DELETION_CONFIRMED,
                    operation=report.operation_id,
                    reason=report.reason,
                )
                if creation:
                    self._tell(assignment, "")
                    grants.activate(self._grants(assignment, GrantStatus.GRANTING), actor=WORKER, now=now)
                return True
            if creation:
                self._save(assignment, presence=Presence.ABSENT, was_begun=False, trouble=report.reason, **done)
                self._record(
                    assignment, Action.ASSIGNMENT_CREATION_FAILED, operation=report.operation_id, reason=report.reason
                )
                grants.fail(self._grants(assignment, GrantStatus.GRANTING), actor=WORKER, now=now, reason=report.reason)
                return True
            self._save(
                assignment, trouble=report.reason, **{**done, "presence": Presence.UNKNOWN, **self._later(assignment)}
            )
            self._record(
                assignment, Action.ASSIGNMENT_DELETION_FAILED, operation=report.operation_id, reason=report.reason
            )
            return False

    def _finish(self, assignment: Assignment) -> None:
        """Closes the grants that have nothing left to wait for."""
        now = clock.now()
        if self._wants(assignment).granting and assignment.presence == Presence.PRESENT:
            grants.activate(self._grants(assignment, GrantStatus.GRANTING), actor=WORKER, now=now)
        kept = ""
        if self._wants(assignment).live:
            kept = "Another grant still needs the assignment, so it stays in AWS."
        elif assignment.is_standing:
            kept = "The assignment was in AWS before, so it stays there."
        grants.finish(self._grants(assignment, GrantStatus.REVOKING), actor=WORKER, now=now, kept=kept)
        self._save(assignment, due_at=now)

    def _refused_creation(self, key: AssignmentKey, error: Refused) -> bool:
        """AWS refused this time, but an earlier call whose reply was lost may have gone through: look."""
        try:
            present = self.provisioner.is_assigned(key)
        except Gone:
            present = False
        except ProvisionerError as unknown:
            return self._put_off(unknown)
        if present:
            return self._settle(Report("", Progress.SUCCEEDED, error.message))
        return self._refused(error, holds_nothing=True)

    def _refused(self, error: Refused, *, holds_nothing: bool) -> bool:
        """A creation that AWS will never do fails once AWS is known to hold nothing; a revocation is tried for ever."""
        with transaction.atomic():
            assignment, now = self._locked(), clock.now()
            wanted = self._grants(assignment, GrantStatus.GRANTING, GrantStatus.WAITING)
            active = assignment.grants.filter(status=GrantStatus.ACTIVE).exists()
            if not wanted or active or not holds_nothing:
                self._save(assignment, operation=Operation.NONE, trouble=str(error), **self._later(assignment))
                return False
            nothing = {"operation": Operation.NONE, "presence": Presence.ABSENT, "was_begun": False}
            self._save(assignment, trouble=str(error), due_at=now, **nothing)
            self._record(assignment, Action.ASSIGNMENT_CREATION_FAILED, reason=str(error))
            grants.fail(wanted, actor=WORKER, now=now, reason=str(error))
        return True

    def _put_off(self, error: ProvisionerError) -> bool:
        """AWS did not do it now; what was intended is forgotten if it certainly did nothing, else looked into later."""
        with transaction.atomic():
            assignment = self._locked()
            changes = self._later(assignment)
            if assignment.operation and not assignment.operation_id:
                changes["operation"] = Operation.NONE
                if isinstance(error, Unclear):
                    changes["presence"] = Presence.UNKNOWN
            self._save(assignment, trouble=str(error), **changes)
            self._tell(assignment, str(error))
        log.warning("assignment_put_off", assignment=str(self.assignment_id), error=str(error))
        return False

    # Rows.

    def _locked(self) -> Assignment:
        rows = Assignment.objects.select_for_update(of=("self",)).select_related("permission_set", "account")
        assignment = rows.get(pk=self.assignment_id)
        if assignment.claim != self.claim:
            raise _Lost
        return assignment

    def _grants(self, assignment: Assignment, *statuses: GrantStatus) -> list[Grant]:
        """The grants in these states, locked after their requests."""
        chosen = assignment.grants.filter(status__in=statuses)
        list(AccessRequest.objects.select_for_update().filter(grants__in=chosen).order_by("pk").values_list("pk"))
        rows = chosen.select_for_update(of=("self",)).select_related(
            "request__requester", "request__permission_set", "account"
        )
        return list(rows.order_by("pk"))

    def _wants(self, assignment: Assignment) -> Wants:
        return Wants.of(list(assignment.grants.values_list("status", flat=True)))

    def _room(self, operation: Operation, *, exactly: bool = False) -> bool:
        """Whether AWS will take another operation; ours are counted in the rows, whichever worker began them.

        With `exactly`, in a transaction, nobody else counts until it is committed.
        """
        if exactly and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
        return due.room(operation) > 0

    def _later(self, assignment: Assignment) -> dict[str, Any]:
        seconds = min(0.5 * 2 ** min(assignment.attempts, 10), LONGEST_BACKOFF)
        return {"due_at": clock.now() + timedelta(seconds=seconds), "attempts": assignment.attempts + 1}

    def _tell(self, assignment: Assignment, trouble: str) -> None:
        """Says on the pages of the requests that wait for this assignment what keeps them waiting."""
        waiting = ("waiting", "granting")
        AccessRequest.objects.filter(grants__assignment=assignment, grants__status__in=waiting).update(trouble=trouble)

    def _save(self, assignment: Assignment, **changes: Any) -> bool:
        """Writes the changes, with a history row if they mean anything; always False: no further step follows."""
        for column, value in changes.items():
            setattr(assignment, column, value)
        if changes.keys() <= SCHEDULING:
            Assignment.objects.filter(pk=assignment.pk).update(**changes)
        else:
            attribute(assignment, WORKER)
            assignment.save()
        return False

    def _record(self, assignment: Assignment, action: Action, **data: Any) -> None:
        described = {
            "account": str(assignment.account),
            "permission_set": assignment.permission_set.name,
            "principal": assignment.principal_id,
            "requests": [str(pk) for pk in assignment.grants.values_list("request_id", flat=True)[:20]],
        }
        history = [latest_digest(assignment)]
        record(WORKER, action, Subject("assignment", str(assignment.pk)), {**described, **data, "history": history})


def _key(assignment: Assignment) -> AssignmentKey:
    return AssignmentKey(assignment.principal_id, assignment.permission_set.arn, assignment.account.account_id)
