"""The Celery application that runs the sweep, converges assignments and sends notifications."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun, worker_init, worker_process_init
from django.db import close_old_connections

from accessrequests import provisioner

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitportal.settings")

app = Celery("jitportal", task_cls="jitportal.acknowledging:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@worker_process_init.connect
def get_ready(**_: Any) -> None:
    """Makes the clients of AWS before the first task: it takes botocore a third of a second."""
    provisioner.current().get_ready()


@task_prerun.connect
def look_at_connections(task: Any = None, **_: Any) -> None:
    """Before each task, as Django does before each request: a connection that the database has cut is made again.

    Celery's own fixup would go on with it for the next `CELERY_DB_REUSE_MAX` tasks.
    """
    if task is not None and not task.request.is_eager:
        close_old_connections()
