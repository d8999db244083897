"""What the scheduler sends is there, and the task syncs."""

import pytest
from django.conf import settings as configured

from jitportal.celery import app
from jitportal.demo import organisation as company
from jitportal.tasks import sync_people
from tests.jitportal.entra.conftest import Portal


def test_every_task_of_the_schedule_is_known() -> None:
    app.loader.import_default_modules()
    assert [entry["task"] for entry in configured.CELERY_BEAT_SCHEDULE.values() if entry["task"] not in app.tasks] == []


@pytest.mark.django_db
def test_the_task_offboards_who_left(portal: Portal) -> None:
    portal.directory.change(company.ADA.object_id, enabled=False)
    sync_people()
    assert portal.inactive() == {"Ada Lindqvist"}
