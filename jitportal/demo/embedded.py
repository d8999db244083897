"""The embedded mode: everything that production has in processes and services of its own, in this one process."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from jitportal.demo.directory import Directory, DirectoryPages
from jitportal.demo.doors import Doors
from jitportal.demo.organisation import GROUPS, ORGANISATION, PEOPLE
from jitportal.demo.serving import HttpServer
from jitportal.demo.simulator import Simulator, SimulatorServer
from jitportal.demo.tickets import TicketDesk
from jitportal.demo.workers import Workers

WEB_THREADS: Final = 16


class PortInUse(Exception):
    """Something else listens where we want to; the message says where and what to do."""

    def __init__(self, port: int, variable: str) -> None:
        other = settings.ENVIRONMENT.port + 100
        super().__init__(
            f"Port {port} is in use, perhaps by another demo. Stop what listens there, "
            f"or choose another port with {variable}=… (for example: make demo PORT={other})."
        )


@contextmanager
def aws() -> Iterator[Simulator]:
    """The simulated AWS on its port, with its state beside the database.

    Raises:
        PortInUse: something listens there.
    """
    simulator = Simulator(ORGANISATION, state_file())
    server = SimulatorServer(simulator, port=settings.ENVIRONMENT.simulator_port)
    try:
        with _explaining(settings.ENVIRONMENT.simulator_port, "SIMULATOR_PORT"):
            server.start()
        yield simulator
    finally:
        server.stop()
        simulator.close()


@contextmanager
def pages() -> Iterator[Doors]:
    """The portal's pages, the directory's below /directory and the ticket system's below /tickets, on one loopback
    port; shut until they are opened.

    Raises:
        PortInUse: something listens there.
    """
    beside: dict[str, WSGIApplication] = {
        "/directory": DirectoryPages(directory()),
        "/tickets": TicketDesk(settings.TICKET_WEBHOOK_SECRET),
    }
    application = DispatcherMiddleware(get_wsgi_application(), beside)
    doors = Doors(application)
    server = HttpServer(doors, port=settings.ENVIRONMENT.port, threads=WEB_THREADS)
    try:
        with _explaining(settings.ENVIRONMENT.port, "PORT"):
            server.start()
        yield doors
    finally:
        server.stop()


@contextmanager
def background() -> Iterator[Simulator]:
    """AWS and the workers, for commands that need no pages."""
    with aws() as simulator, Workers():
        yield simulator


def directory() -> Directory:
    """The company's directory, with this portal as its one application."""
    environment = settings.ENVIRONMENT
    homes = (settings.PORTAL_URL, f"http://localhost:{environment.port}")
    own = {f"{home}/sign-in/{path}" for home in homes for path in ("entra/callback/", "")}
    made = Directory(
        tenant_id=environment.tenant_id,
        client_id=environment.client_id,
        client_secret=environment.client_secret,
        is_redirect_uri=own.__contains__,
        people=PEOPLE,
        base_url=f"{settings.PORTAL_URL}/directory",
    )
    for group in GROUPS:
        made.add_group(group)
    return made


def state_file() -> Path:
    """Where the simulated AWS keeps its state."""
    folder: Path = settings.ENVIRONMENT.data_dir
    return folder / "aws.state"


@contextmanager
def _explaining(port: int, variable: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port, variable) from error
        raise
