"""What tests of drift share: keys as AWS has them, and hands that change AWS past the portal."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from accessrequests import drift
from accessrequests.models import Finding, ScanCursor
from auditlog.models import Event
from catalog.models import Account
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.demo.simulator import AssignmentKey
from tests.accessrequests.conftest import Office


def key_of(office: Office, person: Person = company.ADA, account: Account | None = None) -> AssignmentKey:
    """Developer access of a person to the first sandbox account, but for what is given."""
    account = account or office.catalog.sandbox_accounts[0]
    principal = office.simulator.organisation.user_id(person.user_name)
    return AssignmentKey(account.account_id, office.catalog.permission_set.arn, "USER", principal)


def by_hand(office: Office, key: AssignmentKey, *, present: bool = True) -> AssignmentKey:
    """Somebody changes AWS past the portal."""
    office.simulator.put_assignment(key, present=present)
    return key


def found(office: Office, person: Person = company.ADA) -> Finding:
    """The finding on standing access that somebody was given by hand, just now."""
    by_hand(office, key_of(office, person))
    drift.scan(office.aws)
    return Finding.objects.get(status="open", principal_id=key_of(office, person).principal_id)


def round_of(office: Office) -> list[tuple[str, str]]:
    """Every pair in the scan's order."""
    return [(account.account_id, permission_set.arn) for account, permission_set in drift.pairs()]


def events(action: str, **about: Any) -> list[Event]:
    """The events of a kind, the oldest first."""
    return list(Event.objects.filter(action=action, **about).order_by("number"))


def slices(office: Office, **budget: float) -> Iterator[int]:
    """Scans slice after slice until the round is over; how many pairs each has seen."""
    before = 0
    while True:
        drift.scan(office.aws, **budget)  # type: ignore[arg-type]
        cursor = ScanCursor.objects.get()
        if not cursor.account_id:
            yield cursor.last_seen - before
            return
        yield cursor.seen - before
        before = cursor.seen
        office.moment.forward(timedelta(minutes=5))


class Interfering:
    """AWS as the scan sees it when something happens right after it has looked."""

    def __init__(self, aws: Any, deed: Any, looks: int = 1) -> None:
        self._aws, self._deed, self._looks = aws, deed, looks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._aws, name)

    def assignments_of(self, account_id: str, permission_set_arn: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = self._aws.assignments_of(account_id, permission_set_arn)
        if self._looks:
            self._looks -= 1
            self._deed()
        return found
