"""Many who append at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import Walk
from auditlog.integrity import walk_events
from auditlog.ledger import Subject, record
from auditlog.models import ChainHead, Event


class Undone(Exception):
    """What a change that fails raises."""


def _append(name: str) -> None:
    try:
        for number in range(20):
            try:
                with transaction.atomic():
                    record(Actor.system(name), Action.GRANT_ACTIVE, Subject("request", str(number)))
                    # Every fourth change fails after its event was written.
                    if number % 4 == 3:
                        raise Undone
            except Undone:
                pass
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_concurrent_appends_leave_neither_gap_nor_fork() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_append, [f"worker-{number}" for number in range(8)]))
    walk = Walk()
    for _ in walk_events(walk, up_to=8 * 15):
        pass
    assert walk.number == Event.objects.count() == ChainHead.objects.get().number == 8 * 15
