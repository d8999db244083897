"""What waits for AWS is handed out while there is room: removals first, and never two for one place."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from accessrequests import convergence, due, pace, queue, workflow
from accessrequests.models import Assignment
from accessrequests.states import GrantStatus, Operation
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office


def active(office: Office, accounts: int = 1) -> list[uuid.UUID]:
    """Access that is held; the assignments."""
    office.submit(accounts=office.catalog.sandbox_accounts[:accounts])
    office.work()
    return list(Assignment.objects.order_by("account__account_id").values_list("pk", flat=True))


def begun_to_start(office: Office, person: Any, accounts: int) -> None:
    """Access that waits for its creation."""
    request = office.submit(person, accounts=office.catalog.sandbox_accounts[:accounts])
    assert due.starting(office.moment.time) == [request.pk]
    due.start(request.pk, office.aws)


def test_what_aws_says_is_over_makes_room_before_what_follows_is_recorded(office: Office, settings: Any) -> None:
    settings.OUTSTANDING_CAP = 1
    [pk] = active(office)
    office.moment.forward(timedelta(hours=1))
    assert list(due.end_grants(office.moment.time)) == [pk]
    convergence.converge(pk, office.aws)
    assert queue.room(Operation.DELETE, office.moment.time) == 0
    heard = convergence.ask([pk], office.aws)
    assert queue.room(Operation.DELETE, office.moment.time) == 1
    assert Assignment.objects.get(pk=pk).grants.get().status == GrantStatus.REVOKING
    convergence.converge(pk, office.aws, heard.reports)
    assert Assignment.objects.get(pk=pk).grants.get().status == GrantStatus.ENDED


def test_removals_are_handed_out_before_creations_that_have_waited_longer(office: Office, settings: Any) -> None:
    settings.OUTSTANDING_CAP = 2
    held = active(office, accounts=2)
    begun_to_start(office, company.BEN, accounts=2)
    office.moment.forward(timedelta(hours=1))
    assert set(due.end_grants(office.moment.time)) == set(held)
    assert set(queue.unwanted(office.moment.time)) == set(held)
    assert queue.wanted(office.moment.time) == [], "both places are taken by removals on their way"


def test_no_two_creations_are_handed_out_for_one_place(office: Office, settings: Any) -> None:
    settings.OUTSTANDING_CAP = 3
    begun_to_start(office, company.ADA, accounts=3)
    now = office.moment.time
    assert len(queue.wanted(now)) == 2, "the third place is for removals alone"
    assert queue.wanted(now) == []
    office.moment.forward(timedelta(seconds=2))
    assert len(queue.wanted(office.moment.time)) == 1, "those two did not arrive: they are not waited for"


def test_what_another_worker_holds_is_offered_again_soon(office: Office) -> None:
    [pk] = active(office)
    now = office.moment.time
    held = {"claim": uuid.uuid4(), "claimed_until": now + convergence.LEASE}
    Assignment.objects.filter(pk=pk).update(due_at=now + queue.DISPATCHED, **held)
    convergence.converge(pk, office.aws)
    assert Assignment.objects.get(pk=pk).due_at == now + convergence.WHILE_CLAIMED


def test_access_that_is_given_back_is_removed_by_a_task_that_nothing_stands_before(
    office: Office, settings: Any
) -> None:
    routes = settings.CELERY_TASK_ROUTES
    assert routes["accessrequests.tasks.remove"] == routes["accessrequests.tasks.watch"] == {"queue": "removal"}
    assert "accessrequests.tasks.start" not in routes
    assert "accessrequests.tasks.converge" not in routes
    request = office.submit()
    office.work()
    workflow.give_back(request.requester_id, request.pk)
    assert len(queue.unwanted(office.moment.time)) == 1


def test_how_long_aws_takes_is_learned_from_what_is_not_stuck(office: Office) -> None:
    before = pace.expected()
    for _ in range(50):
        pace.learn([before + timedelta(seconds=1), timedelta(minutes=4)])
    assert pace.expected() == before
    pace.learn([before + timedelta(seconds=0.2), timedelta(minutes=4)])
    slower = pace.expected()
    assert slower > before + timedelta(seconds=0.2)
    pace.learn([], done=[slower])
    assert before < pace.expected() < slower
    for _ in range(3):
        pace.learn([], done=[before / 2])
    assert pace.expected() < before


def test_what_turns_out_to_be_quicker_is_learned_soon_and_then_held_to(office: Office) -> None:
    true = pace.expected() * 0.8
    late, early = 0, 0
    for _ in range(100):
        expected = pace.expected()
        if expected < true:
            pace.learn([expected])
            early += 1
        else:
            pace.learn([], done=[expected])
            late += expected > true * 1.05
    assert late < 40
    assert 1 <= early <= 10


def test_what_is_over_is_seen_to_by_whoever_heard_of_it_and_asked_about_no_more(office: Office) -> None:
    first, second = active(office, accounts=2)
    office.moment.forward(timedelta(hours=1))
    assert set(due.end_grants(office.moment.time)) == {first, second}
    for pk in (first, second):
        convergence.converge(pk, office.aws)
    heard = convergence.ask([first], office.aws)
    assert set(heard.assignments) == {first, second}
    assert queue.operations(office.moment.time + timedelta(seconds=5)) == []


def test_what_is_not_done_is_asked_about_soon_and_then_less_and_less_often() -> None:
    expected = pace.expected()
    gaps, elapsed = [], expected
    for _ in range(12):
        gaps.append(pace.again(elapsed))
        elapsed += gaps[-1]
    assert gaps == sorted(gaps)
    assert gaps[0] < timedelta(seconds=0.1)
    assert gaps[-1] > timedelta(seconds=1)
    assert pace.again(timedelta(hours=4)) <= timedelta(seconds=30)


@pytest.mark.parametrize(("cap", "creations"), [(1, 1), (2, 1), (3, 2), (10, 7), (15, 12)])
def test_even_a_small_cap_keeps_a_place_for_removals(office: Office, settings: Any, cap: int, creations: int) -> None:
    settings.OUTSTANDING_CAP = cap
    assert queue.room(Operation.CREATE, office.moment.time) == creations
    assert queue.room(Operation.DELETE, office.moment.time) == cap
