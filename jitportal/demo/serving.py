"""Serves a WSGI application over HTTP from threads of this process, and stops cleanly."""

import errno
import socket
import threading
from types import TracebackType
from typing import Any, Self
from wsgiref.types import WSGIApplication

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import WSGITask


class _Task(WSGITask):  # type: ignore[misc]
    """Answers HEAD with the head alone; waitress leaves that to the application, and Django leaves it to the server.

    A body would be read as the beginning of the next answer on the connection. Source: RFC 9110, 9.3.2.
    """

    def get_environment(self) -> dict[str, Any]:
        environment: dict[str, Any] = super().get_environment()
        if self._is_head:
            # A file that is wrapped so would go past `write`.
            environment.pop("wsgi.file_wrapper", None)
        return environment

    def write(self, data: bytes) -> None:
        super().write(b"" if self._is_head else data)

    def finish(self) -> None:
        if not self._is_head:
            super().finish()
        elif not self.wrote_header:
            self.write(b"")

    @property
    def _is_head(self) -> bool:
        return bool(self.request.command == "HEAD")


class _Channel(HTTPChannel):  # type: ignore[misc]
    task_class = _Task


class HttpServer:
    """`with HttpServer(application) as server: … server.url`; port 0 takes a free one, threads are daemons.

    Raises:
        OSError: EADDRINUSE with a sentence for its text, when something else listens on the port.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        threads: int = 16,
        name: str = "web",
    ) -> None:
        self._application = application
        self._host = host
        self._port = port
        self._threads = threads
        self._name = name
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """Where it is served, without a slash at its end; RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError(f"{self._name} is not started")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.effective_port}"

    def start(self) -> Self:
        """Listens, and serves from threads."""
        # Bound here and not by waitress, which leaves its socket open when the port is in use.
        bound = _bind(self._host, self._port)
        self._server = create_server(
            self._application,
            sockets=[bound],
            threads=self._threads,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
        self._server.channel_class = _Channel
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finishes the answers in hand and closes every connection; harmless if not started."""
        if self._thread is None:
            return
        server = self._server
        self._stopping.set()
        # Everything is closed only after the loop has ended: a loop that closed its own trigger could do so between
        # these two lines, and the trigger would be pulled on a closed file.
        server.pull_trigger()
        self._thread.join()
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)  # noqa: SLF001 - waitress has no public way to close its channels
        self._thread = self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        server = self._server
        # waitress's own run() ends only by an exception in its thread, so its loop is turned here, one round at a time.
        while not self._stopping.is_set():
            server.asyncore.loop(timeout=1.0, use_poll=True, map=server._map, count=1)  # noqa: SLF001


def _bind(host: str, port: int) -> socket.socket:
    """A socket bound to an address; OSError with a sentence if the port is in use."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno != errno.EADDRINUSE:
            raise
        said = f"port {port} on {host} is in use; stop what listens there or choose another port"
        raise OSError(errno.EADDRINUSE, said) from error
    return bound
