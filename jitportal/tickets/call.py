"""One POST that is over after so many seconds, whatever the other side does: each byte late, or none at all."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answered:
    """A status, and the body as far as it was read: one byte more than may be, if it is longer."""

    status: int
    body: bytes


class Call:
    """Made by a thread of its own: a time limit on a socket would begin anew with each byte, and names are looked up
    without one."""

    def __init__(self, url: str, headers: Mapping[str, str], body: bytes, most: int) -> None:
        self._parts = urlsplit(url)
        self._headers, self._body, self._most = headers, body, most
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._outcome: Future[Answered] = Future()
        self._is_over = threading.Event()

    def within(self, seconds: float) -> Answered:
        """The answer.

        Raises:
            TimeoutError: it was not all there in time.
            OSError, http.client.HTTPException, ValueError: there was none, or none that is HTTP.
        """
        threading.Thread(target=self._run, args=(seconds,), name="ticket-check", daemon=True).start()
        try:
            return self._outcome.result(seconds)
        finally:
            # The thread ends with its socket, or before it asks.
            self._is_over.set()
            self._hang_up()

    def _run(self, seconds: float) -> None:
        try:
            self._outcome.set_result(self._post(seconds))
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits is told
            self._outcome.set_exception(error)
        finally:
            if self._connection is not None:
                self._connection.close()

    def _post(self, seconds: float) -> Answered:
        host = self._parts.hostname or ""
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(host, self._parts.port, timeout=seconds, context=context)
        else:
            self._connection = http.client.HTTPConnection(host, self._parts.port, timeout=seconds)
        self._connection.connect()
        self._socket = self._connection.sock
        if self._is_over.is_set():
            # Looking up the name took too long, and there was no socket to end.
            raise TimeoutError
        target = self._parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        # A redirect is an answer like another: the body goes nowhere else.
        self._connection.request("POST", target, self._body, dict(self._headers))
        response = self._connection.getresponse()
        read = response.read(self._most + 1)
        # `read` says nothing of what was announced and did not come; `length` is what is left of it.
        if len(read) <= self._most and response.length:
            raise http.client.IncompleteRead(read, response.length)
        return Answered(response.status, read)

    def _hang_up(self) -> None:
        # While TLS is being agreed on, only the connection has it.
        begun = self._connection.sock if self._connection is not None else None
        for each in (self._socket, begun):
            if each is not None:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
