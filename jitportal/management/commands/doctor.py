"""`manage.py doctor entra`: looks whether the tenant is set up as the portal needs it, and says what is missing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jitportal.entra import doctor
from jitportal.entra.doctor import State
from jitportal.entra.remedies import Remedy


class Command(BaseCommand):
    """Asks and changes nothing, and can be run at any time."""

    help = "Check the settings of the tenant, one line each: ok, missing, or could not ask, with what to do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["entra"], help="what to look at")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints each check as it is made.

        Raises:
            CommandError: something is missing, or the directory did not answer.
        """
        counted, silent = dict.fromkeys(State, 0), False
        for check in doctor.examine():
            counted[check.state] += 1
            silent |= check.remedy == Remedy.UNREACHABLE
            self.stdout.write(f"{check.state:<15}{check.what}: {check.said}")
            if check.state is not State.OK:
                self.stdout.write(f"{'':<15}→ {check.remedy}")
        self.stdout.write(", ".join(f"{count} {state}" for state, count in counted.items()))
        if counted[State.MISSING]:
            raise CommandError("Something is missing; docs/entra.md says more on each.")
        if silent:
            raise CommandError("The directory did not answer everything, so something may be missing. Ask again.")
