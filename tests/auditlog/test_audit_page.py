"""The audit page: newest first, filtered, paged by number, each event with its exact record."""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from auditlog import checkpoints
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.clock import moved_to
from auditlog.ledger import Subject
from auditlog.models import Event
from catalog.models import DirectoryGroup
from jitportal.models import User
from tests.auditlog.conftest import Append
from tests.flush import unprotected


@pytest.fixture
def auditor(client: Client, compliance: User) -> Client:
    client.force_login(compliance)
    return client


def _numbers(response: Any) -> list[int]:
    return [int(number) for number in re.findall(r'id="event-(\d+)"', response.text)]


def test_an_empty_ledger_says_what_would_be_here(auditor: Client) -> None:
    assert "Nothing has been recorded yet" in auditor.get("/audit/").text


def test_events_come_newest_first_with_sentence_and_record(auditor: Client, append: Append) -> None:
    append(Action.GRANT_ACTIVE, {"account": "Payments Dev (123456789012)"})
    last = append(Action.GRANT_ENDED, {"account": "Payments Dev (123456789012)", "reason": "<script>alert(1)</script>"})
    response = auditor.get("/audit/")
    assert _numbers(response) == [2, 1]
    assert "The grant on Payments Dev (123456789012) is active" in response.text
    assert last.canonical in unescape(response.text)
    assert last.hash in response.text
    assert "<script>alert" not in response.text


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"action": "grant.ended"}, [2]),
        ({"actor": "ada"}, [1]),
        ({"actor": "0a5c"}, [1]),
        ({"actor": "person:0a5c"}, [1]),
        ({"actor": "0a5"}, []),
        ({"subject": "6b0c"}, [2]),
        ({"subject": "request:6b0c"}, [2]),
        ({"subject": "role:6b0c"}, []),
        ({"subject": " 6b0c "}, [2]),
        ({"text": "deploy"}, [1]),
        ({"text": "Zoë"}, [3, 2]),
        ({"text": 'say "hi"'}, [3]),
        ({"text": "100%"}, [3]),
        ({"text": "10_%"}, []),
        ({"from": "2026-11-18"}, [3, 2]),
        ({"from": "2026-11-18T12:00"}, [3, 2]),
        ({"from": "2026-11-18T12:00:01"}, [3]),
        ({"to": "2026-11-18"}, [2, 1]),
        ({"to": "2026-11-18T11:59"}, [1]),
        ({"to": "2026-11-18 12:00"}, [2, 1]),
        ({"from": "2026-11-18", "to": "2026-11-18", "action": "grant.ended"}, [2]),
        ({"from": "", "to": "", "actor": "", "action": "", "subject": "", "text": ""}, [3, 2, 1]),
        ({"unknown": "parameter"}, [3, 2, 1]),
    ],
)
def test_each_filter_lets_through_what_it_names(
    auditor: Client, append: Append, filters: dict[str, str], expected: list[int]
) -> None:
    zoe = Actor.person("1b6d", "Zoë Šimek")
    with moved_to(datetime(2026, 11, 17, 12, tzinfo=UTC)):
        append(Action.GRANT_ACTIVE, {"reason": "Deploy"}, Actor.person("0a5c", "Ada"), Subject("request", "5a9b"))
    with moved_to(datetime(2026, 11, 18, 12, tzinfo=UTC)):
        append(Action.GRANT_ENDED, {"reason": "Zoë"}, zoe, Subject("request", "6b0c"))
    with moved_to(datetime(2026, 11, 19, 12, tzinfo=UTC)):
        append(Action.DECISION_MADE, {"comment": 'say "hi" 100%'}, zoe, Subject("request", "7c1d"))
    response = auditor.get("/audit/", filters)
    assert response.status_code == 200
    assert _numbers(response) == expected


def test_the_short_id_that_pages_show_finds_what_is_about_it(auditor: Client, append: Append) -> None:
    for number, about in enumerate(("6b0c12ab", "6b0c12ac", "6b0c12aa"), start=1):
        append(subject=Subject("request", f"{about}-0000-4000-8000-{number:012d}"))
    append(subject=Subject("request", "6b0c12ab-ffff-4fff-bfff-ffffffffffff"))
    for wanted in ("6b0c12ab", "request:6b0c12ab"):
        assert _numbers(auditor.get("/audit/", {"subject": wanted})) == [4, 1]
    assert _numbers(auditor.get("/audit/", {"subject": "role:6b0c12ab"})) == []
    assert _numbers(auditor.get("/audit/", {"subject": "6b0c12a"})) == []


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("from", "yesterday", "Give a day"),
        ("from", "2026-02-30", "Give a day"),
        ("from", "0000-01-01", "Give a day"),
        ("to", "9999-12-31", "Give a day"),
        ("to", "2026-11-20T25:00", "Give a day"),
        ("action", "request.teleported", "request.teleported is not something that the ledger records"),
        ("actor", "x" * 201, "at most 200 characters"),
        ("subject", "x" * 201, "at most 200 characters"),
        ("text", "x" * 201, "at most 200 characters"),
        ("actor", "a\x00b", "Null characters are not allowed"),
        ("subject", "a\x00b", "Null characters are not allowed"),
        ("text", "a\x00b", "Null characters are not allowed"),
        ("text", "a\x07b", "There is a control character (U+0007) in it"),
        ("actor", "a\u0085b", "There is a control character (U+0085) in it"),
        ("subject", "a\x1bb", "There is a control character (U+001B) in it"),
        ("text", "a " * 11, "Give at most 10 words; these are 11."),
        ("actor", "a " * 3000, "Give at most 10 words; these are 3000."),
        ("action", "a\x00b", "is not something that the ledger records"),
        ("from", "a\x00b", "Give a day"),
        ("before", "\x00", "Enter a whole number"),
        ("before", "abc", "Enter a whole number"),
        ("before", "-1", "greater than or equal to 1"),
        ("after", str(2**63), "less than or equal to"),
    ],
)
def test_a_filter_that_cannot_be_read_gets_a_message_and_is_kept(
    auditor: Client, append: Append, parameter: str, value: str, message: str
) -> None:
    append()
    response = auditor.get("/audit/", {"actor": "Ada", "text": "deploy", parameter: value})
    assert response.status_code == 400
    assert message in unescape(response.text)
    assert _numbers(response) == []
    for name, kept in {"actor": "Ada", "text": "deploy", parameter: value}.items():
        if name not in ("action", "before", "after") and kept.isprintable() and kept.strip() == kept:
            assert f'value="{kept}"' in response.text


def test_a_day_that_cannot_be_read_is_not_lost_in_a_date_picker(auditor: Client) -> None:
    response = auditor.get("/audit/", {"from": "yesterday", "to": "2026-11-20"})
    assert re.search(r'<input type="text" name="from" value="yesterday"', response.text)
    assert re.search(r'<input type="datetime-local" name="to" value="2026-11-20T23:59:59"', response.text)
    assert 'type="datetime-local" name="from"' in auditor.get("/audit/").text


def test_ten_words_can_be_looked_for(auditor: Client) -> None:
    assert auditor.get("/audit/", {"text": " ".join("word" for _ in range(10))}).status_code == 200


def test_an_end_before_the_beginning_is_said(auditor: Client) -> None:
    response = auditor.get("/audit/", {"from": "2026-11-20", "to": "2026-11-19"})
    assert response.status_code == 400
    assert "This is before the beginning." in response.text


def test_a_filter_that_nothing_passes_says_so(auditor: Client, append: Append) -> None:
    append()
    response = auditor.get("/audit/", {"text": "nowhere"})
    assert "No event is as the filters ask" in response.text


def test_pages_go_through_every_event_once_and_back(
    auditor: Client, append: Append, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(120):
        append(Action.GRANT_ACTIVE if number % 2 else Action.GRANT_ENDED)
    seen: list[int] = []
    link: str | None = "?action=grant.active"
    last = ""
    while link:
        last, response = link, auditor.get(f"/audit/{link}")
        seen += _numbers(response)
        link = _link(response, "next")
    assert seen == sorted((event.number for event in Event.objects.filter(action="grant.active")), reverse=True)
    newer = _link(auditor.get(f"/audit/{last}"), "prev")
    assert newer is not None
    assert _numbers(auditor.get(f"/audit/{newer}")) == seen[:50]
    assert _link(auditor.get(f"/audit/{newer}"), "prev") is None


@pytest.mark.parametrize("place", [{"before": "1"}, {"after": "99"}, {"before": "9", "after": "1"}])
def test_a_place_where_nothing_is_leads_back(auditor: Client, append: Append, place: dict[str, str]) -> None:
    append()
    assert auditor.get("/audit/", place).status_code == 200


def test_a_later_page_costs_no_more_queries(auditor: Client, append: Append) -> None:
    for _ in range(60):
        append()
    # The first page of a session notes when it began.
    auditor.get("/audit/")
    counts = []
    for place in ({}, {"before": "30"}):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            auditor.get("/audit/", place)
        counts.append(len(queries))
        assert not any("OFFSET" in query["sql"] for query in queries)
    assert abs(counts[0] - counts[1]) <= 1


def test_a_verification_is_run_and_shown(auditor: Client, append: Append) -> None:
    append()
    checkpoints.make()
    assert auditor.post("/audit/verify/").status_code == 302
    assert "Whole to event 2, with 1 checkpoint and" in auditor.get("/audit/").text
    DirectoryGroup.objects.create(object_id=str(UUID(int=1)), name="Payments")
    auditor.post("/audit/verify/")
    text = auditor.get("/audit/").text
    assert "2 rows of today as their last version says" in text
    assert "2 more history rows: 2 of directory groups" in text
    assert "No event vouches for these, so they prove nothing" in text
    assert "tell your security team" in text
    with unprotected():
        Event.objects.filter(number=1).update(actor_name="Somebody Else")
    auditor.post("/audit/verify/")
    assert "Broken: Record 1 was altered" in auditor.get("/audit/").text


def test_checkpoints_can_be_downloaded(auditor: Client, append: Append) -> None:
    append()
    checkpoint = checkpoints.make()
    assert checkpoint is not None
    (listed,) = auditor.get("/audit/checkpoints.json").json()["checkpoints"]
    assert (listed["number"], listed["signature"]) == (1, checkpoint.signature)


def _link(response: Any, rel: str) -> str | None:
    found = re.search(rf'<a href="([^"]*)" rel="{rel}">', response.text)
    return unescape(found[1]) if found else None


def test_an_event_whose_record_was_destroyed_can_still_be_seen(auditor: Client, append: Append) -> None:
    append()
    with unprotected():
        Event.objects.update(canonical="[")
    response = auditor.get("/audit/")
    assert response.status_code == 200
    assert "The record of this event cannot be read" in response.text
