"""`manage.py demo`: the whole portal in one process, with a company in it, until Ctrl-C."""

import signal
import textwrap
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from jitportal.demo import embedded, seed
from jitportal.demo.embedded import PortInUse
from jitportal.demo.organisation import PEOPLE
from jitportal.demo.simulator.journal import JournalInUseError
from jitportal.demo.starting_over import SeedCutShort
from jitportal.demo.tour import STEPS
from jitportal.demo.workers import Workers

WIDTH: Final = 110


class Command(BaseCommand):
    """Serves until Ctrl-C or SIGTERM, then stops cleanly with exit code 0."""

    help = "Run the portal with a simulated AWS and directory, all in this process, until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrates, seeds what is new, serves.

        Raises:
            CommandError: a port or the data folder is in use, or the folder holds half a demo.
        """
        # SIGINT too: a shell that starts a program in the background makes it ignore Ctrl-C otherwise.
        self._stopping = threading.Event()
        _on_signals(self._stop_now)
        try:
            self._serve()
        except (PortInUse, JournalInUseError, SeedCutShort) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stdout.write("\nStopped before it was ready; `make demo` begins again.")

    def _serve(self) -> None:
        # The page's port is taken first: a second demo on the same data must not get as far as touching it.
        with embedded.pages() as doors:
            call_command("migrate", verbosity=0, interactive=False)
            with embedded.aws() as simulator:
                if seed.is_needed():
                    self.stdout.write("Making the company and a fortnight of its history …")
                    self.stdout.flush()
                    seed.plant(simulator)
                _on_signals(lambda number, frame: self._stopping.set())
                # Python drops an exception that is raised while it tidies up, this one too.
                if self._stopping.is_set():
                    raise KeyboardInterrupt
                with Workers():
                    doors.open()
                    self._say_who()
                    self._stopping.wait()
                    self.stdout.write("\nStopping …")
        self.stdout.write("Stopped. Your data is kept; `make demo` goes on with it, `make demo-reset` starts over.")

    def _stop_now(self, number: int, frame: FrameType | None) -> None:
        """Until the workers run there is nothing to finish, and a seed that is cut short begins again by itself."""
        self._stopping.set()
        raise KeyboardInterrupt

    def _say_who(self) -> None:
        people = (f"  {person.name:<15} {person.job_title:<20} {person.part}" for person in PEOPLE)
        steps = (
            textwrap.fill(step, WIDTH, initial_indent=f"  {number}. ", subsequent_indent="     ")
            for number, step in enumerate(STEPS, start=1)
        )
        lines = (
            f"\njitportal is ready: {settings.PORTAL_URL}\n\nWho can sign in (no passwords: pick the account)",
            *people,
            "\nTry this",
            *steps,
            f"\nCtrl-C stops it. Mail that would be sent is in {settings.ENVIRONMENT.data_dir / 'mail'}.",
        )
        # In one piece: whoever reads it while it is written sees all of it or none.
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _on_signals(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
