"""What the page of findings shows, read in a fixed number of queries however many there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower

from accessrequests import drift, findings
from accessrequests.models import Assignment, Finding, ScanCursor
from accessrequests.states import ADOPTED_FINDING, UNFINISHED_FINDING
from auditlog import clock
from catalog.models import Account, Environment
from catalog.people import Identity


@dataclass(frozen=True)
class ShownFinding:
    """A finding, the portal's own person behind it, and its assignment if it is ours or was leant on.

    `why_removed` is why the reader may have it removed and nothing else, as `findings.may_stay` has it.
    """

    row: Finding
    person: Any
    assignment: Assignment | None
    why_removed: str = ""

    @property
    def who(self) -> str:
        """The best name there is."""
        return str(self.person) if self.person else self.row.principal_name or self.row.principal_id

    @property
    def is_group(self) -> bool:
        """Whether a group holds it."""
        return self.row.principal_type == Finding.Principal.GROUP

    @property
    def can_be_adopted(self) -> bool:
        """As `findings.may_settle` has it, as far as the finding goes."""
        return self.person is not None

    @property
    def is_gone(self) -> bool:
        """Whether AWS has confirmed that it is gone, before a scan has closed the finding."""
        is_settled = self.row.status in ADOPTED_FINDING
        return is_settled and self.assignment is not None and self.assignment.adopted_until is None

    @property
    def is_being_removed(self) -> bool:
        """Whether AWS has to take it away: an admin has said so, or the end until which it was adopted has come."""
        until = self.row.until
        is_over = self.row.status in ADOPTED_FINDING and until is not None and until <= clock.now()
        return is_over and not self.is_gone

    @property
    def trouble(self) -> str:
        """What AWS said last."""
        return self.assignment.trouble if self.assignment else ""


@dataclass(frozen=True)
class AccountFindings:
    """The findings on one account."""

    account: Account
    findings: tuple[ShownFinding, ...]


@dataclass(frozen=True)
class EnvironmentFindings:
    """The findings in one environment, or in none."""

    environment: Environment | None
    accounts: tuple[AccountFindings, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(len(account.findings) for account in self.accounts)


def past_the_portal(people: Iterable[int]) -> dict[int, list[Finding]]:
    """The standing access of each of these people (by user id), whatever was decided about it, by account."""
    users = get_user_model().objects.filter(pk__in=set(people)).values_list("pk", "principal_id", "user_name")
    by_id = {principal_id: pk for pk, principal_id, _ in users if principal_id}
    by_name = {user_name.casefold(): pk for pk, principal_id, user_name in users if not principal_id}
    theirs = Q(principal_id__in=by_id) | Q(pk__in=_named(by_name))
    rows = Finding.objects.filter(theirs, status__in=UNFINISHED_FINDING, principal_type=Finding.Principal.USER)
    found: dict[int, list[Finding]] = {}
    for row in rows.select_related("account__environment", "permission_set").order_by("account__name", "pk"):
        if pk := by_id.get(row.principal_id) or by_name.get(row.principal_name.casefold()):
            found.setdefault(pk, []).append(row)
    return found


def _named(names: Iterable[str]) -> QuerySet[Finding, Any]:
    lowered = Finding.objects.annotate(lowered=Lower("principal_name"))
    return lowered.filter(lowered__in=list(names)).values("pk")


def in_order(rows: QuerySet[Finding]) -> QuerySet[Finding]:
    """By environment, the most sensitive first, then by account."""
    sensitivity = F("account__environment__sensitivity").desc(nulls_last=True)
    return rows.order_by(
        sensitivity,
        F("account__environment__name").asc(nulls_last=True),
        "account__name",
        "account__account_id",
        "permission_set__name",
        "first_seen_at",
        "pk",
    )


def read(rows: QuerySet[Finding], mine: Iterable[Identity] = ()) -> list[ShownFinding]:
    """The findings with what is shown of them to whom the accounts `mine` are: three queries."""
    found = list(rows.select_related("account__environment", "permission_set", "settled_by"))
    mine, people = list(mine), _people(found)
    keys = Q(principal_id__in={row.principal_id for row in found}) & Q(account__in={row.account_id for row in found})
    assignments = {
        (row.principal_id, row.permission_set_id, row.account_id): row for row in Assignment.objects.filter(keys)
    }
    shown = []
    for row in found:
        is_user = row.principal_type == Finding.Principal.USER
        holders = people.get(row.principal_id) or people.get(row.principal_name.casefold()) or [] if is_user else []
        person = next((each for each in holders if each.is_active), next(iter(holders), None))
        assignment = assignments.get((row.principal_id, row.permission_set_id, row.account_id))
        shown.append(ShownFinding(row, person, assignment, findings.may_stay(row, holders, mine).reason))
    return shown


def _people(rows: Iterable[Finding]) -> dict[str, list[Any]]:
    """People by Identity Center id and, for those whose id is not known yet, by user name."""
    rows = list(rows)
    ids = {row.principal_id for row in rows}
    names = {name for row in rows if row.principal_name for name in (row.principal_name, row.principal_name.casefold())}
    known = get_user_model().objects.filter(Q(principal_id__in=ids) | Q(principal_id="", user_name__in=names))
    found: dict[str, list[Any]] = {}
    for person in known.order_by("pk"):
        found.setdefault(person.principal_id or person.user_name.casefold(), []).append(person)
    return found


def grouped(shown: Iterable[ShownFinding]) -> list[EnvironmentFindings]:
    """Findings `in_order`, by environment and account."""
    groups = []
    for _, of_environment in groupby(shown, key=lambda each: each.row.account.environment_id):
        accounts = [
            AccountFindings(same[0].row.account, tuple(same))
            for same in (list(each) for _, each in groupby(of_environment, key=lambda each: each.row.account_id))
        ]
        groups.append(EnvironmentFindings(accounts[0].account.environment, tuple(accounts)))
    return groups


@dataclass(frozen=True)
class Scan:
    """How far the scan is."""

    cursor: ScanCursor | None

    @property
    def is_under_way(self) -> bool:
        """Whether a round has begun that has not ended."""
        return bool(self.cursor and self.cursor.account_id)

    @property
    def of(self) -> int:
        """How many pairs a round has."""
        return drift.pair_count()


def scan() -> Scan:
    """How far the scan is, now."""
    return Scan(ScanCursor.objects.first())
