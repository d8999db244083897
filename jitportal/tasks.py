"""Celery's doors to the work of the portal beside that on requests."""

from celery import shared_task

from accessrequests import provisioner
from jitportal.entra import sync
from jitportal.entra.graph import Graph


@shared_task
def sync_people() -> None:
    """Holds people against the directory."""
    sync.sync(Graph(sync.PATIENCE), provisioner.current())
