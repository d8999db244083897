"""`manage.py local_admin`: lets somebody look after the portal while nobody can sign in through the directory."""

from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from auditlog.actor import Actor
from catalog import durations, reasons
from jitportal.signin import local_admins

OPERATOR: Final = Actor.system("command line")


class Command(BaseCommand):
    """Needs the server's shell, which is its guard."""

    help = "Break glass: print a one-time link that lets a local administrator into the portal for a while."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--for", dest="duration", metavar="DURATION", help="how long, such as 1h or 30m; 4h at most")
        what.add_argument("--end", action="store_true", help="end every local administrator now, with their sessions")
        parser.add_argument("--reason", default="", help="why; it is recorded, and shown on every page to admins")

    def handle(self, *args: Any, **options: Any) -> None:
        """Opens or ends.

        Raises:
            CommandError: the duration or the reason cannot be, or there is nothing to end, or somebody could not be.
        """
        try:
            if options["end"]:
                self._end(options["reason"])
                return
            secret, made = local_admins.open_for(durations.parse(options["duration"]), options["reason"], OPERATOR)
        except ValueError as error:
            raise CommandError(str(error)) from None
        link = f"{settings.PORTAL_URL}{reverse('sign-in-local', args=[secret])}"
        self.stdout.write(
            f"{made.person.name} is open until {made.person.local_until:%Y-%m-%d %H:%M} UTC.\n"
            "Open this link in the browser that is to be signed in. It works once, and is not shown again:\n\n"
            f"  {link}\n\n"
            "To end it before its time: sign out, or manage.py local_admin --end"
        )

    def _end(self, reason: str) -> None:
        said = reasons.clean(reason) if reason else "ended at the server"
        try:
            ended = local_admins.end_all(OPERATOR, said)
        except local_admins.NotEnded as some:
            raise CommandError(str(some)) from None
        if not ended:
            raise CommandError("No local administrator is open.")
        self.stdout.write(f"Ended: {ended}. Their sessions are over.")
