"""A message is believed in nothing: a task that is told a wrong id, or one that is finished with, changes nothing."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.exceptions import ObjectDoesNotExist

from accessrequests.models import Assignment
from auditlog.models import ChainHead
from jitportal.celery import app
from tests.jitportal.access import table
from tests.jitportal.access.conftest import World, state


def test_the_table_names_every_task() -> None:
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if not name.startswith("celery.")}
    told_ids = table.TOLD_A_REQUEST | table.TOLD_AN_ASSIGNMENT | table.TOLD_ASSIGNMENTS
    assert ours == told_ids | table.TOLD_A_QUEUE | table.TOLD_NOTHING


@contextmanager
def nothing_changes(world: World) -> Iterator[None]:
    """Rows, record and AWS are afterwards as they were; a task may fail, which its worker logs."""
    before = state(), ChainHead.objects.get().number, world.office.in_aws()
    with suppress(ObjectDoesNotExist, ValueError):
        yield
    assert (state(), ChainHead.objects.get().number, world.office.in_aws()) == before


def test_starting_what_is_not_approved_changes_nothing(world: World) -> None:
    wrong = [str(uuid.uuid4()), "no id", str(Assignment.objects.values_list("pk", flat=True)[0])]
    wrong += [str(made.pk) for made in world.requests.values()]
    for name in table.TOLD_A_REQUEST:
        for told in wrong:
            with nothing_changes(world):
                app.tasks[name](told)


def test_an_answer_from_a_queue_changes_nothing_but_what_is_known_of_queues(world: World) -> None:
    for name in table.TOLD_A_QUEUE:
        for told in ("removal", "no queue", str(uuid.uuid4())):
            with nothing_changes(world):
                app.tasks[name](told)


def test_an_assignment_that_is_not_there_or_as_it_should_be_is_left_alone(world: World) -> None:
    wrong = [str(uuid.uuid4()), "no id", *(str(made.pk) for made in world.requests.values())]
    # Those that are finished with, and the one that active access leans on.
    wrong += [str(pk) for pk in Assignment.objects.values_list("pk", flat=True)]
    for name in table.TOLD_AN_ASSIGNMENT | table.TOLD_ASSIGNMENTS:
        for told in wrong:
            with nothing_changes(world):
                app.tasks[name]([told] if name in table.TOLD_ASSIGNMENTS else told)
