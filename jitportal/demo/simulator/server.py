"""Serves a simulator over HTTP on a loopback port, from threads of this process."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from waitress.channel import ClientDisconnected

from jitportal.demo.serving import HttpServer

from .app import Application
from .control import is_loopback
from .errors import ReplyLostError
from .simulator import Simulator


class SimulatorServer(HttpServer):
    """`with SimulatorServer(simulator) as server: … server.url`; port 0 takes a free one."""

    def __init__(self, simulator: Simulator, host: str = "127.0.0.1", port: int = 0) -> None:
        """ValueError if `host` is not loopback: anybody who reaches the simulator is its administrator."""
        if not is_loopback(host):
            raise ValueError(f"the simulator serves loopback addresses only, not {host}")
        self._simulated = Application(simulator)
        super().__init__(self._serve, host=host, port=port, name="simulator")

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return self._simulated(environ, start_response)
        except ReplyLostError as lost:
            # The way to make waitress close a connection without a word.
            raise ClientDisconnected from lost
