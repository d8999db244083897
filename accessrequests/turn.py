"""One step of one assignment: ask AWS, without a lock, and record what came of it."""

from collections.abc import Mapping
from typing import Any, Final

import structlog
from django.db import transaction

from accessrequests import grants, judging, pace
from accessrequests.held import WORKER, ClaimLost, Held, forgotten, in_doubt, is_nobodys, may_vanish
from accessrequests.models import Assignment, Grant
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
from auditlog.ledger import Subject
from catalog import people

log = structlog.get_logger(__name__)

OURS: Final = "Another grant's assignment, confirmed by AWS."
STANDING: Final = "It was in AWS before; it will not be removed."
STILL_NEEDED: Final = "Another grant still needs the assignment, so it stays in AWS."
STAYS: Final = "The assignment was in AWS before, so it stays there."


class Turn:
    """The steps of one assignment under one claim; `lease` is how long an answer from AWS is waited for."""

    def __init__(self, held: Held, provisioner: Provisioner, heard: Mapping[str, Report], lease: Any) -> None:
        self._held = held
        self._provisioner = provisioner
        self._heard = heard
        self._lease = lease

    def take(self) -> bool:
        """Does the next step; True if another may follow at once."""
        try:
            step, assignment, wants = self._choose()
            key = key_of(assignment)
            if step is Step.WATCH:
                return self._watch(assignment, key)
            if step is Step.LOOK:
                return self._look(key, wants)
            if step is Step.CREATE:
                return self._begin_creation(key)
            if step is Step.DELETE:
                return assignment.operation == Operation.DELETE and self._send(key, Operation.DELETE)
            return step is Step.FINISH
        except ClaimLost:
            log.warning("claim_lost", assignment=str(self._held.assignment_id))
            return False

    def _choose(self) -> tuple[Step, Assignment, Wants]:
        """The next step; those that need nothing of AWS are done at once."""
        with transaction.atomic():
            assignment, now = self._held.row(), clock.now()
            if assignment.operation and not assignment.operation_id:
                # Sent, or not, before a crash: nobody knows. Both calls can be repeated.
                self._held.save(assignment, **forgotten(assignment, now))
            wants = self._held.wants(assignment, now)
            step = next_step(assignment, wants)
            if step in (Step.FINISH, Step.REST) and is_nobodys(assignment, wants, now):
                # Whatever is found there later, somebody else has made.
                self._held.save(assignment, was_begun=False)
            if step is Step.REST:
                # What is in doubt is looked at once more when the doubt is over, what was adopted at its end.
                doubt = assignment.doubt_until if in_doubt(assignment, now) and assignment.was_begun else None
                moments = (doubt, assignment.adopted_until if wants.adopted else None)
                self._held.save(assignment, due_at=min(filter(None, moments), default=None), trouble="", attempts=0)
            if step is Step.FINISH:
                self._finish(assignment)
            if step is Step.DELETE:
                self._intend(assignment, Operation.DELETE)
        return step, assignment, wants

    def _finish(self, assignment: Assignment) -> None:
        """AWS is as the grants want it: closes those that waited for that."""
        now = clock.now()
        open_grants = self._held.grants(GrantStatus.GRANTING, GrantStatus.REVOKING)
        if assignment.presence == Presence.PRESENT:
            granting = [grant for grant in open_grants if grant.status == GrantStatus.GRANTING]
            if grants.activate(granting, actor=WORKER, now=now):
                return
        wants = self._held.wants(assignment, now)
        kept = STILL_NEEDED if wants.live else STAYS if assignment.is_standing else ""
        if not kept and wants.adopted and assignment.presence != Presence.ABSENT:
            kept = f"The assignment was in AWS before; an admin has set its end to {assignment.adopted_until:%d %b %Y}."
        revoking = [grant for grant in open_grants if grant.status == GrantStatus.REVOKING]
        grants.finish(revoking, actor=WORKER, now=now, kept=kept)
        self._held.save(assignment, due_at=now)

    # An operation is in flight.

    def _watch(self, assignment: Assignment, key: AssignmentKey) -> bool:
        creation = assignment.operation == Operation.CREATE
        report = self._heard.get(assignment.operation_id)
        try:
            # The list says that an operation failed, but not why.
            if report is None or report.progress is Progress.FAILED:
                ask = self._provisioner.creation_report if creation else self._provisioner.deletion_report
                report = ask(assignment.operation_id)
        except Gone:
            # AWS has forgotten the operation (it keeps them for days): find out from the assignment itself.
            with transaction.atomic():
                locked = self._held.row()
                self._held.save(locked, **forgotten(locked, clock.now()))
            return True
        except ProvisionerError as error:
            return self._put_off(error)
        if report.progress is Progress.FAILED:
            return self._creation_failed(key, report) if creation else self._deletion_failed(key, report)
        return self._settle(report)

    def _settle(self, report: Report) -> bool:
        """An operation is still going on, or has succeeded."""
        with transaction.atomic():
            assignment, now = self._held.row(), clock.now()
            if report.progress is Progress.IN_PROGRESS:
                began = assignment.operation_began_at or now
                return self._held.save(assignment, due_at=now + pace.again(now - began))
            if assignment.operation == Operation.CREATE:
                self._created(assignment, report)
                return True
            return self._deleted(assignment, report)

    def _created(self, assignment: Assignment, report: Report) -> None:
        now = clock.now()
        # Before anything is recorded, or locks cross.
        self._held.tell("")
        granting = self._held.grants(GrantStatus.GRANTING)
        self._held.save(
            assignment,
            presence=Presence.PRESENT,
            was_begun=True,
            may_vanish_until=None,
            confirmed_at=now,
            trouble="",
            attempts=0,
            **_over(now),
        )
        said = {"operation": report.operation_id, "reason": report.reason}
        self._held.record(assignment, Action.ASSIGNMENT_CREATION_CONFIRMED, **said)
        self._put_back(assignment)
        grants.activate(granting, actor=WORKER, now=now)

    def _put_back(self, assignment: Assignment) -> None:
        """Grants that were active had lost the assignment meanwhile: their requests are told that it is there again."""
        for request_id in assignment.grants.filter(status=GrantStatus.ACTIVE).values_list("request_id", flat=True):
            self._held.record_about(Subject("request", str(request_id)), assignment, Action.ASSIGNMENT_DRIFT_REPAIRED)

    def _deleted(self, assignment: Assignment, report: Report) -> bool:
        now = clock.now()
        # Should a lost creation come true yet, it is ours, and is deleted once more.
        doubt = in_doubt(assignment, now)
        presence = Presence.UNKNOWN if doubt else Presence.ABSENT
        revoking = self._held.grants(GrantStatus.REVOKING)
        self._held.save(
            assignment,
            presence=presence,
            was_begun=doubt,
            adopted_until=None,
            confirmed_at=now,
            trouble="",
            attempts=0,
            **_over(now),
        )
        said = {"operation": report.operation_id, "reason": report.reason}
        self._held.record(assignment, Action.ASSIGNMENT_DELETION_CONFIRMED, **said)
        grants.finish(revoking, actor=WORKER, now=now)
        if doubt and not self._held.wants(assignment, now).live:
            return self._held.save(assignment, due_at=assignment.doubt_until)
        return True

    def _deletion_failed(self, key: AssignmentKey, report: Report) -> bool:
        """AWS also says that a deletion failed when there was nothing to delete: what counts is whether it is there."""
        if self._is_there(key) is False:
            return self._settle(Report(report.operation_id, Progress.SUCCEEDED, report.reason))
        with transaction.atomic():
            assignment = self._held.row()
            unknown = {"operation": Operation.NONE, "operation_id": "", "presence": Presence.UNKNOWN}
            self._held.put_off(assignment, report.reason, **unknown)
            said = {"operation": report.operation_id, "reason": report.reason}
            self._held.record(assignment, Action.ASSIGNMENT_DELETION_FAILED, **said)
        return False

    # A grant wants to lean on it, or it is to be created.

    def _look(self, key: AssignmentKey, wants: Wants) -> bool:
        """Asks AWS before a grant leans on the assignment: was it there before us, is it (still) there at all?"""
        if wants.revoking and not (wants.granting or wants.active):
            # An end waits for this: not behind creations, nor behind somebody who may no longer begin.
            with transaction.atomic():
                assignment = self._held.row()
                if self._refuse_start(self._held.grants(GrantStatus.WAITING)):
                    self._held.save(assignment, due_at=clock.now())
                    return True
        elif not self._held.room(Operation.CREATE):
            with transaction.atomic():
                return self._held.save(self._held.row(), due_at=clock.now())
        try:
            self._provisioner.check_principal(key.principal_id)
            present = self._provisioner.is_assigned(key)
        except (NotDone, Unclear) as error:
            return self._put_off(error)
        except Refused as error:
            return self._look_refused(error)
        with transaction.atomic():
            assignment, now = self._held.row(), clock.now()
            # Both at once, for the requests of both may be told how it goes.
            held = self._held.grants(GrantStatus.WAITING, GrantStatus.GRANTING)
            waiting = [grant for grant in held if grant.status == GrantStatus.WAITING]
            if not waiting or self._refuse_start(waiting):
                # What was recorded is committed by itself: nobody counts operations after that, or locks cross.
                self._held.save(assignment, due_at=now)
                return True
            if present and not may_vanish(assignment, now):
                self._lean(assignment, waiting)
                return True
            # What is not there may still come with a lost creation; what is there may go with a lost deletion.
            unsure = present or in_doubt(assignment, now)
            presence = Presence.UNKNOWN if unsure else Presence.ABSENT
            self._held.save(assignment, is_standing=False, adopted_until=None, presence=presence)
            if not self._intend(assignment, Operation.CREATE):
                return False
        return self._send(key, Operation.CREATE)

    def _refuse_start(self, waiting: list[Grant]) -> bool:
        """Fails those that may not begin any more: a wait can be long, and eligibility is judged when access begins."""
        now = clock.now()
        verdicts = [
            (grant, judging.judge_again(people.load(grant.request.requester_id), grant.request, now))
            for grant in waiting
        ]
        for grant, verdict in verdicts:
            if not verdict:
                grants.fail([grant], actor=WORKER, now=now, reason=verdict.in_full)
        return not all(verdict for _, verdict in verdicts)

    def _lean(self, assignment: Assignment, waiting: list[Grant]) -> None:
        """It is in AWS: ours, if we have begun it; else it was there before us and stays."""
        now = clock.now()
        known = assignment.is_standing
        standing = not assignment.was_begun
        changes: dict[str, Any] = {"presence": Presence.PRESENT, "is_standing": standing, "trouble": ""}
        if standing:
            changes["adopted_until"] = None
        self._held.tell("")
        self._held.save(assignment, confirmed_at=now, **changes)
        if standing and not known:
            self._held.record(assignment, Action.ASSIGNMENT_STANDING_FOUND)
        grants.activate(waiting, actor=WORKER, now=now, reason=STANDING if standing else OURS)

    def _look_refused(self, error: Refused) -> bool:
        """What AWS holds is not known, and nothing was asked for those that wait: they fail, all else goes on."""
        with transaction.atomic():
            assignment, now = self._held.row(), clock.now()
            waiting = self._held.grants(GrantStatus.WAITING)
            self._held.save(assignment, trouble=str(error), due_at=now)
            self._held.record(assignment, Action.ASSIGNMENT_CREATION_FAILED, reason=str(error))
            grants.fail(waiting, actor=WORKER, now=now, reason=str(error))
        return True

    def _begin_creation(self, key: AssignmentKey) -> bool:
        try:
            self._provisioner.check_principal(key.principal_id)
        except Refused as error:
            return self._creation_failed(key, Report("", Progress.FAILED, str(error)))
        except ProvisionerError as error:
            return self._put_off(error)
        with transaction.atomic():
            assignment, now = self._held.row(), clock.now()
            # What was wanted may have changed while AWS was asked about the principal.
            if next_step(assignment, self._held.wants(assignment, now)) is not Step.CREATE:
                self._held.save(assignment, due_at=now)
                return True
            if not self._intend(assignment, Operation.CREATE):
                return False
        return self._send(key, Operation.CREATE)

    def _creation_failed(self, key: AssignmentKey, report: Report) -> bool:
        """A creation that AWS will not do fails, once AWS is known to hold nothing and nothing can yet come true."""
        present = self._is_there(key)
        with transaction.atomic():
            assignment, now = self._held.row(), clock.now()
            if present and not may_vanish(assignment, now):
                self._created(assignment, report)
                return True
            nothing = {"operation": Operation.NONE, "operation_id": ""}
            if present is None:
                return self._held.put_off(assignment, report.reason, **nothing, presence=Presence.UNKNOWN)
            if in_doubt(assignment, now) or may_vanish(assignment, now):
                moments = (assignment.doubt_until, assignment.may_vanish_until)
                later = max(moment for moment in moments if moment is not None)
                return self._held.put_off(assignment, report.reason, **nothing, due_at=later)
            granting = self._held.grants(GrantStatus.GRANTING, GrantStatus.WAITING)
            absent = {"presence": Presence.ABSENT, "was_begun": False, "attempts": 0, "due_at": now}
            if not granting:
                # An active grant's assignment that cannot be put back; it goes on being tried.
                return self._held.put_off(assignment, report.reason, **nothing, presence=Presence.ABSENT)
            self._held.save(assignment, trouble=report.reason, **nothing, **absent)
            said = {"operation": report.operation_id, "reason": report.reason}
            self._held.record(assignment, Action.ASSIGNMENT_CREATION_FAILED, **said)
            grants.fail(granting, actor=WORKER, now=now, reason=report.reason)
        return True

    # Something is asked of AWS.

    def _intend(self, assignment: Assignment, operation: Operation) -> bool:
        """Commits what is about to be asked of AWS, and with a creation the end of every grant that rides on it.

        False if AWS has no room for another operation: then it is due again at once, and taken when there is.
        """
        now = clock.now()
        waiting = self._held.grants(GrantStatus.WAITING) if operation == Operation.CREATE else []
        if not self._held.room(operation, exactly=True):
            return self._held.save(assignment, due_at=now)
        changes: dict[str, Any] = {}
        if operation == Operation.CREATE:
            grants.begin_granting(waiting, actor=WORKER, now=now)
            changes["was_begun"] = True
        intent = {"operation": operation, "operation_id": "", "operation_began_at": now, "operation_over_at": None}
        intent["claimed_until"] = now + self._lease
        self._held.save(assignment, **intent, **changes, due_at=now + self._lease)
        return True

    def _send(self, key: AssignmentKey, operation: Operation) -> bool:
        creation = operation == Operation.CREATE
        try:
            report = (self._provisioner.begin_creation if creation else self._provisioner.begin_deletion)(key)
        except (NotDone, Unclear) as error:
            return self._put_off(error)
        except Refused as error:
            if creation:
                return self._creation_failed(key, Report("", Progress.FAILED, str(error)))
            if isinstance(error, Gone):
                return self._settle(Report("", Progress.SUCCEEDED, error.message))
            return self._put_off(error)
        with transaction.atomic():
            try:
                assignment = self._held.row()
            except ClaimLost:
                self._held.doubt(operation)
                return False
            # From now on AWS works on it: what went before, such as the wait for a place in the budget, taught nothing.
            began = clock.now()
            sent = {"operation_id": report.operation_id, "operation_began_at": began, "due_at": began + pace.expected()}
            self._held.save(assignment, **sent, trouble="", attempts=0)
            action = Action.ASSIGNMENT_CREATION_SENT if creation else Action.ASSIGNMENT_DELETION_SENT
            self._held.record(assignment, action, operation=report.operation_id)
        return self._watch(assignment, key) if report.progress is not Progress.IN_PROGRESS else False

    def _put_off(self, error: ProvisionerError) -> bool:
        """AWS did not do it now: what it certainly did not do is taken back, what it may have done is in doubt."""
        with transaction.atomic():
            assignment, now = self._held.row(), clock.now()
            changes: dict[str, Any] = {}
            if assignment.operation and not assignment.operation_id:
                if isinstance(error, Unclear):
                    changes = forgotten(assignment, now)
                else:
                    changes = {"operation": Operation.NONE}
                    if assignment.operation == Operation.CREATE and assignment.presence == Presence.ABSENT:
                        changes["was_begun"] = in_doubt(assignment, now)
            self._held.put_off(assignment, str(error), **changes)
        log.warning("assignment_put_off", assignment=str(self._held.assignment_id), error=str(error))
        return False

    def _is_there(self, key: AssignmentKey) -> bool | None:
        """Whether AWS lists it; None if that cannot be found out."""
        try:
            return self._provisioner.is_assigned(key)
        except Gone:
            return False
        except ProvisionerError:
            return None


def key_of(assignment: Assignment) -> AssignmentKey:
    """The assignment as AWS names it."""
    return AssignmentKey(assignment.principal_id, assignment.permission_set.arn, assignment.account.account_id)


def _over(now: Any) -> dict[str, Any]:
    return {"operation": Operation.NONE, "operation_id": "", "due_at": now}
