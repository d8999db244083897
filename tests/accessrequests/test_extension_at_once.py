"""An extension and the end of what it extends, at the same moment: nothing is left behind, nobody waits for ever."""

import uuid
from datetime import timedelta

import pytest

from accessrequests import due, workflow
from accessrequests.models import AccessRequest
from accessrequests.states import LIVE_GRANT, RequestStatus
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.extending import extend, held
from tests.accessrequests.test_at_once import at_once, refusals

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_windows_that_ask_for_more_make_one_extension(office: Office) -> None:
    request = held(office)
    outcomes = at_once(*(lambda: extend(office, request) for _ in range(4)))
    assert refusals(outcomes) == 3
    assert request.extensions.count() == 1


def test_one_form_sent_four_times_at_once_is_one_extension(office: Office) -> None:
    request, form = held(office), uuid.uuid4()
    outcomes = at_once(*(lambda: extend(office, request, id=form) for _ in range(4)))
    assert {row.pk for row in outcomes if isinstance(row, AccessRequest)} == {form}
    assert request.extensions.count() == 1


@pytest.mark.parametrize("attempt", range(4))
def test_giving_back_while_the_extension_begins_leaves_nothing(office: Office, attempt: int) -> None:
    request = held(office)
    extension = extend(office, request)
    ada = office.user(company.ADA).pk
    outcomes = at_once(
        lambda: due.start(extension.pk, office.aws),
        lambda: workflow.give_back(ada, request.pk),
    )
    assert refusals(outcomes) == 0
    office.work()
    assert not extension.grants.filter(status__in=LIVE_GRANT).exists()
    assert office.again(extension).status in (RequestStatus.FAILED, RequestStatus.ENDED)
    assert office.in_aws() == []


def test_the_clock_and_the_start_of_an_extension_do_not_wait_for_each_other(office: Office) -> None:
    request = held(office)
    extension = extend(office, request)
    office.moment.forward(timedelta(minutes=59, seconds=59))
    now = office.moment.time
    outcomes = at_once(
        lambda: due.start(extension.pk, office.aws),
        lambda: list(due.end_grants(now + timedelta(seconds=1))),
        lambda: due.lapse_requests(now),
    )
    assert refusals(outcomes) == 0
    office.pass_time(seconds=2)
    goes_on = office.again(extension).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == goes_on
