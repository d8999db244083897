"""`manage.py sync_inventory`: brings accounts and permission sets from AWS into the catalog."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accessrequests.provisioner import ProvisionerError
from catalog import mirror
from jitportal.aws.inventory import AwsInventory
from jitportal.aws.limiter import Urgency


class Command(BaseCommand):
    """Does at once, and to the end, what the scheduler does little by little."""

    help = "Mirror the organisation's accounts and permission sets into the catalog."

    def handle(self, *args: Any, **options: Any) -> None:
        """Changes only what differs, and can be run again at any time.

        Raises:
            CommandError: AWS did not answer as it should, or another sync is at work.
        """
        try:
            result = mirror.sync(AwsInventory(Urgency.GRANT))
        except mirror.ListsNothing as error:
            raise CommandError(f"{error} Nothing was changed.") from None
        except ProvisionerError as error:
            raise CommandError(f"{error} What was read before is kept; run it again to go on.") from None
        if result is None:
            raise CommandError("Another sync is at work; run it again in a few minutes.")
        self.stdout.write(
            f"{result.new} new, {result.changed} changed, {result.vanished} vanished; "
            f"{result.moved} accounts moved between environments by rules."
        )
