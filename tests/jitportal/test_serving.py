"""The demo's server answers as HTTP says, so that what comes next on a connection is read from its beginning."""

import socket
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from jitportal.demo.serving import HttpServer

BODY = b"0123456789"


class Answer:
    """An answer in parts, which says whether it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield BODY[:4]
        yield BODY[4:]

    def close(self) -> None:
        self.closed += 1


answers: list[Answer] = []


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Says its ten bytes whatever the method, with their length beforehand unless asked not to."""
    if environ["PATH_INFO"] == "/written":
        start_response("200 OK", [])(BODY)
        return []
    said = [] if environ["PATH_INFO"] == "/unmeasured" else [("Content-Length", str(len(BODY)))]
    start_response("200 OK", [("Content-Type", "text/plain"), *said])
    answers.append(Answer())
    return answers[-1]


@pytest.fixture
def server() -> Iterator[HttpServer]:
    answers.clear()
    with HttpServer(application, threads=1) as started:
        yield started


def exchange(server: HttpServer, *requests: str) -> bytes:
    """What comes back when these are sent one after the other on one connection."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        for request in requests:
            connection.sendall(f"{request} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_an_answer_to_head_has_no_body_and_the_next_answer_follows_its_head(server: HttpServer) -> None:
    head, get = exchange(server, "HEAD /", "GET /").split(b"\r\n\r\n", 1)
    assert b"Content-Length: 10" in head
    assert get.startswith(b"HTTP/1.1 200 OK")
    assert get.endswith(BODY)


def test_an_answer_of_unknown_length_has_no_body_either(server: HttpServer) -> None:
    head, _, rest = exchange(server, "HEAD /unmeasured").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert rest == b""


def test_what_is_written_past_the_answer_is_kept_back_too(server: HttpServer) -> None:
    assert exchange(server, "HEAD /written").partition(b"\r\n\r\n")[2] == b""
    assert BODY in exchange(server, "GET /written")


def test_an_answer_to_head_is_closed_like_any_other(server: HttpServer) -> None:
    exchange(server, "HEAD /", "GET /")
    assert [answer.closed for answer in answers] == [1, 1]
