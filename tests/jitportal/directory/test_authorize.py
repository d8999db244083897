"""The account picker, and what it refuses: on its own page to strangers, else at the asker's address."""

import json

import pytest

from tests.browser import forms
from tests.jitportal.directory.application import CALLBACK, DEB, ERIN, GUS, Application, answer


def test_the_picker_shows_everybody_with_what_they_are(application: Application) -> None:
    page = application.ask()
    assert page.status_code == 200
    for words in (
        "Pick an account",
        "Erin &lt;Engineer&gt;",
        "Engineer, Payments",
        "Asks for access.",
        "Gus Guest",
    ):
        assert words in page.text
    assert "stands in for Entra ID" in page.text
    (form,) = forms(page.text)
    assert set(form.buttons) == {ERIN.object_id, GUS.object_id, DEB.object_id, "1"}


def test_the_picker_may_send_its_form_on_to_the_application_and_nowhere_else(
    application: Application,
) -> None:
    policy = application.ask().headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:8000" in policy
    assert "default-src 'none'" in policy
    assert "<style" not in application.ask().text
    assert "style=" not in application.ask().text


def test_a_hint_brings_that_person_to_the_top(application: Application) -> None:
    (form,) = forms(application.ask(login_hint="GUS@partner.example").text)
    assert form.buttons[0] == GUS.object_id


@pytest.mark.parametrize("prompt", ["login", "select_account", None])
def test_the_picker_is_shown_whatever_prompt_is_asked_for(application: Application, prompt: str | None) -> None:
    assert "Pick an account" in application.ask(prompt=prompt).text


def test_picking_answers_with_a_code_and_the_state(application: Application) -> None:
    said = answer(application.pick())
    assert said.keys() == {"code", "state"}
    assert said["state"] == "st&te"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": None}, "AADSTS900144"),
        ({"client_id": "x"}, "AADSTS700016"),
        ({"redirect_uri": None}, "AADSTS900144"),
        ({"redirect_uri": "http://evil.example/"}, "AADSTS50011"),
        ({"redirect_uri": f"{CALLBACK}?x=1"}, "AADSTS50011"),
        ({"redirect_uri": f"{CALLBACK}/"}, "AADSTS50011"),
        ({"redirect_uri": CALLBACK.upper()}, "AADSTS50011"),
    ],
)
@pytest.mark.parametrize("picks", [False, True])
def test_an_unknown_asker_is_answered_on_the_page_and_never_sent_to(
    application: Application, changes: dict[str, str | None], words: str, picks: bool
) -> None:
    page = application.pick(**changes) if picks else application.ask(**changes)
    assert page.status_code == 400
    assert words in page.text
    assert "Location" not in page.headers


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        ({"response_type": None}, "invalid_request", 900144),
        ({"response_type": "token"}, "unsupported_response_type", 700054),
        ({"response_type": "code id_token"}, "unsupported_response_type", 700054),
        ({"response_mode": "fragment"}, "invalid_request", 9000411),
        ({"scope": "profile"}, "invalid_request", 9000411),
        ({"scope": None}, "invalid_request", 9000411),
        ({"code_challenge": None}, "invalid_request", 9002325),
        ({"code_challenge": "short"}, "invalid_request", 9002325),
        ({"code_challenge_method": None}, "invalid_request", 9002325),
        ({"code_challenge_method": "plain"}, "invalid_request", 9002325),
        ({"prompt": "none"}, "login_required", 50058),
        ({"prompt": "create"}, "invalid_request", 9000411),
        ({"claims": "{"}, "invalid_request", 9000411),
        ({"claims": "[]"}, "invalid_request", 9000411),
        ({"claims": '{"id_token": {"acrs": {"value": 1}}}'}, "invalid_request", 9000411),
        ({"claims": '{"id_token": {"acrs": null}}'}, "invalid_request", 9000411),
        ({"claims": '{"id_token": {"acrs": {"value": "c24"}}}'}, "invalid_request", 9000411),
        ({"max_age": "soon"}, "invalid_request", 9000411),
    ],
)
@pytest.mark.parametrize("picks", [False, True])
def test_a_known_asker_is_told_at_its_own_address(
    application: Application, changes: dict[str, str | None], error: str, number: int, picks: bool
) -> None:
    said = answer(application.pick(**changes) if picks else application.ask(**changes))
    assert (said["error"], said["state"]) == (error, "st&te")
    assert said["error_description"].startswith(f"AADSTS{number}: ")


def test_going_back_is_told_as_a_declined_consent(application: Application) -> None:
    page = application.http.post(application.ask().url, data={"cancel": "1"}, allow_redirects=False, timeout=20)
    assert answer(page)["error"] == "access_denied"


def test_picking_nobody_is_told_as_a_wrong_request(application: Application) -> None:
    page = application.http.post(application.ask().url, data={"person": "x"}, allow_redirects=False, timeout=20)
    assert answer(page)["error"] == "invalid_request"


def test_a_disabled_person_gets_no_further(application: Application) -> None:
    page = application.pick(DEB)
    assert page.status_code == 400
    assert "AADSTS50057" in page.text


def test_an_authentication_context_is_named_on_the_page_and_met(application: Application) -> None:
    claims = json.dumps({"id_token": {"acrs": {"essential": True, "value": "c1"}}})
    assert "authentication context c1" in application.ask(claims=claims).text
    assert application.claims(claims=claims)["acrs"] == ["c1"]
    unconfirmed = {"person": ERIN.object_id}
    page = application.http.post(application.ask(claims=claims).url, data=unconfirmed, timeout=20)
    assert "Confirm with your security key" in page.text
    several = json.dumps({"id_token": {"acrs": {"values": ["c1", "c2"]}}})
    assert application.claims(claims=several)["acrs"] == ["c1", "c2"]
