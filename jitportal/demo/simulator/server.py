"""Serves a simulator over HTTP on a loopback port, from threads of this process."""

import errno
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self
from wsgiref.types import StartResponse, WSGIEnvironment

from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from .app import Application
from .control import is_loopback
from .errors import ReplyLost
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
        try:
            self._server = create_server(
                self._serve, host=self._host, port=self._port, threads=_THREADS, ident=None
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise OSError(
                errno.EADDRINUSE,
                f"port {self._port} on {self._host} is in use; stop what listens there or choose another port",
            ) from error
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
        server.asyncore.close_all(server._map)
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
        except ReplyLost as lost:
            # The way to make waitress close a connection without a word.
            raise ClientDisconnected from lost

    def _run(self) -> None:
        server = self._server
        # waitress's own run() ends only by an exception in its thread, so its loop is turned here, one round at a time.
        while not self._stopping.is_set():
            server.asyncore.loop(timeout=1.0, use_poll=True, map=server._map, count=1)
