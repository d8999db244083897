"""What allauth would allow and the portal does not: chosen parameters, other processes, other ways in."""

from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.sessions.backends.db import SessionStore
from django.urls import get_resolver

from auditlog.models import Event
from jitportal.demo.directory import Directory
from jitportal.models import User
from tests.browser import Browser
from tests.directory import ADMIN, ENGINEER, is_signed_in, pick, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "query",
    [
        "auth_params=prompt%3Dnone%26nonce%3Dmine&scope=User.ReadWrite.All",
        "process=connect",
        "process=redirect&next=/admin/",
        "action=rerequest&scope=offline_access",
    ],
)
def test_nothing_in_the_address_changes_what_the_directory_is_asked(browser: Browser, query: str) -> None:
    browser.get("/sign-in/")
    form = browser.form("/entra/login/")
    form.action += f"?{query}"
    asked = asked_of_directory(browser.send(form, follow=False, process="connect", scope="x").headers["Location"])
    assert asked.keys() == {
        "client_id",
        "redirect_uri",
        "scope",
        "response_type",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    }
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert asked["nonce"] != "mine"
    process = open_sign_in(browser)["process"]
    assert process == "login"


@pytest.mark.parametrize("process", ["connect", "redirect", "", None])
def test_a_sign_in_begun_for_another_purpose_is_refused(browser: Browser, process: str | None) -> None:
    sign_in(browser, ADMIN)
    held = Browser(browser.home)
    callback = pick(held, ENGINEER)
    alter_open_sign_in(held, process=process)
    page = held.get(callback)
    assert page.status_code == 403
    # A confirmation of who is signed in leaves by another way, and nobody is signed in here.
    rule = "step-up.form" if process == "redirect" else "sign-in.process"
    assert Event.objects.latest("number").data["rule"] == rule
    assert not is_signed_in(held)
    assert User.objects.count() == 1
    assert not SocialAccount.objects.exists()


def test_a_link_cannot_begin_a_sign_in(browser: Browser) -> None:
    assert browser.get("/sign-in/entra/login/", follow=False).status_code == 405


def test_a_sign_in_begun_on_another_site_is_refused(browser: Browser) -> None:
    browser.get("/sign-in/")
    form = browser.form("/entra/login/")
    form.fields["csrfmiddlewaretoken"] = "x" * 64
    assert browser.send(form).status_code == 403


@pytest.mark.parametrize(
    "next_page",
    [
        "//evil.example",
        "https://evil.example/",
        "https:evil.example",
        "https:///evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%0a/evil.example\n",
        "javascript:alert(1)",
        " //evil.example",
        "@evil.example",
        "evil.example",
        "/x\\..\\y",
        "/" + "a" * 3000,
        "",
    ],
)
def test_no_other_site_can_be_the_next_page(browser: Browser, next_page: str) -> None:
    browser.get("/sign-in/")
    form = browser.form("/entra/login/")
    browser.send(form, next=next_page)
    callback = browser.send(browser.form(), follow=False, person=ENGINEER.object_id).headers["Location"]
    assert browser.get(callback, follow=False).headers["Location"] == "/"
    there = browser.session.get(f"{browser.home}/sign-in/", params={"next": next_page}, allow_redirects=False)
    assert there.headers["Location"] == "/"


def test_a_next_page_on_the_answer_itself_is_not_looked_at(browser: Browser) -> None:
    callback = pick(browser, ENGINEER)
    assert browser.get(f"{callback}&next=//evil.example", follow=False).headers["Location"] == "/"


def test_an_application_in_the_database_is_no_way_in(browser: Browser) -> None:
    SocialApp.objects.create(
        provider="openid_connect",
        provider_id="evil",
        name="Evil",
        client_id="x",
        settings={"server_url": "http://127.0.0.1:9/"},
    )
    SocialApp.objects.create(provider="openid_connect", provider_id="entra", name="Entra", client_id="y")
    assert browser.get("/sign-in/evil/login/").status_code == 404
    assert browser.get("/sign-in/evil/callback/").status_code == 404
    assert sign_in(browser, ENGINEER).status_code == 200


def test_a_linked_account_in_the_database_does_not_make_one_person_another(
    browser: Browser, directory: Directory
) -> None:
    sign_in(browser, ADMIN)
    SocialAccount.objects.create(user=User.objects.get(), provider="entra", uid=ENGINEER.object_id)
    assert "Erin Engineer" in sign_in(Browser(browser.home), ENGINEER).text


def test_signing_in_leaves_no_rows_of_allauth_behind(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    assert not SocialAccount.objects.exists()
    assert not EmailAddress.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/3rdparty/",
        "/sign-up/",
        "/sign-in/signup/",
        "/admin/password_change/",
    ],
)
def test_there_is_no_route_to_a_password_or_a_sign_up(browser: Browser, address: str) -> None:
    sign_in(browser, ADMIN)
    assert browser.get(address).status_code == 404


def test_only_our_own_addresses_of_sign_in_are_routed() -> None:
    routes = {str(pattern.pattern) for pattern in get_resolver("jitportal.signin.urls").url_patterns}
    assert routes == {
        "sign-in/",
        "sign-out/",
        "sign-out/everywhere/",
        "step-up/",
        "you/",
        "^sign-in/(?P<provider_id>entra)/login/$",
        "^sign-in/(?P<provider_id>entra)/callback/$",
        "sign-in/local/<str:secret>/",
    }


def test_no_password_authenticates_anybody(client: object, browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    assert not client.login(username=ENGINEER.object_id, password="")  # type: ignore[attr-defined]
    assert not client.login(username=ENGINEER.object_id, password=None)  # type: ignore[attr-defined]


def asked_of_directory(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def session_of(browser: Browser) -> SessionStore:
    return SessionStore(browser.session.cookies["session"])


def open_sign_in(browser: Browser) -> dict[str, object]:
    (held,) = session_of(browser)["socialaccount_states"].values()
    state: dict[str, object] = held[0]
    return state


def alter_open_sign_in(browser: Browser, **changes: object) -> None:
    """As if another view of the same process had begun it."""
    session = session_of(browser)
    for held in session["socialaccount_states"].values():
        held[0].update(changes)
    session.save()
