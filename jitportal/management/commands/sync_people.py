"""`manage.py sync_people`: holds the people whom the portal knows against the directory, now."""

from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accessrequests import provisioner
from auditlog.actor import Actor
from jitportal.entra import hold, sync
from jitportal.entra.graph import Graph

OPERATOR: Final = Actor.system("command line")


class Command(BaseCommand):
    """Can be run at any time, also beside the scheduled one."""

    help = "Take over from Entra ID who has left, who is in which group, and how everybody is called."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--confirm",
            metavar="REASON",
            help="Go on although more people have left than SYNC_MOST_LEAVERS allows; say why, it is recorded.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Syncs once.

        Raises:
            CommandError: the directory did not tell all, too many have left, or another sync is at work.
        """
        if (reason := options["confirm"]) is not None:
            if not reason.strip():
                raise CommandError("Say why; it is recorded.")
            if not hold.confirm(OPERATOR, reason.strip()):
                raise CommandError("Nothing waits to be confirmed.")
        result = sync.sync(Graph(sync.PATIENCE), provisioner.current())
        if result is None:
            raise CommandError("Another sync is at work.")
        if result.trouble:
            raise CommandError(f"{result.trouble} Nobody was changed.")
        if result.held:
            raise CommandError(
                f"{result.held} people are said to have left, which is too many to be believed. Nobody was changed. "
                "If it is true, confirm it with --confirm REASON, or on the admin's front page."
            )
        self.stdout.write(
            f"{result.asked} asked about, {result.left} left, {result.returned} returned, "
            f"{result.passed_over} passed over."
        )
