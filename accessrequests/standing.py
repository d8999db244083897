"""Findings of standing access as scans see them: opened, seen again, due for review, over. Nothing here asks AWS."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrequests.models import Assignment, Finding
from accessrequests.states import ADOPTED_FINDING, UNFINISHED_FINDING, FindingStatus, Operation, Presence
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.history import attribute, latest_digest
from auditlog.ledger import Subject, record
from catalog.models import Account, PermissionSet

SCAN: Final = Actor.system("scan")


def locked(account: Account, permission_set: PermissionSet) -> dict[tuple[str, str], Finding]:
    """The unfinished findings of a pair, locked, by principal; in a transaction, after any assignments."""
    rows = Finding.objects.filter(account=account, permission_set=permission_set, status__in=UNFINISHED_FINDING)
    chosen = rows.select_for_update(of=("self",)).select_related("account", "permission_set").order_by("pk")
    return {(row.principal_type, row.principal_id): row for row in chosen}


def opened(
    account: Account, permission_set: PermissionSet, principal_type: str, principal_id: str, name: str, now: datetime
) -> Finding:
    """Somebody holds something that is not ours and that we had not known of."""
    finding = Finding(
        principal_type=principal_type,
        principal_id=principal_id,
        principal_name=name,
        permission_set=permission_set,
        account=account,
        first_seen_at=now,
        last_seen_at=now,
    )
    change(finding, Action.FINDING_OPENED, SCAN, "")
    return finding


def seen_again(finding: Finding, name: str, now: datetime) -> None:
    """It is still there; its name may have become known."""
    Finding.objects.filter(pk=finding.pk).update(last_seen_at=now)
    if name and name != finding.principal_name:
        finding.principal_name, finding.last_seen_at = name, now
        attribute(finding, SCAN, "The name, as AWS has it.")
        finding.save()


def over(finding: Finding, outcome: str, now: datetime, status: FindingStatus = FindingStatus.GONE) -> None:
    """It is no longer standing access; `outcome` says why."""
    change(finding, Action.FINDING_RESOLVED, SCAN, outcome, status=status, outcome=outcome, closed_at=now)


def reopen_due(now: datetime) -> int:
    """Opens again what was accepted until a date that has come; how many."""
    due = Q(status=FindingStatus.ACCEPTED, review_at__lte=now)
    return _each(Finding.objects.filter(due), _reopen)


def _reopen(finding: Finding) -> None:
    reason = f"The day to look at it again has come; {finding.owner} answers for it."
    change(finding, Action.FINDING_REOPENED, SCAN, reason, status=FindingStatus.OPEN)


def close_removed(now: datetime) -> int:
    """Closes what was adopted or being removed and of which AWS has confirmed that it is gone; how many."""
    assignment = Assignment.objects.filter(
        principal_id=OuterRef("principal_id"), permission_set=OuterRef("permission_set"), account=OuterRef("account")
    )
    gone = assignment.filter(presence=Presence.ABSENT, operation=Operation.NONE)
    rows = Finding.objects.filter(Exists(gone), status__in=ADOPTED_FINDING)
    return _each(rows, lambda finding: over(finding, "AWS confirmed that it is gone.", now, FindingStatus.REMOVED))


def close_vanished(now: datetime) -> int:
    """Closes findings on what AWS itself no longer lists, as the inventory knows; how many."""
    vanished = Q(account__vanished_at__isnull=False) | Q(permission_set__vanished_at__isnull=False)
    rows = Finding.objects.filter(vanished, status__in=UNFINISHED_FINDING)
    return _each(rows, lambda finding: over(finding, "AWS no longer lists the account or the permission set.", now))


def _each(rows: QuerySet[Finding], do: Any) -> int:
    """Does it to each row that, once locked, is still one of them; each in a transaction of its own."""
    count = 0
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)[:500]):
        with transaction.atomic():
            related = rows.select_for_update(of=("self",)).select_related("account", "permission_set")
            if finding := related.filter(pk=pk).first():
                do(finding)
                count += 1
    return count


def change(finding: Finding, action: Action, actor: Actor, reason: str, **changes: Any) -> None:
    """Writes a finding, its version and its event; every change of what it says goes through here."""
    for column, value in changes.items():
        setattr(finding, column, value)
    attribute(finding, actor, reason)
    finding.save()
    data: dict[str, JSON] = {
        **described(finding),
        **_plain(changes.items()),
        "reason": reason,
        "history": [latest_digest(finding)],
    }
    record(actor, action, Subject("finding", str(finding.pk)), data)


def described(finding: Finding) -> dict[str, JSON]:
    """What a finding is about, in text: events outlive the rows that they speak of."""
    name = finding.principal_name
    return {
        "account": str(finding.account),
        "permission_set": finding.permission_set.name,
        "permission_set_arn": finding.permission_set.arn,
        "principal": f"{name} ({finding.principal_id})" if name else finding.principal_id,
        "principal_type": finding.principal_type,
    }


def _plain(items: Iterable[tuple[str, Any]]) -> dict[str, JSON]:
    return {name: value if isinstance(value, str | int | None) else str(value) for name, value in items}
