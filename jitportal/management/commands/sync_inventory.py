"""`manage.py sync_inventory`: brings accounts and permission sets from AWS into the catalog."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accessrequests.provisioner import ProvisionerError
from catalog import inventory
from jitportal.aws.inventory import AwsInventory


class Command(BaseCommand):
    """Can be run again at any time; it changes only what differs."""

    help = "Mirror the organisation's accounts and permission sets into the catalog."

    def handle(self, *args: Any, **options: Any) -> None:
        """Reads all, then writes what differs.

        Raises:
            CommandError: AWS did not answer as it should; nothing was changed.
        """
        try:
            result = inventory.sync(AwsInventory())
        except ProvisionerError as error:
            raise CommandError(f"{error} Nothing was changed.") from None
        self.stdout.write(f"{result.new} new, {result.changed} changed, {result.vanished} vanished.")
