"""A ticket system for tests: a real server on this machine that notes what it is asked and replies as it is told."""

import json
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Reply = Callable[[socket.socket], None]


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Desk:
    """`reply` writes the answer; `hung_up` is set when the portal has closed the connection before it was whole."""

    url: str = ""
    reply: Reply = lambda connection: None
    asked: list[Asked] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    def says(self, body: Any, status: str = "200 OK", headers: str = "") -> None:
        """From now on it answers with this JSON, or with these bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n".encode()
        self.reply = lambda connection: connection.sendall(head + content)

    def breaks_off(self, body: bytes) -> None:
        """From now on it announces more than it sends, and hangs up."""
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body) + 485}\r\n\r\n".encode()
        self.reply = lambda connection: connection.sendall(head + body)

    def trickles(self, beginning: bytes, each: bytes) -> None:
        """From now on it never comes to an end, but always has something to say."""

        def reply(connection: socket.socket) -> None:
            connection.sendall(beginning)
            while not self.hung_up.wait(0.02):
                connection.sendall(each)

        self.reply = reply


class Served:
    """`with Served() as desk: …`."""

    def __enter__(self) -> Desk:
        desk = self.desk = Desk()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                if not (first := self.rfile.readline()):
                    return
                method, path, _ = first.decode().split(" ", 2)
                headers: dict[str, str] = {}
                while line := self.rfile.readline().decode().strip():
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                body = self.rfile.read(int(headers.get("content-length", 0)))
                desk.asked.append(Asked(method, path, headers, body))
                try:
                    desk.reply(self.connection)
                except OSError:
                    desk.hung_up.set()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        desk.url = f"http://127.0.0.1:{self._server.server_address[1]}/tickets?team=payments"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return desk

    def __exit__(self, *_: object) -> None:
        self.desk.hung_up.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
