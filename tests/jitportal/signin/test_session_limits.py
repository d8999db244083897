"""A session ends by itself: when nobody uses it, and in any case; and a person can end all of theirs."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from auditlog.models import Event
from jitportal.demo.directory import Directory
from jitportal.models import User
from tests.browser import Browser
from tests.conftest import Clock
from tests.directory import ENGINEER, is_signed_in, known, sign_in

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def person(db: None, settings: Settings, moment: Clock) -> User:
    return known(ENGINEER, settings.ENTRA_TENANT_ID)


@pytest.fixture
def client(person: User) -> Client:
    """Somebody who has just signed in and opened a page."""
    browser = Client()
    browser.force_login(person)
    assert browser.get("/you/").status_code == 200
    return browser


def stays(client: Client, **headers: str) -> bool:
    return client.get("/", headers=headers).status_code == 200


def test_who_does_nothing_for_an_hour_is_signed_out_and_told_why(client: Client, moment: Clock) -> None:
    moment.forward(timedelta(minutes=59))
    assert stays(client)
    moment.forward(timedelta(minutes=61))
    answer = client.get("/catalog/", follow=True)
    assert answer.redirect_chain == [("/sign-in/?next=/catalog/", 302)]
    assert "nobody had used the portal here for 1 hour" in answer.content.decode()
    assert Event.objects.latest("number").action == "person.signed_out"
    assert "nobody had used" in Event.objects.latest("number").data["reason"]


def test_a_page_that_keeps_itself_up_to_date_keeps_nobody_signed_in(client: Client, moment: Clock) -> None:
    for _ in range(3):
        moment.forward(timedelta(minutes=25))
        client.get("/", headers={"HX-Request": "true"})
    assert not stays(client)


def test_nobody_stays_signed_in_for_more_than_twelve_hours_however_busy(client: Client, moment: Clock) -> None:
    for _ in range(24):
        assert stays(client)
        moment.forward(timedelta(minutes=30, seconds=1))
    assert not stays(client)
    assert "12 hours" in Event.objects.latest("number").data["reason"]


def test_a_form_sent_too_late_is_not_carried_out(client: Client, moment: Clock) -> None:
    moment.forward(timedelta(hours=2))
    before = User.objects.get().session_key
    assert client.post("/sign-out/everywhere/").status_code == 302
    assert User.objects.get().session_key == before


def test_signing_out_everywhere_ends_every_session_and_is_recorded(client: Client, person: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(person)
    assert stays(elsewhere)
    answer = client.post("/sign-out/everywhere/")
    assert answer.status_code == 302
    assert not stays(client)
    assert not stays(elsewhere)
    assert Event.objects.latest("number").data["reason"] == "asked for it, in every browser"


def test_a_link_cannot_sign_anybody_out_everywhere(client: Client) -> None:
    assert client.get("/sign-out/everywhere/").status_code == 405
    assert stays(client)


@pytest.mark.django_db(transaction=True)
def test_the_directory_is_told_whose_session_to_end(
    live_server: object, browser: Browser, directory: Directory
) -> None:
    directory.alter_claims = lambda claims: claims | {"login_hint": "opaque-1"}
    sign_in(browser, ENGINEER)
    page = browser.send(browser.form("/sign-out/"))
    assert "logout_hint=opaque-1" in page.history[1].url
    assert page.url == f"{browser.home}/sign-in/"
    assert not is_signed_in(browser)


@pytest.mark.django_db(transaction=True)
def test_without_a_hint_the_directory_asks_and_the_session_here_is_over_all_the_same(
    live_server: object, browser: Browser, directory: Directory
) -> None:
    directory.alter_claims = lambda claims: {name: value for name, value in claims.items() if name != "login_hint"}
    sign_in(browser, ENGINEER)
    page = browser.send(browser.form("/sign-out/"))
    assert page.url.startswith(directory.base_url)
    assert not is_signed_in(browser)


def test_the_cookies_of_production_are_for_this_host_alone_and_not_for_scripts() -> None:
    names = [f"{cookie}_COOKIE_{what}" for what in ("NAME", "SECURE", "HTTPONLY") for cookie in ("SESSION", "CSRF")]
    names += [f"{cookie}_COOKIE_{what}" for what in ("DOMAIN", "PATH", "SAMESITE") for cookie in ("SESSION", "CSRF")]
    said = f"from django.conf import settings; print([getattr(settings, name) for name in {names}])"
    variables = {**_production(), "DJANGO_SETTINGS_MODULE": "jitportal.settings"}
    done = subprocess.run(
        [sys.executable, "-c", said], cwd=PROJECT, env=variables, capture_output=True, text=True, check=True
    )
    first, others = ["__Host-session", "__Host-csrf", True, True, True, True], [None, None, "/", "/", "Lax", "Lax"]
    assert done.stdout.strip() == str([*first, *others])


def _production() -> Mapping[str, str]:
    """The made-up values that `make check` uses."""
    text = (PROJECT / "Makefile").read_text().partition("PRODUCTION := ")[2].partition("\n\n")[0]
    return dict(part.split("=", 1) for part in text.replace("\\\n", " ").split())
