"""Signing out ends the session here and at the directory, and needs a form of our own."""

import pytest
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings

from auditlog.models import Event
from jitportal.demo.directory import Directory
from tests.browser import Browser
from tests.directory import ENGINEER, is_signed_in, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_signing_out_goes_through_the_directory_and_ends_at_the_sign_in_page(
    browser: Browser, directory: Directory, settings: Settings
) -> None:
    sign_in(browser, ENGINEER)
    kept = browser.session.cookies[settings.SESSION_COOKIE_NAME]
    page = browser.send(browser.form("/sign-out/"))
    assert page.url == f"{browser.home}/sign-in/"
    assert [answer.url.partition("?")[0] for answer in page.history] == [
        f"{browser.home}/sign-out/",
        f"{directory.base_url}/{directory.tenant_id}/oauth2/v2.0/logout",
    ]
    thief = Browser(browser.home)
    thief.session.cookies.set(settings.SESSION_COOKIE_NAME, kept)
    assert not is_signed_in(thief)


def test_signing_out_is_recorded_once(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    form = browser.form("/sign-out/")
    browser.send(form)
    event = Event.objects.latest("number")
    assert (event.action, event.actor) == ("person.signed_out", f"person:{ENGINEER.object_id}")
    assert Event.objects.filter(action="person.signed_out").count() == 1


def test_a_link_cannot_sign_anybody_out(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    assert browser.get("/sign-out/").status_code == 405
    assert is_signed_in(browser)


def test_another_site_cannot_sign_anybody_out(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    form = browser.form("/sign-out/")
    form.fields.clear()
    assert browser.send(form).status_code == 403
    assert is_signed_in(browser)


def test_signing_out_works_while_the_directory_is_away(browser: Browser, settings: Settings) -> None:
    sign_in(browser, ENGINEER)
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:9/nobody"
    page = browser.send(browser.form("/sign-out/"))
    assert page.url == f"{browser.home}/sign-in/"
    assert not is_signed_in(browser)


def test_the_sign_in_page_says_once_that_one_is_signed_out(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    assert "You are signed out." in browser.send(browser.form("/sign-out/")).text
    assert "You are signed out." not in browser.get("/sign-in/").text
    assert "You are signed out." not in sign_in(browser, ENGINEER).text


def test_what_was_said_to_one_person_is_not_shown_to_the_next(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    form = browser.form("/sign-out/")
    # A message waits in the browser when the page that was to show it has never been fetched.
    waiting = HttpResponse()
    storage = CookieStorage(HttpRequest())
    storage.add(messages.SUCCESS, "You gave the access back.")
    storage.update(waiting)
    domain = next(iter(browser.session.cookies)).domain
    browser.session.cookies.set("messages", waiting.cookies["messages"].value, domain=domain)
    assert "You gave the access back." not in browser.send(form).text
    assert "You gave the access back." not in sign_in(browser, ENGINEER).text
