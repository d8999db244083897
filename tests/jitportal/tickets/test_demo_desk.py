"""The demo's ticket system says yes to what is open, and answers nobody but the portal."""

from dataclasses import replace

import pytest
from django.conf import settings
from pytest_django import Settings
from werkzeug.test import Client

from accessrequests.ticketing import Answer, NoAnswer
from jitportal.demo.serving import HttpServer
from jitportal.demo.tickets import CLOSED, OPEN, TicketDesk
from jitportal.tickets.webhook import SIGNATURE, TIMESTAMP, Webhook, signature
from tests.jitportal.tickets.test_webhook import QUESTION

SECRET = "a-secret-that-both-sides-know-0123456789"


def test_the_portal_is_told_of_its_tickets(settings: Settings) -> None:
    settings.TICKET_WEBHOOK_SECRET = SECRET
    with HttpServer(TicketDesk(SECRET), name="tickets") as server:
        settings.TICKET_WEBHOOK_URL = f"{server.url}/check"
        found = {name: Webhook().check(replace(QUESTION, ticket=name)) for name in ("INC-4711", "INC-4460", "INC-1")}
        settings.TICKET_WEBHOOK_SECRET = SECRET[::-1]
        with pytest.raises(NoAnswer, match="HTTP 403"):
            Webhook().check(QUESTION)
    assert found == {
        "INC-4711": Answer(True),
        "INC-4460": Answer(False, "INC-4460 is closed: A session blocks the nightly close."),
        "INC-1": Answer(False, "There is no ticket INC-1."),
    }


@pytest.mark.parametrize(("age", "status"), [(0, 200), (299, 200), (301, 403), (-301, 403)])
def test_a_question_of_another_time_is_not_answered(age: int, status: int) -> None:
    now, body = 1_795_000_000, b'{"ticket": "INC-4711"}'
    timestamp = str(now - age)
    headers = {TIMESTAMP: timestamp, SIGNATURE: signature(SECRET, timestamp, body), "Content-Type": "application/json"}
    desk = Client(TicketDesk(SECRET, now=lambda: now))
    assert desk.post("/check", data=body, headers=headers).status_code == status
    assert desk.post("/check", data=body + b" ", headers=headers).status_code == 403


def test_a_page_lists_the_tickets() -> None:
    page = Client(TicketDesk(SECRET)).get("/").text
    assert all(ticket in page for ticket in (*OPEN, *CLOSED))


def test_embedded_mode_asks_the_demos_own() -> None:
    assert settings.TICKET_WEBHOOK_URL.endswith("/tickets/check")
    assert len(settings.TICKET_WEBHOOK_SECRET) >= 32
