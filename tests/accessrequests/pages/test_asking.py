"""The form of an ask: what is wrong is said at its field, with its rule, and nothing typed is lost."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accessrequests.models import AccessRequest
from auditlog.models import Event
from catalog.models import AccessPolicy
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text, typed

NEW = "/requests/new/"
FORM = f"{NEW}?role=developer&environment=production"


def test_an_ask_is_made_from_the_page_without_scripts(office: Office, asker: Client) -> None:
    page = text(asker.get(FORM))
    sent_id = re.search(r'name="id" value="([0-9a-f-]{36})"', page)
    assert sent_id
    answer = asker.post(NEW, typed(office, id=sent_id[1]))
    made = AccessRequest.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/requests/{made.pk}/")
    assert str(made.pk) == sent_id[1]
    assert (made.duration, made.reason, made.ticket) == (timedelta(hours=1), typed(office)["reason"], "INC-4711")
    shown = text(asker.get(answer["Location"]))
    assert "Asked. It waits for 1 of Engineering Leads decide, then 1 of Security Duty Officers decide" in shown


def test_the_form_says_who_decides_and_how_long_and_by_which_rule(asker: Client) -> None:
    page = text(asker.get(FORM))
    assert "1 of Engineering Leads decide, then 1 of Security Duty Officers decide" in page
    assert "At most 2 hours, by “Production developers”" in page
    assert "“Production developers” asks for one such as <code>INC-4711</code>." in page
    assert "The whole ticket must match <code>INC-[0-9]+</code>, a regular expression." in page
    assert 'value="3600" checked' in page
    assert "up to 2 at a time" in page


def test_the_form_says_how_long_the_reason_must_be_and_refuses_a_shorter_one(office: Office, asker: Client) -> None:
    AccessPolicy.objects.filter(pk=office.catalog.two_stages.pk).update(least_reason=60)
    assert "At least 60 characters, by “Production developers”." in text(asker.get(FORM))
    answer = asker.post(NEW, typed(office))
    assert "asks for a reason of at least 60 characters; yours has 37." in _at(text(answer), "reason")
    made = asker.post(NEW, typed(office, reason=f"{typed(office)['reason']} It began with the release of today."))
    assert "A reason of at least 60 characters" in text(asker.get(made["Location"]))


def test_a_form_sent_twice_makes_one_request(office: Office, asker: Client) -> None:
    form = typed(office)
    first, second = asker.post(NEW, form), asker.post(NEW, form)
    assert first["Location"] == second["Location"]
    assert AccessRequest.objects.count() == 1
    assert "had been sent before" in text(asker.get(second["Location"]))


def test_an_id_that_is_somebody_elses_is_refused_and_replaced(office: Office, asker: Client, browse: Browse) -> None:
    form = typed(office)
    asker.post(NEW, form)
    answer = browse(company.BEN).post(NEW, form)
    assert answer.status_code == 422
    assert f'name="id" value="{form["id"]}"' not in text(answer)
    assert AccessRequest.objects.get().requester.name == company.ADA.name


@pytest.mark.parametrize(
    ("field", "message", "changes"),
    [
        ("accounts", "Choose at least one account.", {"accounts": []}),
        ("accounts", "There is no account “000000000000”.", {"accounts": ["000000000000"]}),
        ("accounts", "There is no account “x&#x27; OR 1=1”.", {"accounts": ["x' OR 1=1"]}),
        ("duration", "Choose for how long.", {"duration": ""}),
        ("duration", "Choose for how long.", {"duration": "soon"}),
        ("duration", "Choose for how long.", {"duration": "-5"}),
        ("duration", "Choose for how long.", {"duration": "9" * 400}),
        ("duration", "Choose for how long.", {"duration": "٣٦٠٠"}),
        ("duration", "Ask for a time longer than none.", {"duration": "0"}),
        ("duration", "“Production developers” allows at most 2 hours.", {"duration": "7201"}),
        ("duration", "Say how many minutes.", {"duration": "other"}),
        ("duration", "You chose 1 hour and also typed 90 minutes. Keep one of them.", {"minutes": "90"}),
        ("minutes", "Give a whole number of minutes.", {"duration": "other", "minutes": "1e3"}),
        ("minutes", "Give a whole number of minutes.", {"duration": "other", "minutes": "9" * 5000}),
        ("minutes", "That is longer than anybody may ask for.", {"duration": "other", "minutes": "9" * 20}),
        ("minutes", "Ask for one minute at least.", {"duration": "other", "minutes": "-1"}),
        ("start", "Give the day and the time at which it should begin.", {"when": "later"}),
        ("start", "You gave a time, but chose to begin at once.", {"start": "2026-11-17T08:00"}),
        ("start", "Give the day and the time, such as", {"when": "later", "start": "tomorrow"}),
        ("start", "The start lies in the past.", {"when": "later", "start": "2026-11-15T08:00"}),
        ("start", "The start may lie at most 30 days ahead.", {"when": "later", "start": "2027-11-15T08:00"}),
        ("start", "The time zone “Mars/Olympus” is not known.", {"zone": "Mars/Olympus"}),
        ("start", "The time zone “../../etc/passwd” is not known.", {"zone": "../../etc/passwd"}),
        ("when", "Choose when to begin.", {"when": "whenever"}),
        ("reason", "Say why you need it; approvers and auditors read it.", {"reason": "  "}),
        ("reason", "Say why in at least 10 characters", {"reason": "because"}),
        ("reason", "Say it in at most 2000 characters.", {"reason": "x" * 2001}),
        ("reason", "There is a control character (U+0000) in it", {"reason": "Look at\x00 the queue."}),
        ("ticket", "asks for a ticket such as INC-4711.", {"ticket": ""}),
        ("ticket", "A ticket is at most 40 characters.", {"ticket": "INC-" + "1" * 50}),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    office: Office, asker: Client, field: str, message: str, changes: dict[str, Any]
) -> None:
    answer = asker.post(NEW, typed(office, **changes))
    page = text(answer)
    assert answer.status_code == 422
    assert message in _at(page, field)
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("start", ["0001-01-01T00:00", "9999-12-31T23:59", "2026-13-45T99:99"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles", "UTC"])
def test_a_start_at_the_edge_of_the_calendar_is_an_answer_at_the_field(
    office: Office, asker: Client, start: str, zone: str
) -> None:
    answer = asker.post(NEW, typed(office, when="later", start=start, zone=zone))
    assert answer.status_code == 422
    assert _at(text(answer), "start")


def test_a_refusal_names_its_rule_and_keeps_what_was_typed(office: Office, asker: Client) -> None:
    accounts = [account.account_id for account in office.catalog.production_accounts]
    form = typed(office, accounts=accounts, reason='Say "why" & <how>', ticket="nope", duration="other", minutes="500")
    page = text(asker.post(NEW, form))
    for field in ("accounts", "duration", "ticket"):
        assert "“Production developers”" in _at(page, field)
    assert page.count(" checked") == len(accounts) + 2
    assert f'name="id" value="{form["id"]}"' in page
    assert "Say &quot;why&quot; &amp; &lt;how&gt;" in page
    assert 'value="nope"' in page
    assert 'value="500"' in page
    assert Event.objects.latest("number").action == "request.refused"


def test_all_that_is_wrong_is_said_at_once_whether_the_form_found_it_or_a_policy(office: Office, asker: Client) -> None:
    form = typed(office, accounts=[], ticket="nope", duration="7201", reason="because", when="later")
    before = Event.objects.count()
    page = text(asker.post(NEW, form))
    for field, message in (
        ("accounts", "Choose at least one account."),
        ("duration", "“Production developers” allows at most 2 hours."),
        ("start", "Give the day and the time at which it should begin."),
        ("reason", "Say why in at least 10 characters"),
        ("ticket", "“Production developers” asks for a ticket such as INC-4711."),
    ):
        said = _at(page, field)
        assert message in said
        assert said.count("<li>") == 1, said
    assert page.count('href="#field-') == 5
    for kept in ('value="nope"', "> because</textarea>", f'value="{form["id"]}"'):
        assert kept in page, kept
    assert Event.objects.count() == before, "what could not be sent is not history"


def test_what_could_not_be_read_is_not_said_to_be_missing_as_well(office: Office, asker: Client) -> None:
    page = text(asker.post(NEW, typed(office, duration="other", minutes="1e3", reason="x" * 2001, ticket="nope")))
    assert "Give a whole number of minutes." in _at(page, "minutes")
    assert "Say it in at most 2000 characters." in _at(page, "reason")
    assert "asks for a ticket" in _at(page, "ticket")
    for untrue in ("Ask for a time longer than none.", "at least 10 characters"):
        assert untrue not in page


def test_an_account_of_another_environment_is_refused_at_the_accounts(office: Office, asker: Client) -> None:
    page = text(asker.post(NEW, typed(office, accounts=[office.catalog.sandbox_accounts[0].account_id])))
    assert "is not in this environment" in _at(page, "accounts")
    assert Event.objects.latest("number").action == "request.refused"


def test_a_role_that_is_not_offered_to_me_is_refused_with_its_rule_and_recorded(office: Office, browse: Browse) -> None:
    answer = browse(company.HUGO).post(NEW, typed(office))
    assert answer.status_code == 422
    assert "You are in none of the groups or departments" in _at(text(answer), "role")
    assert typed(office)["reason"] in text(answer)
    assert Event.objects.latest("number").action == "request.refused"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("role=nope&environment=production", "There is no role “nope”."),
        ("role=developer&environment=nope", "There is no environment “nope”."),
        ("role=developer", "Choose an environment."),
        ("environment=production", "Choose a role."),
        ("role=%00&environment=production", "Null characters are not allowed."),
        ("role=%F0%28&environment=production", "There is no role"),
        ("role=<script>alert(1)</script>&environment=production", "There is no role “&lt;script&gt;alert(1)"),
    ],
)
def test_a_query_that_names_nothing_is_answered_with_what_there_is(asker: Client, query: str, message: str) -> None:
    answer = asker.get(f"{NEW}?{query}")
    assert answer.status_code == 200
    assert message in text(answer)
    assert "role=developer&amp;environment=production" in text(answer)


def test_a_role_known_but_not_open_to_me_says_so(browse: Browse) -> None:
    page = text(browse(company.HUGO).get(FORM))
    assert "You may not ask for Developer in Production at present." in page


@pytest.mark.parametrize("bad", [{"id": ""}, {"id": "1"}, {"id": "\x00"}, {"role": "nope"}, {"environment": ""}])
def test_a_damaged_form_is_answered_with_one_that_can_be_sent(
    office: Office, asker: Client, bad: dict[str, str]
) -> None:
    answer = asker.post(NEW, typed(office, **bad))
    assert answer.status_code == 422
    again = re.search(r'name="id" value="([0-9a-f-]{36})"', text(answer))
    assert again
    assert asker.post(NEW, typed(office, id=again[1])).status_code == 302


def test_an_empty_post_is_answered_at_the_fields(asker: Client) -> None:
    answer = asker.post(NEW)
    assert answer.status_code == 422
    assert "Say why you need it" in text(answer)


def test_a_start_is_read_in_the_zone_of_the_reader(office: Office, asker: Client) -> None:
    asker.post(NEW, typed(office, when="later", start="2026-11-16T20:30", zone="Asia/Tokyo"))
    assert AccessRequest.objects.get().start == datetime(2026, 11, 16, 11, 30, tzinfo=UTC)


def test_minutes_of_my_own_are_taken(office: Office, asker: Client) -> None:
    asker.post(NEW, typed(office, duration="other", minutes="7"))
    assert AccessRequest.objects.get().duration == timedelta(minutes=7)


def test_what_a_policy_approves_at_once_says_so(office: Office, asker: Client) -> None:
    form = typed(
        office, id=str(uuid.uuid4()), environment="sandbox", accounts=[office.catalog.sandbox_accounts[0].account_id]
    )
    page = text(asker.get(asker.post(NEW, form)["Location"]))
    assert "Approved at once by its policy" in page
    assert "Approved at once, by policy “Sandbox developers”" in page


def _at(page: str, field: str) -> str:
    """What is said at a field."""
    found = re.search(rf'<ul class="errors" id="error-{field}">(.*?)</ul>', page)
    assert found, page
    return found[1]
