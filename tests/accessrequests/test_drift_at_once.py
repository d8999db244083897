"""A scan beside workers, another scan and an admin: nothing is done twice, nothing is taken for drift that is ours."""

import pytest

from accessrequests import convergence, drift, due, findings
from accessrequests.models import Assignment, Finding
from accessrequests.states import RequestStatus
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import by_hand, events, found, key_of
from tests.accessrequests.test_at_once import at_once, refusals

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_scans_at_once_find_everything_once(office: Office) -> None:
    for account in office.catalog.sandbox_accounts:
        by_hand(office, key_of(office, account=account))
    assert refusals(at_once(*(lambda: drift.scan(office.aws) for _ in range(4)))) == 0
    assert Finding.objects.count() == len(events("finding.opened")) == 3


def test_a_scan_beside_a_creation_and_a_deletion_finds_no_drift(office: Office) -> None:
    request = office.submit()
    (assignment_id,) = due.start(request.pk, office.aws)
    work = lambda: convergence.converge(assignment_id, office.aws)  # noqa: E731
    scan = lambda: drift.scan(office.aws)  # noqa: E731
    assert refusals(at_once(work, scan)) == 0
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE
    office.moment.forward(request.duration)
    list(due.end_grants(office.moment.time))
    assert refusals(at_once(work, scan)) == 0
    office.work()
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])
    assert (events("assignment.drift_found"), Finding.objects.count()) == ([], 0)


def test_two_admins_settle_a_finding_once(office: Office) -> None:
    finding = found(office)
    ines = office.user(company.INES).pk
    remove = lambda: findings.remove(user_id=ines, finding_id=finding.pk, reason="It goes.")  # noqa: E731
    assert refusals(at_once(remove, remove, lambda: drift.scan(office.aws))) == 1
    assert Assignment.objects.count() == len(events("finding.removed")) == 1
    office.work()
    assert office.in_aws() == []
