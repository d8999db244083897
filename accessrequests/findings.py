"""What an admin does about standing access that was found: adopt, remove or accept it. Each is one transaction."""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q

from accessrequests import standing
from accessrequests.models import Assignment, Finding
from accessrequests.refusals import Refused
from accessrequests.states import STANDING_FINDING, FindingStatus, Operation, Presence
from auditlog import clock
from auditlog.actions import Action
from auditlog.history import attribute
from auditlog.ledger import Subject, record
from catalog import people
from catalog.people import Identity, Person
from catalog.policy import Verdict

YES: Final = Verdict(True, "", "")
# Longer than this it would be standing access again.
LONGEST: Final = timedelta(days=366)

_WHICH: Final[dict[str, frozenset[str]]] = {
    "adopt": STANDING_FINDING | {FindingStatus.ADOPTED},
    "remove": STANDING_FINDING | {FindingStatus.ADOPTED},
    "accept": STANDING_FINDING,
}


def may_settle(person: Person, finding: Finding, verb: str) -> Verdict:
    """Whether this person may adopt, remove or accept this finding now."""
    if not person.is_active:
        return Verdict(False, person.why_inactive(), "people")
    if not person.is_admin:
        return Verdict(False, "Only admins settle findings.", "admin")
    if finding.status not in _WHICH[verb]:
        return Verdict(False, f"It is settled already: {finding.get_status_display().lower()}.", "state")
    if verb != "accept" and finding.principal_type == Finding.Principal.GROUP:
        return Verdict(
            False, "It is held by a group, which the portal neither gives nor takes; change it in AWS.", "groups"
        )
    if verb == "adopt" and person_of(finding) is None:
        return Verdict(False, "The portal does not know this person; have it removed, or accept it.", "people")
    if verb == "remove":
        return YES
    mine = [people.identity(row) for row in people.accounts_of(person)]
    return may_stay(finding, people.accounts_of(_holder(finding)), mine)


def may_stay(finding: Finding, holders: Iterable[Any], mine: Iterable[Identity]) -> Verdict:
    """Whether it may be adopted or accepted by whom the accounts `mine` are; `holders` are the rows of who holds it.

    Nobody prolongs their own access alone, and who is locked out or has left holds none.
    """
    if finding.principal_type != Finding.Principal.USER:
        return YES
    if any(people.is_same(_holder(finding), each) for each in mine):
        reason = "It is your own access: another admin must adopt or accept it. You may have it removed."
        return Verdict(False, reason, "own access")
    rows = list(holders)
    if out := next((row for row in rows if row.is_locked_out), None):
        return Verdict(False, f"{out.name} is locked out, and is to hold nothing; have it removed.", "people")
    if rows and not any(row.is_active for row in rows):
        return Verdict(False, f"{rows[0].name} has left, and is to hold nothing; have it removed.", "people")
    return YES


def _holder(finding: Finding) -> Identity:
    """Whom a finding is about, as AWS knows them: no row, but what rows are known by."""
    return Identity(0, "", finding.principal_name, finding.principal_name, finding.principal_id)


def person_of(finding: Finding) -> Any:
    """The portal's own person behind a finding, by Identity Center id or by user name; None if not known."""
    if finding.principal_type != Finding.Principal.USER:
        return None
    same = Q(principal_id=finding.principal_id)
    if finding.principal_name:
        same |= Q(principal_id="", user_name__iexact=finding.principal_name)
    return get_user_model().objects.filter(same).first()


def adopt(*, user_id: int, finding_id: uuid.UUID, until: datetime, reason: str) -> Finding:
    """Makes standing access ours until a moment, at which it is taken away like any other.

    Raises:
        Refused: not an admin, not adoptable, no reason, or an end that is not ahead; the refusal is recorded.
    """

    def do(person: Person, assignment: Assignment | None, finding: Finding, now: datetime) -> None:
        _demand(until > now, "The end must be ahead.", "end", "until")
        _demand(until <= now + LONGEST, "That is more than a year away.", "end", "until")
        _make_ours(person, assignment, finding, until, reason)
        _settle(person, finding, Action.FINDING_ADOPTED, FindingStatus.ADOPTED, reason, now, until=until)

    return _carry_out("adopt", user_id, finding_id, reason, do)


def remove(*, user_id: int, finding_id: uuid.UUID, reason: str) -> Finding:
    """Has standing access taken away now; a grant that leans on it keeps it until that ends.

    Raises:
        Refused: as for `adopt`.
    """

    def do(person: Person, assignment: Assignment | None, finding: Finding, now: datetime) -> None:
        _make_ours(person, assignment, finding, now, reason)
        _settle(person, finding, Action.FINDING_REMOVED, FindingStatus.REMOVING, reason, now, until=now)

    return _carry_out("remove", user_id, finding_id, reason, do)


def accept(*, user_id: int, finding_id: uuid.UUID, owner: str, review_at: datetime, reason: str) -> Finding:
    """Leaves standing access as it is, with somebody who answers for it, until a day on which it is open again.

    Raises:
        Refused: not an admin, settled already, no reason, no owner, or a day that is not ahead; it is recorded.
    """

    def do(person: Person, _assignment: Assignment | None, finding: Finding, now: datetime) -> None:
        _demand(bool(owner.strip()), "Say who answers for it.", "owner", "owner")
        _demand(review_at > now, "The day to look at it again must be ahead.", "review", "review_at")
        _demand(review_at <= now + LONGEST, "That is more than a year away.", "review", "review_at")
        changes = {"owner": owner.strip(), "review_at": review_at, "until": None}
        _settle(person, finding, Action.FINDING_ACCEPTED, FindingStatus.ACCEPTED, reason, now, **changes)

    return _carry_out("accept", user_id, finding_id, reason, do)


_Do = Callable[[Person, Assignment | None, Finding, datetime], None]


def _carry_out(verb: str, user_id: int, finding_id: uuid.UUID, reason: str, do: _Do) -> Finding:
    """Locks the assignment, then the finding; checks what all three verbs need; records a refusal."""
    finding = Finding.objects.select_related("account", "permission_set").get(pk=finding_id)
    try:
        with transaction.atomic():
            assignment = _key_of(finding).select_for_update().first()
            locked = Finding.objects.select_for_update(of=("self",)).select_related("account", "permission_set")
            finding = locked.get(pk=finding_id)
            person = people.load(user_id)
            if not (verdict := may_settle(person, finding, verb)):
                raise Refused(verdict)
            if assignment is None and _key_of(finding).exists():
                raise Refused(Verdict(False, "Something else began on this access just now; look again.", "state"))
            _demand(bool(reason.strip()), "Say why; it is recorded.", "reason", "reason")
            do(person, assignment, finding, clock.now())
    except Refused as refused:
        _record_refusal(people.load(user_id), verb, finding, refused)
        raise
    return finding


def _key_of(finding: Finding) -> Any:
    return Assignment.objects.filter(
        principal_id=finding.principal_id, permission_set_id=finding.permission_set_id, account_id=finding.account_id
    )


def _make_ours(person: Person, assignment: Assignment | None, finding: Finding, until: datetime, reason: str) -> None:
    """From here on convergence takes it away once nothing wants it and `until` has come."""
    row = assignment or Assignment(
        principal_id=finding.principal_id, permission_set=finding.permission_set, account=finding.account
    )
    is_ours = row.was_begun and not row.is_standing and row.presence != Presence.ABSENT
    if row.operation != Operation.NONE or (is_ours and row.adopted_until is None):
        raise Refused(Verdict(False, "The portal itself gives this access at present; look again later.", "leases"))
    row.is_standing, row.was_begun, row.adopted_until = False, True, until
    if not is_ours:
        row.presence, row.confirmed_at = Presence.PRESENT, finding.last_seen_at
    row.due_at, row.attempts = min(row.due_at or until, until), 0
    attribute(row, person.actor, reason)
    row.save()


def _settle(
    person: Person, finding: Finding, action: Action, status: FindingStatus, reason: str, now: datetime, **changes: Any
) -> None:
    settled = {"settled_by_id": person.user_id, "settled_at": now}
    finding.reason = reason.strip()
    standing.change(finding, action, person.actor, finding.reason, status=status, **settled, **changes)


def _demand(holds: bool, reason: str, rule: str, field: str) -> None:
    if not holds:
        raise Refused(Verdict(False, reason, rule, field))


def _record_refusal(person: Person, verb: str, finding: Finding, refused: Refused) -> None:
    """After the refused block has rolled back: the attempt itself is history."""
    reasons = {
        "verb": verb,
        "reason": str(refused),
        "rule": ", ".join(dict.fromkeys(refusal.rule for refusal in refused.refusals)),
    }
    with transaction.atomic():
        subject = Subject("finding", str(finding.pk))
        record(person.actor, Action.FINDING_REFUSED, subject, {**standing.described(finding), **reasons})
