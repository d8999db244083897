"""What a walkthrough needs around it in embedded mode: a database with the company in it, AWS, and workers."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.core.management.base import CommandError

from jitportal.demo import embedded, seed
from jitportal.demo.embedded import PortInUse
from jitportal.demo.seed import SeedCutShort
from jitportal.demo.workers import Workers


@contextmanager
def surroundings() -> Iterator[None]:
    """Starts what is not there; a running demo on the same data lends its AWS and its workers.

    Raises:
        CommandError: an earlier first start was cut short.
    """
    call_command("migrate", verbosity=0, interactive=False)
    try:
        with embedded.aws() as simulator:
            if seed.is_needed():
                seed.plant(simulator)
            with Workers():
                yield
    except (PortInUse, BlockingIOError):
        if seed.is_needed():
            raise
        yield
    except SeedCutShort as error:
        raise CommandError(str(error)) from None
