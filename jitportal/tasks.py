"""Celery's doors to the work of the portal beside that on requests."""

from datetime import timedelta
from typing import Final

import structlog
from celery import shared_task

from accessrequests import provisioner
from accessrequests.provisioner import ProvisionerError
from catalog import mirror
from jitportal.aws.inventory import AwsInventory
from jitportal.entra import sync
from jitportal.entra.graph import Graph
from jitportal.signin import local_admins

log = structlog.get_logger(__name__)

# The next slice goes on from there, before the worker that has this one is missed.
SLICE: Final = timedelta(minutes=3)


@shared_task
def sync_people() -> None:
    """Holds people against the directory."""
    sync.sync(Graph(sync.PATIENCE), provisioner.current())


@shared_task
def sync_inventory() -> None:
    """Brings the catalog up to date with AWS, for a few minutes at a time."""
    try:
        mirror.sync(AwsInventory(), SLICE)
    except (mirror.ListsNothing, ProvisionerError) as error:
        log.warning("inventory_not_read", error=str(error))


@shared_task
def end_local_admins() -> None:
    """Records it when the time of a local administrator is over, and raises the alarm while one is open."""
    local_admins.look_after()
