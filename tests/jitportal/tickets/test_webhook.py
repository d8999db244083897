"""The webhook over real HTTP: a plain yes is a yes, a no has its reason, and all else is no answer."""

import hashlib
import hmac
import socket
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from accessrequests.ticketing import Answer, NoAnswer, Question
from catalog.people import Person
from catalog.policy import AccountChoice
from jitportal.tickets import webhook
from jitportal.tickets.webhook import Webhook
from tests.jitportal.tickets.desk import Desk, Served

SECRET = "a-secret-that-both-sides-know-0123456789"
QUESTION = Question(
    request_id=uuid.UUID("11111111-2222-4333-8444-555555555555"),
    ticket="INC-4711",
    requester=Person(1, "b0000000", "Zoë", "zoe@harbour.example", "", "", frozenset(), True, False, False),
    role="Developer",
    environment="Production",
    accounts=(AccountChoice("123456789012", "Payments", 1, False),),
    duration=timedelta(hours=1),
    reason="Look into the queue.",
)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    with Served() as made:
        settings.TICKET_WEBHOOK_URL, settings.TICKET_WEBHOOK_SECRET = made.url, SECRET
        yield made


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline is near, so that nobody waits for it."""
    monkeypatch.setattr(webhook, "DEADLINE", 0.2)


def ask() -> Answer:
    return Webhook(now=lambda: 1_795_000_000.7).check(QUESTION)


def test_a_plain_yes_is_one(desk: Desk) -> None:
    desk.says({"valid": True})
    assert ask() == Answer(True)


def test_what_is_asked_is_posted_whole(desk: Desk) -> None:
    desk.says({"valid": True, "assignee": "zoe"})
    ask()
    (asked,) = desk.asked
    assert (asked.method, asked.path, asked.headers["content-type"]) == (
        "POST",
        "/tickets?team=payments",
        "application/json",
    )
    assert asked.said == {
        "request_id": "11111111-2222-4333-8444-555555555555",
        "ticket": "INC-4711",
        "requester": {"object_id": "b0000000", "user_name": "zoe@harbour.example", "name": "Zoë"},
        "role": "Developer",
        "environment": "Production",
        "accounts": [{"id": "123456789012", "name": "Payments"}],
        "duration_seconds": 3600,
        "reason": "Look into the queue.",
        "extends": False,
    }


def test_the_signature_is_over_the_time_and_the_body(desk: Desk) -> None:
    desk.says({"valid": True})
    ask()
    (asked,) = desk.asked
    assert asked.headers["x-jitportal-timestamp"] == "1795000000"
    expected = hmac.new(SECRET.encode(), b"1795000000." + asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["x-jitportal-signature"] == f"sha256={expected}"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"valid": False, "reason": "INC-4711 is closed."}, "INC-4711 is closed."),
        ({"valid": False}, ""),
        ({"valid": False, "reason": 7}, ""),
        ({"valid": False, "reason": " closed\n since\tMonday "}, "closed since Monday"),
        ({"valid": False, "reason": "<b>no\u202eon</b>\x00"}, "<b>noon</b>"),
        ({"valid": False, "reason": "x" * 4000}, "x" * 300 + "…"),
    ],
)
def test_a_no_is_told_with_its_reason_as_one_line_of_text(desk: Desk, body: object, reason: str) -> None:
    desk.says(body)
    assert ask() == Answer(False, reason)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("500 Oops", {"valid": True}, "answered with an error (HTTP 500)"),
        ("404 Not Found", {"valid": True}, "answered with an error (HTTP 404)"),
        ("201 Created", {"valid": True}, "answered with an error (HTTP 201)"),
        ("204 No Content", b"", "answered with an error (HTTP 204)"),
        ("200 OK", b"", "answered with something that is not JSON"),
        ("200 OK", b"<html>yes</html>", "answered with something that is not JSON"),
        ("200 OK", b'{"valid": true', "answered with something that is not JSON"),
        ("200 OK", b'{"valid": false, "valid": true}', "answered with something that is not JSON"),
        ("200 OK", b"[" * 16000, "answered with something that is not JSON"),
        ("200 OK", b"\xff\xfe\xff", "answered with something that is not JSON"),
        ("200 OK", "true", "answered with neither yes nor no"),
        ("200 OK", True, "answered with neither yes nor no"),
        ("200 OK", {}, "answered with neither yes nor no"),
        ("200 OK", {"valid": "true"}, "answered with neither yes nor no"),
        ("200 OK", {"valid": 1}, "answered with neither yes nor no"),
        ("200 OK", {"valid": None}, "answered with neither yes nor no"),
        ("200 OK", [{"valid": True}], "answered with neither yes nor no"),
        ("200 OK", {"valid": True, "padding": "x" * 16384}, "answered with more than 16 KiB"),
    ],
)
def test_everything_else_is_no_answer(desk: Desk, status: str, body: object, said: str) -> None:
    desk.says(body, status)
    with pytest.raises(NoAnswer) as none:
        ask()
    assert str(none.value) == said


def test_what_was_cut_short_is_no_answer_though_it_reads_as_one(desk: Desk) -> None:
    desk.breaks_off(b'{"valid": true}')
    with pytest.raises(NoAnswer, match="gave no answer that can be read"):
        ask()


def test_a_redirect_is_not_followed(desk: Desk) -> None:
    desk.says({"valid": True}, "307 Temporary Redirect", f"Location: {desk.url}\r\n")
    with pytest.raises(NoAnswer, match=r"redirect \(HTTP 307\)"):
        ask()
    assert len(desk.asked) == 1


@pytest.mark.usefixtures("_hurried")
@pytest.mark.parametrize(
    ("beginning", "each"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: to come\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 15000\r\n\r\n{"valid": true', b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
)
def test_an_answer_that_trickles_is_cut_off_at_the_deadline(desk: Desk, beginning: bytes, each: bytes) -> None:
    desk.trickles(beginning, each)
    with pytest.raises(NoAnswer, match="did not answer within"):
        ask()


@pytest.mark.usefixtures("_hurried")
def test_a_connection_that_was_given_up_is_closed(desk: Desk) -> None:
    desk.trickles(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")
    with pytest.raises(NoAnswer):
        ask()
    assert desk.hung_up.wait(20)


@pytest.mark.usefixtures("_hurried")
def test_nothing_is_asked_once_the_deadline_has_passed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.says({"valid": True})
    given_up, connect = threading.Event(), socket.create_connection

    def slowly(*args: Any, **options: Any) -> socket.socket:
        given_up.wait(10)
        return connect(*args, **options)

    monkeypatch.setattr(socket, "create_connection", slowly)
    with pytest.raises(NoAnswer, match="did not answer"):
        ask()
    given_up.set()
    for thread in threading.enumerate():
        if thread.name == "ticket-check":
            thread.join(10)
    assert not desk.asked


def test_a_body_without_end_is_read_no_further_than_it_may(desk: Desk) -> None:
    desk.trickles(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536)
    with pytest.raises(NoAnswer, match="more than 16 KiB"):
        ask()
    assert desk.hung_up.wait(20)


@pytest.mark.parametrize("garbage", [b"", b"220 smtp.example.com ready\r\n", b"HTTP/1.1 banana\r\n\r\n"])
def test_what_is_no_http_is_no_answer(desk: Desk, garbage: bytes) -> None:
    desk.reply = lambda connection: connection.sendall(garbage)
    with pytest.raises(NoAnswer, match=r"could not be reached|no answer that can be read"):
        ask()


def test_nobody_there_is_no_answer(settings: Settings) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        settings.TICKET_WEBHOOK_URL = f"http://127.0.0.1:{reserved.getsockname()[1]}/"
        settings.TICKET_WEBHOOK_SECRET = SECRET
        with pytest.raises(NoAnswer, match=r"could not be reached \(ConnectionRefusedError\)"):
            ask()


def test_https_is_demanded_of_a_server_that_is_named_with_it(desk: Desk, settings: Settings) -> None:
    settings.TICKET_WEBHOOK_URL = desk.url.replace("http:", "https:")
    with pytest.raises(NoAnswer, match="could not be reached"):
        ask()
    assert desk.asked == []
