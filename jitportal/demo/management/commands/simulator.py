"""``manage.py simulator``: the simulated AWS in a process of its own, until Ctrl-C."""

import signal
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from jitportal.demo.simulator import Limits, Organisation, Simulator, SimulatorServer

DEFAULT_ORGANISATION = "jitportal.demo.organisation.ORGANISATION"


class Command(BaseCommand):
    """Serves one organisation on a loopback port; exit code 0 after Ctrl-C or SIGTERM."""

    help = "Serve the AWS simulator on a loopback port until Ctrl-C."
    # It touches neither the database nor anything else that the checks look at.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default %(default)s)")
        # Where the portal looks for it, unless told otherwise.
        port = settings.ENVIRONMENT.simulator_port
        parser.add_argument("--port", type=int, default=port, help="0 takes a free one (default %(default)s)")
        parser.add_argument("--state", type=Path, help="file to keep the state in; without it, memory only")
        parser.add_argument(
            "--organisation",
            default=DEFAULT_ORGANISATION,
            help="dotted name of the Organisation to seed (default %(default)s)",
        )
        parser.add_argument("--delay", type=float, default=Limits.delay, help="seconds that an operation takes")
        parser.add_argument("--outstanding", type=int, default=Limits.outstanding, help="operations in flight at once")
        parser.add_argument("--no-limits", action="store_true", help="lift rates and caps; the delay stays")

    def handle(self, *_args: Any, **options: Any) -> None:
        limits = (
            Limits.lifted(delay=options["delay"])
            if options["no_limits"]
            else Limits(delay=options["delay"], outstanding=options["outstanding"])
        )
        try:
            simulator = Simulator(_organisation(options["organisation"]), options["state"], limits=limits)
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        try:
            self._serve(simulator, options["host"], options["port"])
        finally:
            simulator.close()

    def _serve(self, simulator: Simulator, host: str, port: int) -> None:
        # SIGINT too: a shell that starts a program in the background makes it ignore Ctrl-C otherwise.
        previous = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with SimulatorServer(simulator, host, port) as server:
                self.stdout.write(f"AWS simulator: {server.url} (Ctrl-C stops it)")
                self.stdout.flush()
                signal.pause()
        except KeyboardInterrupt:
            self.stdout.write("AWS simulator stopped.")
        except ValueError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(error.strerror or str(error)) from error
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _organisation(name: str) -> Organisation:
    try:
        organisation = import_string(name)
    except ImportError as error:
        raise CommandError(f"--organisation {name}: {error}") from error
    if not isinstance(organisation, Organisation):
        raise CommandError(f"--organisation {name} is not an Organisation")
    return organisation


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
