"""Answers that fit no open sign-in: replayed, forged, meant for another browser, or none at all."""

from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
from pytest_django import Settings

from auditlog.models import Event
from jitportal.demo.directory import Directory
from jitportal.models import User
from tests.browser import Browser
from tests.directory import ENGINEER, is_signed_in, pick, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_replayed_answer_signs_nobody_in(browser: Browser) -> None:
    callback = pick(browser, ENGINEER)
    browser.get(callback)
    leave(browser)
    assert browser.get(callback).status_code == 400
    assert not is_signed_in(browser)


def test_an_answer_is_of_no_use_in_another_browser(browser: Browser) -> None:
    callback = pick(browser, ENGINEER)
    thief = Browser(browser.home)
    assert thief.get(callback).status_code == 400
    assert not is_signed_in(thief)


@pytest.mark.parametrize("state", ["", "wrong", None])
def test_a_wrong_state_signs_nobody_in(browser: Browser, state: str | None) -> None:
    assert browser.get(changed(pick(browser, ENGINEER), state=state)).status_code == 400
    assert not User.objects.exists()


def test_a_code_of_another_sign_in_signs_nobody_in(browser: Browser) -> None:
    stolen = parse_qs(urlsplit(pick(Browser(browser.home), ENGINEER)).query)["code"][0]
    page = browser.get(changed(pick(browser, ENGINEER), code=stolen))
    assert page.status_code == 400
    assert not User.objects.exists()


def test_a_wrong_code_signs_nobody_in(browser: Browser) -> None:
    assert browser.get(changed(pick(browser, ENGINEER), code="wrong")).status_code == 400


def test_going_back_at_the_directory_is_not_called_an_error(browser: Browser) -> None:
    browser.get("/sign-in/")
    browser.send(browser.form("/entra/login/"))
    page = browser.send(browser.form(), cancel="1")
    assert page.status_code == 200
    assert "went back without signing in" in page.text


def test_an_error_of_the_directory_is_shown_as_ours(browser: Browser) -> None:
    callback = changed(pick(browser, ENGINEER), code=None, error="server_error", error_description="<b>AADSTS1</b>")
    page = browser.get(callback)
    assert page.status_code == 400
    assert "<b>" not in page.text


def test_answers_without_an_account_behind_them_leave_no_trace_in_the_ledger(browser: Browser) -> None:
    for query in ("", "?state=x&code=y", "?error=access_denied", "?state=&code="):
        browser.get(f"/sign-in/entra/callback/{query}")
    assert not Event.objects.exists()


def test_a_wrong_client_secret_signs_nobody_in(browser: Browser, settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["secret"] = "wrong"
    assert sign_in(browser, ENGINEER).status_code == 400
    assert not User.objects.exists()


def test_a_directory_that_does_not_answer_is_said_to_be_the_cause(browser: Browser, settings: Settings) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:9/nobody"
    browser.get("/sign-in/")
    page = browser.send(browser.form("/entra/login/"))
    assert page.status_code == 503
    assert "cannot be reached" in page.text


def test_a_directory_that_vanishes_on_the_way_is_said_to_be_the_cause(browser: Browser, settings: Settings) -> None:
    callback = pick(browser, ENGINEER)
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:9/nobody"
    assert browser.get(callback).status_code == 503


def test_a_discovery_document_of_another_issuer_is_not_followed(browser: Browser, settings: Settings) -> None:
    settings.ENTRA_ISSUER = "https://login.microsoftonline.com/other/v2.0"
    browser.get("/sign-in/")
    page = browser.send(browser.form("/entra/login/"), follow=False)
    assert page.status_code in (400, 503)
    assert "Location" not in page.headers


def test_the_directory_refuses_a_sign_in_without_proof_key(browser: Browser, directory: Directory) -> None:
    browser.get("/sign-in/")
    sent = browser.send(browser.form("/entra/login/"), follow=False).headers["Location"]
    query = parse_qs(urlsplit(sent).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["nonce"][0]) >= 32
    answer = browser.get(changed(sent, code_challenge=None), follow=False)
    assert "error=invalid_request" in answer.headers["Location"]


def leave(browser: Browser) -> None:
    browser.get("/")
    browser.send(browser.form("/sign-out/"))


def changed(address: str, **parameters: str | None) -> str:
    """The address with these query parameters; None takes one out."""
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()} | parameters
    kept = {name: value for name, value in query.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(kept)))
