"""Serves a simulator over HTTP on a loopback port, from threads of this process."""

import errno
import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self
from wsgiref.types import StartResponse, WSGIEnvironment

from waitress.channel import ClientDisconnected
from waitress.server import create_server

from .app import Application
from .control import is_loopback
from .errors import ReplyLostError
from .simulator import Simulator

_THREADS = 16


class SimulatorServer:
    """``with SimulatorServer(simulator) as server: …  server.url``; port 0 takes a free one."""

    def __init__(self, simulator: Simulator, host: str = "127.0.0.1", port: int = 0) -> None:
        """ValueError if ``host`` is not loopback: anybody who reaches the simulator is its administrator."""
        if not is_loopback(host):
            raise ValueError(f"the simulator serves loopback addresses only, not {host}")
        self._application = Application(simulator)
        self._host = host
        self._port = port
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """What to give boto3 as ``endpoint_url``; RuntimeError before ``start``."""
        if self._server is None:
            raise RuntimeError("the simulator is not started")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.effective_port}"

    def start(self) -> None:
        """Listen, and serve from threads; OSError says so if the port is in use."""
        # Bound here and not by waitress, which leaves its socket open when the port is in use.
        bound = _bind(self._host, self._port)
        self._server = create_server(self._serve, sockets=[bound], threads=_THREADS, ident=None)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the calls in hand and close every connection; harmless if not started."""
        if self._thread is None:
            return
        server = self._server
        self._stopping.set()
        # Everything is closed only after the loop has ended: a loop that closed its own trigger could do so
        # between these two lines, and the trigger would be pulled on a closed file.
        server.pull_trigger()
        self._thread.join()
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)  # noqa: SLF001 (waitress has no other way to close all)
        self._thread = None
        self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return self._application(environ, start_response)
        except ReplyLostError as lost:
            # The way to make waitress close a connection without a word.
            raise ClientDisconnected from lost

    def _run(self) -> None:
        server = self._server
        # waitress's own run() ends only by an exception in its thread, so its loop is turned here.
        while not self._stopping.is_set():
            server.asyncore.loop(timeout=1.0, use_poll=True, map=server._map, count=1)  # noqa: SLF001


def _bind(host: str, port: int) -> socket.socket:
    """A socket bound to a loopback address; OSError with a sentence if the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno != errno.EADDRINUSE:
            raise
        sentence = f"port {port} on {host} is in use; stop what listens there or choose another port"
        raise OSError(errno.EADDRINUSE, sentence) from error
    return bound
