"""Asking for more time from the pages: the button, the form with what is left, and one card for one access."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accessrequests.models import AccessRequest
from auditlog.models import Event
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.extending import extend, held, held_production
from tests.accessrequests.pages.conftest import Browse, text

BUTTON = ">Ask for more time<"


def form_of(request: AccessRequest) -> str:
    return f"/requests/{request.pk}/extend/"


def page_of(request: AccessRequest) -> str:
    return f"/requests/{request.pk}/"


def typed(**changes: Any) -> dict[str, Any]:
    """A good ask for more time as its form sends it, but for the changes."""
    good = {
        "id": str(uuid.uuid4()),
        "duration": "1800",
        "minutes": "",
        "reason": "The replay takes longer.",
        "ticket": "INC-4712",
    }
    return {**good, **changes}


def at(page: str, field: str) -> str:
    """What is said at a field."""
    found = re.search(rf'<ul class="errors" id="error-{field}">(.*?)</ul>', page)
    assert found, page
    return found[1]


def test_more_time_is_asked_for_from_the_card_without_scripts(office: Office, asker: Client) -> None:
    request = held_production(office)
    for page in ("/", page_of(request)):
        assert f'<a class="button" href="{form_of(request)}">Ask for more time<' in text(asker.get(page))
    form = text(asker.get(form_of(request)))
    assert "At most 1 hour more, by “Production developers”: 2 hours in all, and 1 hour taken." in form
    assert "1 of Engineering Leads decide, then 1 of Security Duty Officers decide" in form
    assert "Mon 16 Nov 2026, 10:00 UTC" in form
    answer = asker.post(form_of(request), typed())
    made = request.extensions.get()
    assert answer["Location"] == page_of(made)
    assert (made.duration, made.reason, made.ticket) == (
        timedelta(minutes=30),
        "The replay takes longer.",
        "INC-4712",
    )
    assert "Asked. It waits for 1 of Engineering Leads decide" in text(asker.get(answer["Location"]))


def test_the_pages_of_a_chain_lead_to_one_another(office: Office, asker: Client) -> None:
    request = held_production(office)
    made = extend(office, request, ticket="INC-1")
    assert f'href="{page_of(made)}"' in text(asker.get(page_of(request)))
    assert f'href="{page_of(request)}"' in text(asker.get(page_of(made)))


def test_the_approver_sees_which_end_moves_by_how_much_to_when(office: Office, browse: Browse) -> None:
    request = held_production(office)
    made = extend(office, request, ticket="INC-1", duration=timedelta(minutes=30))
    chiara = browse(company.CHIARA)
    for page in ("/approvals/", page_of(made)):
        shown = text(chiara.get(page))
        assert "30 minutes more, 1 hour 30 minutes in all. It extends access that ends" in shown
        assert re.search(r"Mon 16 Nov 2026, 10:00 UTC</time>, to <time[^>]*>Mon 16 Nov 2026, 10:30 UTC", shown)


def test_whoever_agrees_last_to_more_time_reads_that_the_access_goes_on(office: Office, browse: Browse) -> None:
    made = extend(office, held_production(office), ticket="INC-1", duration=timedelta(minutes=30))
    office.decide(made, company.CHIARA)
    form = {"answer": "approve", "digest": made.digest, "comment": ""}
    answer = browse(company.FARID).post(f"{page_of(made)}decide/", form, follow=True)
    assert "The access that they have goes on for 30 minutes longer." in text(answer)


def test_more_time_is_not_said_to_be_approved_at_once_where_what_was_had_is_the_limit(
    office: Office, asker: Client
) -> None:
    request = held_production(office)
    policy = office.catalog.two_stages
    policy.automatic_approval = "up_to"
    for limit, said in ((90, "At once up to 1 hour 30 minutes; else 1 of"), (60, "<dd>1 of Engineering Leads decide")):
        policy.automatic_up_to = timedelta(minutes=limit)
        policy.save()
        assert said in text(asker.get(f"{page_of(request)}extend/"))


@pytest.mark.parametrize(
    ("field", "message", "changes"),
    [
        ("duration", "Ask for a time longer than none.", {"duration": "0"}),
        ("duration", "Choose for how long.", {"duration": "-5"}),
        ("duration", "Choose for how long.", {"duration": ""}),
        ("duration", "at most 2 hours in all: 1 hour taken, 1 hour left.", {"duration": "3601"}),
        ("duration", "1 hour taken, 1 hour left.", {"duration": "other", "minutes": "525600"}),
        ("minutes", "Ask for one minute at least.", {"duration": "other", "minutes": "0"}),
        ("minutes", "Give a whole number of minutes.", {"duration": "other", "minutes": "1e3"}),
        ("reason", "Say why in at least 10 characters", {"reason": "more"}),
        ("reason", "There is a control character (U+0000) in it", {"reason": "Look at\x00 the queue."}),
        ("ticket", "asks for a ticket such as INC-4711.", {"ticket": "<b>nope</b>"}),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    office: Office, asker: Client, field: str, message: str, changes: dict[str, Any]
) -> None:
    request = held_production(office)
    form = typed(**changes)
    answer = asker.post(form_of(request), form)
    page = text(answer)
    assert answer.status_code == 422
    assert message in at(page, field)
    assert f'value="{form["id"]}"' in page
    assert "<b>nope" not in page
    assert not request.extensions.exists()


def test_all_that_is_wrong_with_an_extension_is_said_at_once(office: Office, asker: Client) -> None:
    request = held_production(office)
    page = text(asker.post(form_of(request), typed(duration="", reason="more", ticket="nope")))
    assert "Choose for how long." in at(page, "duration")
    assert "Say why in at least 10 characters" in at(page, "reason")
    assert "asks for a ticket such as INC-4711." in at(page, "ticket")
    assert "longer than none" not in page


@pytest.mark.parametrize("bad", ["", "1", "\x00"])
def test_a_damaged_form_is_answered_with_one_that_can_be_sent(office: Office, asker: Client, bad: str) -> None:
    request = held_production(office)
    answer = asker.post(form_of(request), typed(id=bad))
    assert answer.status_code == 422
    again = re.search(r'name="id" value="([0-9a-f-]{36})"', text(answer))
    assert again
    assert asker.post(form_of(request), typed(id=again[1])).status_code == 302


def test_a_form_sent_twice_makes_one_extension(office: Office, asker: Client) -> None:
    request, form = held_production(office), typed()
    first, second = asker.post(form_of(request), form), asker.post(form_of(request), form)
    assert first["Location"] == second["Location"]
    assert "had been sent before" in text(asker.get(second["Location"]))


def test_a_second_ask_is_greyed_out_with_its_reason_and_refused(office: Office, asker: Client) -> None:
    request = held_production(office)
    extend(office, request, ticket="INC-1", duration=timedelta(minutes=5))
    page = text(asker.get(page_of(request)))
    assert '<button disabled aria-describedby="why-not-extend">Ask for more time</button>' in page
    assert "You have asked for more time already" in page
    assert form_of(request) not in page
    assert "You have asked for more time already" in text(asker.get(form_of(request), follow=True))
    answer = asker.post(form_of(request), typed())
    assert answer.status_code == 422
    assert "You have asked for more time already" in text(answer)
    assert "The replay takes longer." in text(answer)
    assert Event.objects.latest("number").action == "request.refused"


def test_when_no_time_is_left_the_page_says_so_and_offers_no_form(office: Office, asker: Client) -> None:
    request = held_production(office, duration=timedelta(hours=2))
    page = text(asker.get(form_of(request)))
    assert "No time is left to add" in page
    assert "allows at most 2 hours in all, and 2 hours are taken" in page
    assert 'name="duration"' not in page
    assert asker.post(form_of(request), typed()).status_code == 422


def test_what_no_policy_offers_any_more_is_not_extended_and_the_page_says_why(office: Office, asker: Client) -> None:
    request = held_production(office)
    office.user(company.ADA).directory_groups.clear()
    assert "No access policy offers you Developer in Production any more." in text(asker.get(form_of(request)))
    assert "in none of the groups" in text(asker.post(form_of(request), typed()))


def test_an_approver_reads_but_does_not_extend(office: Office, browse: Browse) -> None:
    request, chiara = held_production(office), browse(company.CHIARA)
    assert BUTTON not in text(chiara.get(page_of(request)))
    assert "Only the person who has it may ask for more time." in text(chiara.get(form_of(request), follow=True))
    assert chiara.post(form_of(request), typed()).status_code == 422
    assert not request.extensions.exists()


def test_who_may_not_see_a_request_does_not_learn_of_it_here(office: Office, browse: Browse) -> None:
    request = held_production(office)
    for answer in (browse(company.BEN).get(form_of(request)), browse(company.BEN).post(form_of(request), typed())):
        assert answer.status_code == 404


def test_one_access_is_one_card_with_its_last_end(office: Office, asker: Client) -> None:
    request = held(office)
    extension = extend(office, request)
    before = text(asker.get("/"))
    assert before.count('class="card card-edge') == 2
    office.work()
    page = text(asker.get("/"))
    assert page.count('class="card card-edge') == 1
    assert f'href="{page_of(extension)}"' in page
    assert "Mon 16 Nov 2026, 11:00 UTC" in page
    assert "2 h 00 min" in page
    assert "left of 2 hours in all" in page


def test_what_the_extension_does_not_cover_keeps_its_own_card(office: Office, asker: Client) -> None:
    accounts = office.catalog.sandbox_accounts[:2]
    request = held(office, accounts=accounts)
    extension = extend(office, request)
    office.work()
    extension.grants.filter(account=accounts[1]).delete()
    assert text(asker.get("/")).count('class="card card-edge') == 2


def test_a_request_that_was_extended_says_until_when_the_access_goes_on_and_not_that_it_ends(
    office: Office, asker: Client
) -> None:
    request = held(office)
    extension = extend(office, request)
    office.work()
    for state in ("Active", "Extended"):
        page = text(asker.get(page_of(request)))
        assert f">{state}</span>" in page
        assert "It was extended: the access goes on until" in page
        assert "Mon 16 Nov 2026, 11:00 UTC" in page
        assert f'href="{page_of(extension)}"' in page
        for untrue in ("Access ends", "The access as Developer in Sandbox ended", "is being taken away", "it is gone"):
            assert untrue not in page
        office.pass_time(minutes=59)
        asker.force_login(office.user(company.ADA))
        office.pass_time(minutes=1)
    over = text(asker.get(page_of(request)))
    assert "It was extended" not in over
    assert "ends them all" not in over


def test_lists_say_by_what_a_request_was_extended(office: Office, asker: Client) -> None:
    request = held(office)
    extension = extend(office, request)
    office.work()
    office.pass_time(minutes=59)
    asker.force_login(office.user(company.ADA))
    office.pass_time(minutes=1)
    assert f'Extended by request <a href="{page_of(extension)}">' in text(asker.get("/"))


def test_what_an_approver_sees_as_held_already_is_one_access_with_its_last_end(office: Office, browse: Browse) -> None:
    request = held(office)
    extend(office, request)
    office.work()
    office.submit_production()
    card = text(browse(company.CHIARA).get("/approvals/"))
    assert card[card.index("Holds already") :].count("Payments Sandbox") == 1
    assert "ends <time" in card
    assert "in 2 hours" in card


def test_revoking_names_all_accounts_of_the_chain(office: Office, browse: Browse) -> None:
    request = held(office, accounts=office.catalog.sandbox_accounts[:2])
    extension = extend(office, request)
    office.work()
    office.pass_time(hours=1)
    for part in (request, extension):
        assert "Revoke access to 2 accounts" in text(browse(company.INES).get(page_of(part)))
