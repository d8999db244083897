"""Django admin stands behind the same sign-in and shows nothing that would be a way round it."""

import pytest
from django.contrib import admin

from tests.browser import Browser
from tests.directory import ADMIN, AUDITOR, ENGINEER, is_signed_in, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_anonymous_visitor_is_sent_to_the_sign_in_page_and_on_to_where_they_wanted(
    browser: Browser,
) -> None:
    page = browser.get("/admin/")
    assert page.url == f"{browser.home}/sign-in/?next=/admin/"
    assert "password" not in page.text.lower()
    browser.send(browser.form("/entra/login/"))
    assert browser.send(browser.form(), person=ADMIN.object_id).url == f"{browser.home}/admin/"


@pytest.mark.parametrize("person", [ENGINEER, AUDITOR], ids=lambda person: person.name)
@pytest.mark.parametrize("address", ["/admin/", "/admin/login/", "/admin/login/?next=/admin/"])
def test_whoever_is_not_an_administrator_gets_a_refusal_and_no_form(
    browser: Browser, person: object, address: str
) -> None:
    sign_in(browser, person)  # type: ignore[arg-type]
    page = browser.get(address)
    assert page.status_code == 403
    assert "password" not in page.text.lower()


def test_an_administrator_gets_in(browser: Browser) -> None:
    sign_in(browser, ADMIN)
    assert browser.get("/admin/").status_code == 200


def test_the_admins_own_login_page_sends_an_administrator_on(browser: Browser) -> None:
    sign_in(browser, ADMIN)
    assert browser.get("/admin/login/?next=//evil.example").url == f"{browser.home}/admin/"


def test_signing_out_of_the_admin_signs_out_of_the_portal(browser: Browser) -> None:
    sign_in(browser, ADMIN)
    browser.get("/admin/")
    browser.send(browser.form("/admin/logout/"))
    assert not is_signed_in(browser)


def test_what_would_be_a_way_round_the_sign_in_is_not_in_the_admin() -> None:
    apps = {model._meta.app_label for model in admin.site._registry}
    assert not apps & {"account", "socialaccount", "auth", "sites"}
