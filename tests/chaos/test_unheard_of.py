"""What AWS did without our hearing of it is neither left behind nor does it take anybody's access away."""

from datetime import timedelta

import pytest

from accessrequests.states import RequestStatus
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind
from tests.chaos.conftest import Opening
from tests.chaos.portal import Portal
from tests.chaos.process import Process
from tests.chaos.promises import Promises
from tests.chaos.test_crashes import FIRST, HOUR, SECOND, active, ask, status

UNHEARD = [FaultKind.LOST_REPLY, FaultKind.INTERNAL_AFTER]
CREATION, DELETION = "CreateAccountAssignment", "DeleteAccountAssignment"
A_SECOND = timedelta(seconds=1)


def fail(portal: Portal, kind: FaultKind, operation: str, first: int | None = 1) -> None:
    portal.simulator.faults.add(Fault(kind, operation=operation, first=first))


def disable(portal: Portal) -> None:
    portal.simulator.change_user(company.ADA.user_name, enabled=False)


def see_the_end(portal: Portal, promises: Promises) -> None:
    portal.simulator.faults.clear()
    portal.come_to_rest()
    promises.check_at_rest()
    portal.until_all_is_over()
    promises.check_when_all_is_over()


@pytest.mark.parametrize("kind", UNHEARD)
def test_a_deletion_does_not_take_the_next_grants_access_away(opening: Opening, kind: FaultKind) -> None:
    portal = opening()
    promises = Promises(portal)
    with portal.alive(Process()):
        active(portal)
        fail(portal, kind, DELETION)
        portal.forward(HOUR)
        portal.work()
        ask(portal, SECOND)
        portal.work()
        portal.forward(3 * A_SECOND)
        promises.check()
        portal.come_to_rest()
        promises.check_at_rest()
        assert (status(), status(SECOND)) == (RequestStatus.ENDED, RequestStatus.ACTIVE)
        see_the_end(portal, promises)


@pytest.mark.parametrize("kind", UNHEARD)
def test_a_creation_is_not_left_behind_when_the_next_one_fails(opening: Opening, kind: FaultKind) -> None:
    portal = opening()
    promises = Promises(portal)
    with portal.alive(Process()):
        fail(portal, kind, CREATION)
        ask(portal)
        portal.work()
        portal.forward(3 * A_SECOND)
        fail(portal, FaultKind.FAILURE, CREATION)
        portal.come_to_rest()
        see_the_end(portal, promises)


@pytest.mark.parametrize("kind", UNHEARD)
def test_a_creation_on_its_way_is_not_left_behind_when_the_next_one_is_refused(
    opening: Opening, kind: FaultKind
) -> None:
    portal = opening()
    promises = Promises(portal)
    with portal.alive(Process()):
        fail(portal, kind, CREATION)
        ask(portal)
        portal.work()
        fail(portal, FaultKind.ACCESS_DENIED, CREATION, first=None)
        portal.forward(A_SECOND)
        portal.work()
        portal.forward(3 * A_SECOND)
        promises.check()
        see_the_end(portal, promises)


def test_a_creation_is_not_left_behind_when_the_person_is_disabled(opening: Opening) -> None:
    portal = opening()
    promises = Promises(portal)
    with portal.alive(Process()):
        fail(portal, FaultKind.LOST_REPLY, CREATION)
        ask(portal)
        portal.work()
        disable(portal)
        portal.forward(3 * A_SECOND)
        portal.work()
        see_the_end(portal, promises)


def test_a_deletion_on_its_way_is_not_taken_for_access_when_the_creation_is_refused(opening: Opening) -> None:
    portal = opening()
    promises = Promises(portal)
    with portal.alive(Process()):
        active(portal)
        fail(portal, FaultKind.LOST_REPLY, DELETION)
        portal.forward(HOUR)
        portal.work()
        fail(portal, FaultKind.ACCESS_DENIED, CREATION, first=None)
        ask(portal, SECOND)
        portal.work()
        portal.forward(3 * A_SECOND)
        promises.check()
        see_the_end(portal, promises)


def test_what_is_being_revoked_is_still_deleted_when_a_new_grant_on_it_is_refused(opening: Opening) -> None:
    portal = opening()
    promises = Promises(portal)
    with portal.alive(Process()):
        active(portal)
        fail(portal, FaultKind.THROTTLE, DELETION, first=None)
        portal.forward(HOUR)
        portal.work()
        ask(portal, SECOND, start=portal.now)
        # The person is there when it starts, and no longer when AWS is about to be asked.
        portal.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="ListAccountAssignments"))
        portal.work()
        portal.forward(3 * A_SECOND)
        portal.work()
        assert status(SECOND) == RequestStatus.FAILED
        see_the_end(portal, promises)
    assert status(FIRST) == RequestStatus.ENDED
