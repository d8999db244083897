"""What a walkthrough needs around it in embedded mode: a database with the company in it, AWS, and workers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from jitportal.demo import embedded, seed
from jitportal.demo.embedded import PortInUse
from jitportal.demo.simulator.journal import JournalInUseError
from jitportal.demo.starting_over import SeedCutShort
from jitportal.demo.workers import Workers


def _aws_answers() -> bool:
    """Whether the simulated AWS of a running demo is where our settings have it."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", settings.ENVIRONMENT.simulator_port)) == 0


@contextmanager
def surroundings() -> Iterator[None]:
    """Starts what is not there; a running demo on the same data lends its AWS and its workers.

    Raises:
        CommandError: there is no company yet, and AWS's port or state is in use; or the database holds half a demo that
            is not ours to throw away.
    """
    call_command("migrate", verbosity=0, interactive=False)
    try:
        with embedded.aws() as simulator:
            if seed.is_needed():
                seed.plant(simulator)
            with Workers():
                yield
    except (PortInUse, JournalInUseError) as error:
        if seed.is_needed():
            raise CommandError(str(error)) from None
        if not _aws_answers():
            raise CommandError("A demo runs on this data with another PORT; give the same one.") from None
        yield
    except SeedCutShort as error:
        raise CommandError(str(error)) from None
