"""Serves a directory from a thread of its own, for tests and whoever else wants one beside the portal."""

import socket
import threading
from typing import Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from jitportal.demo.directory.graph import Graph
from jitportal.demo.directory.pages import DirectoryPages
from jitportal.demo.directory.tenant import Directory


class _Quiet(WSGIRequestHandler):
    """A line a request on standard error would drown a test's own output."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class DirectoryServer:
    """`start()` serves until `stop()`; port 0 takes a free one. Raises OSError if the port is in use."""

    def __init__(self, directory: Directory, host: str = "127.0.0.1", port: int = 0) -> None:
        self.directory = directory
        self._pages = DirectoryPages(directory)
        self._host, self._port = host, port
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is served, without a slash at its end."""
        return self.directory.base_url

    @property
    def graph(self) -> Graph:
        """What is read from it as from Microsoft Graph."""
        return self._pages.graph

    def start(self) -> Self:
        # Bound here rather than by the server, which would end the process if the port were taken.
        with socket.create_server((self._host, self._port)) as listening:
            port = listening.getsockname()[1]
            self._server = make_server(
                self._host,
                port,
                self._pages,
                threaded=True,
                request_handler=_Quiet,
                fd=listening.fileno(),
            )
        self.directory.base_url = f"http://{self._host}:{port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="directory", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None
