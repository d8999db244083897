"""A form that lacks only fresh proof leads to where it is shown, and comes back with what was typed."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from accessrequests.models import AccessRequest
from catalog.models import AccessPolicy
from catalog.step_up import Proof
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text, typed

STEP_UP = "/step-up/"
COMMENT = "Fine, but only until the queue is empty."


@pytest.fixture(autouse=True)
def demanding(office: Office) -> AccessPolicy:
    """Production asks for context C1 when somebody asks and when somebody agrees."""
    policy = office.catalog.two_stages
    policy.step_up_context, policy.step_up_for, policy.step_up_longest_age = "c1", "both", timedelta(minutes=15)
    policy.save()
    return policy


def prove(client: Client, office: Office, person: str) -> None:
    """As if the directory had just confirmed it."""
    session = client.session
    session["proofs"] = [Proof("c1", office.moment.time, person, "t").described()]
    session.save()


def asked(office: Office) -> AccessRequest:
    return office.submit_production(proofs=(Proof("c1", office.moment.time, company.ADA.object_id, "t"),))


def test_an_approvers_comment_waits_for_their_proof(office: Office, browse: Browse) -> None:
    made, chiara = asked(office), browse(company.CHIARA)
    sent = {"answer": "approve", "comment": COMMENT, "digest": made.digest, "back": "approvals"}
    answer = chiara.post(f"/requests/{made.pk}/decide/", sent)
    assert (answer.status_code, answer["Location"]) == (302, STEP_UP)
    assert not made.decisions.exists()
    page = text(chiara.get(STEP_UP))
    assert page.count("Production developers") == 1
    assert "sends you back to the request, where you decide" in page
    assert "Back to the request" in page
    assert "form" not in re.sub(r"<[^>]*>", "", page.partition("<h1>")[2])
    assert COMMENT in text(chiara.get(f"/requests/{made.pk}/?kept={made.pk}"))
    prove(chiara, office, company.CHIARA.object_id)
    assert chiara.post(f"/requests/{made.pk}/decide/", sent)["Location"] == "/approvals/"
    assert made.decisions.get().comment == COMMENT
    assert chiara.get(STEP_UP)["Location"] == "/"


def test_a_form_with_other_faults_shows_them_first(office: Office, asker: Client) -> None:
    answer = asker.post("/requests/new/", typed(office, ticket="none"))
    assert answer.status_code == 422
    assert "asks for a ticket" in text(answer)
    assert "authentication context C1" in text(answer)


def test_a_kept_form_waits_half_an_hour_and_then_no_longer(office: Office, asker: Client) -> None:
    form = typed(office)
    assert asker.post("/requests/new/", form)["Location"] == STEP_UP
    address = f"/requests/new/?kept={form['id']}"
    office.moment.forward(timedelta(minutes=29))
    assert form["reason"] in text(asker.get(address))
    office.moment.forward(timedelta(minutes=2))
    assert form["reason"] not in text(asker.get(address))
    assert asker.get(STEP_UP)["Location"] == "/"


def test_whoever_signs_in_next_at_this_browser_gets_none_of_it(office: Office, asker: Client) -> None:
    form = typed(office)
    asker.post("/requests/new/", form)
    asker.force_login(office.user(company.BEN))
    assert form["reason"] not in text(asker.get(f"/requests/new/?kept={form['id']}"))
    assert asker.get(STEP_UP)["Location"] == "/"


def test_what_is_too_long_to_keep_is_shown_again_and_not_lost(office: Office, asker: Client) -> None:
    form = typed(office, nothing_of_ours="x" * 50_000)
    answer = asker.post("/requests/new/", form)
    assert answer.status_code == 422
    assert form["reason"] in text(answer)
    assert "authentication context C1" in text(answer)


def test_the_page_of_an_ask_says_beforehand_that_proof_is_asked_for(asker: Client) -> None:
    page = text(asker.get("/requests/new/?role=developer&environment=production"))
    assert "you confirm with Entra ID that it is you" in page
    assert "at most 15 minutes ago" in page


def test_the_rules_of_a_request_name_the_proof(office: Office, browse: Browse) -> None:
    page = text(browse(company.CHIARA).get(f"/requests/{asked(office).pk}/"))
    assert "Fresh proof of who you are for deciding (authentication context C1)" in page


def test_the_proof_is_shown_with_the_request_and_with_each_decision(office: Office, browse: Browse) -> None:
    made, chiara = asked(office), browse(company.CHIARA)
    sent = {"answer": "approve", "comment": "", "digest": made.digest}
    assert chiara.post(f"/requests/{made.pk}/decide/", sent)["Location"] == STEP_UP
    office.moment.forward(timedelta(minutes=3))
    prove(chiara, office, company.CHIARA.object_id)
    chiara.post(f"/requests/{made.pk}/decide/", sent)
    page = re.sub(r"<[^>]*>", "", text(browse(company.ADA).get(f"/requests/{made.pk}/")))
    for at in ("09:00", "09:03"):
        assert re.search(rf"Confirmed afresh Mon 16 Nov 2026, {at} UTC \(authentication context C1\)", page), page
    assert "Chiara Rossi was asked to confirm who they are (authentication context C1)" in page
    assert "was not counted" not in page


def test_the_card_of_an_approval_says_beforehand_that_proof_is_asked_for(office: Office, browse: Browse) -> None:
    made = asked(office)
    for address in ("/approvals/", f"/requests/{made.pk}/"):
        page = text(browse(company.CHIARA).get(address))
        assert "To approve, you confirm with Entra ID that it is you, for “Production developers”" in page
        assert "at most 15 minutes ago" in page
