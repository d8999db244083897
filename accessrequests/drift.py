"""Compares what AWS holds with what our rows say, a slice at a time: what is ours and gone is put back, what is there
and not ours becomes a finding. It never creates or deletes anything by itself: convergence does, after a due row.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from accessrequests import standing
from accessrequests.convergence import LEASE
from accessrequests.held import in_doubt
from accessrequests.models import AccessRequest, Assignment, Finding, Grant, ScanCursor
from accessrequests.provisioner import NotDone, Provisioner, ProvisionerError, Unclear
from accessrequests.standing import SCAN
from accessrequests.states import ADOPTED_FINDING, LIVE_GRANT, FindingStatus, Operation, Presence
from auditlog import claims, clock
from auditlog.actions import Action
from auditlog.history import attribute, latest_digest
from auditlog.ledger import Subject, record
from catalog.models import Account, PermissionSet, Principal
from catalog.names import showable

log = structlog.get_logger(__name__)

# One slice; the next begins five minutes later. At a quarter of 20 calls a second, a slice is 200 calls in 40 s.
MOST_CALLS: Final = 200
MOST_SECONDS: Final = 45.0
# AWS's page of assignments (service model of sso-admin): a call for each hundred.
PAGE: Final = 100
# A pair that AWS does not tell of is passed over in this round after so many slices, or the scan would end there.
MOST_ATTEMPTS: Final = 3

Holders = set[tuple[str, str]]


class _Lost(Exception):
    """Another scan has taken over: what this one has just read is not written."""


def scan(provisioner: Provisioner, most_calls: int = MOST_CALLS, most_seconds: float = MOST_SECONDS) -> None:
    """One slice: from where the last one stopped, or was stopped, to the end of the round or of the budget.

    Args:
        provisioner: AWS.
        most_calls: after so many calls no further pair is begun; the one that is begun is finished, with its
            second look. A slice sees one pair at least, or it would never get on.
        most_seconds: likewise.
    """
    now = clock.now()
    standing.reopen_due(now)
    standing.close_removed(now)
    standing.close_vanished(now)
    ScanCursor.objects.get_or_create(id=1)
    claim = claims.take(ScanCursor.objects.all(), LEASE)
    if not claim:
        return
    try:
        _Slice(provisioner, claim, most_calls, most_seconds).walk()
    except _Lost:
        log.warning("scan_taken_over")
    finally:
        claims.release(ScanCursor.objects.all(), claim)


def pairs(account_id: str = "", permission_set_arn: str = "") -> Iterator[tuple[Account, PermissionSet]]:
    """Every account and permission set that AWS lists, after the given position, in an order that never changes."""
    accounts = Account.objects.filter(vanished_at=None, account_id__gte=account_id).order_by("account_id")
    # Sorted here: databases disagree about the order of punctuation.
    sets = sorted(PermissionSet.objects.filter(vanished_at=None), key=lambda row: row.arn)
    for account in accounts:
        for permission_set in sets:
            if (account.account_id, permission_set.arn) > (account_id, permission_set_arn):
                yield account, permission_set


def pair_count() -> int:
    """How many pairs a round has."""
    return Account.objects.filter(vanished_at=None).count() * PermissionSet.objects.filter(vanished_at=None).count()


class _Slice:
    """One run of the scan under one claim, with its budget."""

    def __init__(self, provisioner: Provisioner, claim: uuid.UUID, most_calls: int, most_seconds: float) -> None:
        self.provisioner = provisioner
        self.claim = claim
        self.calls_left = most_calls
        self.until = time.monotonic() + most_seconds

    @property
    def is_spent(self) -> bool:
        return self.calls_left <= 0 or time.monotonic() > self.until

    def walk(self) -> None:
        cursor = ScanCursor.objects.get()
        if not cursor.account_id:
            self._move(started_at=clock.now(), seen=0, passed_over=0)
        for number, (account, permission_set) in enumerate(pairs(cursor.account_id, cursor.permission_set_arn)):
            if number and self.is_spent:
                return
            position = {"account_id": account.account_id, "permission_set_arn": permission_set.arn, "attempts": 0}
            try:
                self._see(account, permission_set, position)
            except ProvisionerError as error:
                if not self._pass_over(error, position):
                    return
        seen, passed_over = F("seen"), F("passed_over")
        self._move(
            account_id="",
            permission_set_arn="",
            finished_at=clock.now(),
            last_seen=seen,
            last_passed_over=passed_over,
            attempts=0,
        )

    def _pass_over(self, error: ProvisionerError, position: dict[str, Any]) -> bool:
        """What AWS will not tell is passed over and counted; what it could not tell now is asked again later first."""
        log.warning("pair_not_seen", error=str(error), account=position["account_id"])
        attempts = ScanCursor.objects.get().attempts + 1
        if isinstance(error, NotDone | Unclear) and attempts < MOST_ATTEMPTS:
            self._move(attempts=attempts, trouble=str(error))
            return False
        self._move(**position, passed_over=F("passed_over") + 1, trouble=str(error))
        return True

    def _move(self, **changes: Any) -> None:
        """Writes where the scan stands, and keeps the claim a little longer."""
        if not claims.keep(ScanCursor.objects.all(), self.claim, LEASE, **changes):
            raise _Lost

    def _see(self, account: Account, permission_set: PermissionSet, position: dict[str, Any]) -> None:
        """Compares one pair, and writes what came of it together with the new position."""
        holders = self._holders(account, permission_set)
        names = self._names(account, permission_set, holders)
        with _claimed(_surprises(account, permission_set, holders)) as claimed:
            if claimed:
                # A look is as old as the call took; those that would change a row look again while nobody acts on it.
                holders = self._holders(account, permission_set)
            with transaction.atomic():
                self._move(**position, seen=F("seen") + 1, trouble="")
                _Comparison(account, permission_set, holders, names, claimed, clock.now()).write()

    def _holders(self, account: Account, permission_set: PermissionSet) -> Holders:
        self.calls_left -= 1
        found = self.provisioner.assignments_of(account.account_id, permission_set.arn)
        self.calls_left -= (len(found) - 1) // PAGE if found else 0
        return set(found)

    def _names(self, account: Account, permission_set: PermissionSet, holders: Holders) -> dict[tuple[str, str], str]:
        """The names of holders that may be findings and are not named yet, as far as the budget goes."""
        known = Finding.objects.filter(account=account, permission_set=permission_set).exclude(principal_name="")
        named = set(known.values_list("principal_type", "principal_id"))
        ours = _rows(account, permission_set).filter(is_standing=False, was_begun=True)
        named |= {("USER", principal_id) for principal_id in ours.values_list("principal_id", flat=True)}
        names: dict[tuple[str, str], str] = {}
        for holder in sorted(holders - named):
            mirrored = Principal.objects.filter(kind=holder[0], principal_id=holder[1]).exclude(name="")
            met = Finding.objects.filter(principal_type=holder[0], principal_id=holder[1]).exclude(principal_name="")
            name = mirrored.values_list("name", flat=True).first()
            name = name or met.values_list("principal_name", flat=True).first()
            if name is None and not self.is_spent:
                self.calls_left -= 1
                name = self._name(holder)
            names[holder] = name or ""
        return names

    def _name(self, holder: tuple[str, str]) -> str:
        try:
            return showable(self.provisioner.principal_name(*holder))
        except ProvisionerError as error:
            # The name is for readers: without it the finding is as true.
            log.info("principal_not_named", principal=holder[1], error=str(error))
            return ""


def _rows(account: Account, permission_set: PermissionSet) -> Any:
    live = Grant.objects.filter(assignment=OuterRef("pk"), status__in=LIVE_GRANT)
    return Assignment.objects.filter(account=account, permission_set=permission_set).annotate(is_live=Exists(live))


def _is_ours(row: Any) -> bool:
    return row.is_live or (row.was_begun and not row.is_standing and row.presence != Presence.ABSENT)


def _may_come_true(row: Any, now: datetime) -> bool:
    """Whether AWS may yet do, or has just done, a lost creation of ours that nothing wants any more."""
    return bool(row.was_begun and not row.is_live and in_doubt(row, now))


def _is_surprising(row: Any, *, present: bool) -> bool:
    """Whether what AWS shows is not what the row says, so that the row would change, or somebody be named in it."""
    if present:
        return not (row.is_standing or _is_ours(row))
    return bool(row.is_standing or row.presence == Presence.PRESENT)


def _surprises(account: Account, permission_set: PermissionSet, holders: Holders) -> list[uuid.UUID]:
    idle = _rows(account, permission_set).filter(operation=Operation.NONE)
    settled = [row for row in idle if not _may_come_true(row, clock.now())]
    return [row.pk for row in settled if _is_surprising(row, present=("USER", row.principal_id) in holders)]


@contextmanager
def _claimed(assignment_ids: list[uuid.UUID]) -> Iterator[dict[uuid.UUID, uuid.UUID]]:
    """Claims assignments as convergence does, those that are free; each with its claim."""
    taken: dict[uuid.UUID, uuid.UUID] = {}
    try:
        for pk in assignment_ids:
            if claim := claims.take(Assignment.objects.filter(pk=pk, operation=Operation.NONE), LEASE):
                taken[pk] = claim
        yield taken
    finally:
        for pk, claim in taken.items():
            claims.release(Assignment.objects.filter(pk=pk), claim)


@dataclass(frozen=True)
class _Comparison:
    """What AWS holds of one pair beside our rows of it; written under the locks, in one transaction."""

    account: Account
    permission_set: PermissionSet
    holders: Holders
    names: dict[tuple[str, str], str]
    claimed: dict[uuid.UUID, uuid.UUID]
    now: datetime

    def write(self) -> None:
        """Locks assignments, then requests, then findings; then writes."""
        locked = Assignment.objects.filter(account=self.account, permission_set=self.permission_set)
        list(locked.select_for_update().order_by("pk").values_list("pk"))
        rows = {("USER", row.principal_id): row for row in _rows(self.account, self.permission_set)}
        leaning = AccessRequest.objects.filter(grants__assignment__in=self.claimed, grants__status__in=LIVE_GRANT)
        list(AccessRequest.objects.select_for_update().filter(pk__in=leaning.values("pk")).order_by("pk").values("pk"))
        findings = standing.locked(self.account, self.permission_set)
        for holder in sorted(self.holders | rows.keys() | findings.keys()):
            self._settle(holder, rows.get(holder), findings.get(holder))

    def _settle(self, holder: tuple[str, str], row: Any, finding: Finding | None) -> None:
        present = holder in self.holders
        is_surprising = row is not None and _is_surprising(row, present=present)
        if row is not None and (self._is_under_way(row) or (is_surprising and not self._is_certain(row))):
            # What is ours is under way, or has been since we looked: the next round sees what came of it.
            return
        if is_surprising and not present:
            self._gone(row)
        if present and (row is None or row.is_standing or not _is_ours(row)):
            if row is not None and row.was_begun:
                # Ours of old, gone since, and now made by somebody else: never to be deleted by us.
                row.was_begun = False
                attribute(row, SCAN, "Somebody else has made it.")
                row.save()
            name = self.names.get(holder, "")
            if finding is None:
                standing.opened(self.account, self.permission_set, *holder, name, self.now)
            else:
                standing.seen_again(finding, name, self.now)
        elif finding is not None and present and row.adopted_until is not None:
            standing.seen_again(finding, "", self.now)
        elif finding is not None:
            outcome = "It is the portal's own access now." if present else "AWS holds it no longer."
            is_removed = finding.status in ADOPTED_FINDING and not is_surprising
            standing.over(finding, outcome, self.now, FindingStatus.REMOVED if is_removed else FindingStatus.GONE)

    def _is_under_way(self, row: Any) -> bool:
        """An operation is in flight, may yet come true, or a grant has not found out yet what is there."""
        unsettled = row.is_live and row.presence != Presence.PRESENT
        return bool(row.operation or unsettled or _may_come_true(row, self.now))

    def _is_certain(self, row: Any) -> bool:
        """Whether we looked again under a claim, and still have it."""
        return row.claim is not None and self.claimed.get(row.pk) == row.claim and row.claimed_until > self.now

    def _gone(self, row: Any) -> None:
        """AWS holds it no longer: due now if a grant wants it, so that convergence puts it back; else only noted."""
        row.presence, row.is_standing, row.adopted_until = Presence.ABSENT, False, None
        row.was_begun = row.was_begun and row.is_live
        if row.is_live:
            row.due_at, row.attempts = self.now, 0
        attribute(row, SCAN, "AWS holds it no longer.")
        row.save()
        requests = (
            row.grants.filter(status__in=LIVE_GRANT)
            .order_by("pk")
            .values_list("request_id", "request__requester__name")
        )
        for request_id, person in requests:
            described = {
                "account": str(self.account),
                "permission_set": self.permission_set.name,
                "principal": row.principal_id,
                "person": person,
                "assignment": str(row.pk),
                "history": [latest_digest(row)],
            }
            record(SCAN, Action.ASSIGNMENT_DRIFT_FOUND, Subject("request", str(request_id)), described)
            log.warning("assignment_drift", request=str(request_id), assignment=str(row.pk))
