"""Nearly every third answer of AWS is wrong, late or lost: it takes longer, and comes out right."""

import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from accessrequests import decisions, workflow
from accessrequests.models import AccessRequest, Decision
from accessrequests.states import RequestStatus
from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind
from tests.chaos.conftest import Opening
from tests.chaos.portal import AFTER_THE_LEASE, Portal
from tests.chaos.process import Process
from tests.chaos.promises import Promises

RATE = 0.3
REQUESTS = 40
KINDS = (
    FaultKind.THROTTLE,
    FaultKind.INTERNAL,
    FaultKind.CONFLICT,
    FaultKind.UNREACHABLE,
    FaultKind.LOST_REPLY,
    FaultKind.INTERNAL_AFTER,
)
PEOPLE = (company.ADA, company.BEN, company.CHIARA)
MINUTE = timedelta(minutes=1)


def let_aws_fail(portal: Portal) -> None:
    """As many faults of each kind as together make the rate, and asynchronous failures on top."""
    left = 1.0
    for seed, kind in enumerate(KINDS):
        # Each kind sees only the calls that the kinds before it have let through.
        share = RATE / len(KINDS) / left
        left -= RATE / len(KINDS)
        portal.simulator.faults.add(Fault(kind, rate=share, seed=seed))
    portal.simulator.faults.add(Fault(FaultKind.FAILURE, operation="DeleteAccountAssignment", rate=RATE, seed=11))
    portal.simulator.faults.add(Fault(FaultKind.FAILURE, operation="CreateAccountAssignment", rate=0.1, seed=12))


def ask(portal: Portal, promises: Promises, number: int) -> None:
    """A request for overlapping accounts; every fourth for production, decided at once."""
    catalog, production = portal.catalog, number % 4 == 3
    accounts = catalog.production_accounts if production else catalog.sandbox_accounts
    form: dict[str, Any] = {
        "id": uuid.UUID(int=number + 1),
        "role": catalog.developer,
        "environment": catalog.production if production else catalog.sandbox,
        "accounts": [accounts[number % 3], accounts[(number + 1) % 3]],
        "duration": (5 + 7 * (number % 5)) * MINUTE,
        "reason": "Look into the stuck settlement queue.",
        "ticket": "INC-4711" if production else "",
    }
    request = workflow.submit(portal.user_id(PEOPLE[number % 3]), workflow.Form(**form))
    if production:
        for person in (company.EMMA, company.FARID):
            promises.permitted.add((request.pk, portal.user_id(person)))
            decisions.decide(portal.user_id(person), request.pk, Decision.Answer.APPROVE, "", request.digest)


@pytest.mark.timeout(900)
def test_with_three_in_ten_answers_faulty_everything_still_ends(opening: Opening) -> None:
    portal = opening()
    promises = Promises(portal)
    let_aws_fail(portal)
    with portal.alive(Process()):
        for number in range(REQUESTS):
            ask(portal, promises, number)
            portal.work()
            portal.forward(timedelta(seconds=45))
            promises.check()
        for _ in range(400):
            portal.work()
            promises.check()
            promises.check_after_a_sweep()
            if not AccessRequest.objects.filter(status__in=(RequestStatus.APPROVED, RequestStatus.ACTIVE)).exists():
                break
            portal.forward(timedelta(seconds=20))
        # Not one fault was mended: AWS is empty all the same.
        assert portal.in_aws() == set()
        portal.simulator.faults.clear()
        portal.forward(AFTER_THE_LEASE)
        portal.come_to_rest()
    promises.check_when_all_is_over()
    ends = Counter(AccessRequest.objects.values_list("status", flat=True))
    assert ends.total() == REQUESTS
    assert set(ends) <= {RequestStatus.ENDED, RequestStatus.FAILED}
    assert ends[RequestStatus.ENDED] > REQUESTS / 2
    for end in ("request.ended", "request.failed"):
        told = Event.objects.filter(action=end).values_list("subject_id", flat=True)
        assert len(told) == len(set(told)) == ends[end.partition(".")[2]]
