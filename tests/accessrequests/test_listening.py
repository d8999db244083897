"""A queue that nobody works on is named by /readyz before anything on it is overdue."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from accessrequests import listening, tasks
from tests.accessrequests.conftest import Office


def said() -> str:
    """What /readyz says of the queues."""
    part: str = Client().get("/readyz").json()["queues"]
    return part


def ask(office: Office) -> list[str]:
    """As the sweep does, once the cache has forgotten that it did."""
    office.moment.forward(listening.ASKED_EVERY)
    cache.delete("queues-asked")
    return list(listening.to_ask(office.moment.time))


def test_queues_that_answer_are_well(office: Office) -> None:
    for _ in range(20):
        for queue in ask(office):
            tasks.answer(queue)
    assert said() == "ok"


def test_a_queue_that_does_not_answer_is_named_with_since_when_until_it_does(office: Office) -> None:
    for _ in range(8):
        for queue in ask(office):
            if queue != "removal":
                tasks.answer(queue)
    assert said() == "nobody works on removal since 2026-11-16 09:00 UTC"
    assert Client().get("/readyz").status_code == 503
    tasks.answer("removal")
    assert said() == "ok"


def test_one_that_is_only_busy_is_not_said_to_be_deserted(office: Office) -> None:
    ask(office)
    office.moment.forward(listening.PATIENCE - timedelta(seconds=1))
    assert said() == "ok"


def test_queues_are_asked_now_and_then_and_not_each_second(office: Office) -> None:
    assert ask(office) == ["work", "removal"]
    assert list(listening.to_ask(office.moment.time)) == []


@pytest.mark.parametrize("queue", listening.QUEUES)
def test_each_is_asked_through_the_queue_itself(office: Office, queue: str) -> None:
    cache.delete("queues-asked")
    tasks.sweep()
    with tasks.answer.app.connection_for_read() as connection, connection.SimpleQueue(queue) as waiting:
        sent = waiting.get(timeout=5)
        sent.ack()
    assert sent.headers["task"] == "accessrequests.tasks.answer"
    assert sent.payload[0] == [queue]
