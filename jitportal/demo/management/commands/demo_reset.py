"""`manage.py demo_reset`: throws the demo's data away."""

import shutil
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jitportal.demo import embedded
from jitportal.demo.simulator.journal import Journal, JournalInUseError

# The names of our files begin so.
MADE: Final = (
    "jitportal.sqlite3",
    "aws.state",
    "seeded",
    "secret_key",
    "client_secret",
    "audit_signing_key",
    "ticket_webhook_secret",
)


class Command(BaseCommand):
    """The next `make demo` starts over."""

    help = "Throw away the demo's database, its AWS and its mail."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Removes the data folder.

        Raises:
            CommandError: a demo is running on it, or its database is not in it.
        """
        if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
            raise CommandError("DATABASE_URL names a database server; drop and make that database yourself.")
        folder = settings.ENVIRONMENT.data_dir
        try:
            # Whatever port it is on: who holds the simulated AWS's state is at work on this data.
            Journal(embedded.state_file()).close()
        except JournalInUseError:
            raise CommandError("A demo is running on this data; stop it with Ctrl-C first.") from None
        for path in folder.iterdir() if folder.exists() else ():
            # Only what we made: the folder may be one that somebody also keeps other things in.
            if path.name == "mail":
                shutil.rmtree(path)
            elif path.name.startswith(MADE):
                path.unlink()
        self.stdout.write(f"The demo's data in {folder} is gone; `make demo` starts over.")
