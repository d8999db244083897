"""The Celery application that runs the sweep, converges assignments and sends notifications."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_process_init

from accessrequests import provisioner

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jitportal.settings")

app = Celery("jitportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@worker_process_init.connect
def get_ready(**_: Any) -> None:
    """Makes the clients of AWS before the first task: it takes botocore a third of a second."""
    provisioner.current().get_ready()
