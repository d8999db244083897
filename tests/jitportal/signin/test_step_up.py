"""Fresh proof, through every page: to the directory with an authentication context, and back to what was typed."""

import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
import requests
from pytest_django import Settings

from accessrequests.models import AccessRequest
from auditlog.models import Event
from catalog.models import AccessPolicy
from jitportal.demo import organisation as company
from jitportal.demo.directory import Directory, Person
from tests.accessrequests.conftest import Catalog, catalog, groups  # noqa: F401
from tests.browser import Browser
from tests.directory import sign_in

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "Look into the stuck settlement queue."


@pytest.fixture
def directory_people() -> tuple[Person, ...]:
    return company.PEOPLE


@pytest.fixture(autouse=True)
def demanding(catalog: Catalog) -> Catalog:  # noqa: F811
    """At once, but for fresh proof."""
    policy = catalog.automatic
    policy.step_up_context, policy.step_up_for, policy.step_up_longest_age = "c1", "asking", timedelta(minutes=15)
    policy.save()
    return catalog


def ask(browser: Browser, catalog: Catalog, reason: str = REASON) -> requests.Response:  # noqa: F811
    """Fills in the form for the sandbox and sends it."""
    browser.get("/requests/new/?role=developer&environment=sandbox")
    account = catalog.sandbox_accounts[0].account_id
    form = browser.form("/requests/new/")
    return browser.send(form, accounts=account, duration="3600", when="now", reason=reason)


def confirm(browser: Browser, person: Person = company.ADA) -> requests.Response:
    """From the page that asks for it: to the directory, through its two pages, and back."""
    browser.send(browser.form("/step-up/"))
    browser.send(browser.form(), person=person.object_id)
    return browser.send(browser.form(), confirmed="1")


def test_a_person_comes_back_to_what_they_typed_and_sends_it(
    browser: Browser, demanding: Catalog, settings: Settings
) -> None:
    sign_in(browser, company.ADA)
    page = ask(browser, demanding)
    assert page.url == f"{browser.home}/step-up/"
    assert "Sandbox developers" in page.text
    before = browser.session.cookies[settings.SESSION_COOKIE_NAME]
    back = confirm(browser)
    assert (back.status_code, back.url.partition("?")[0]) == (200, f"{browser.home}/requests/new/")
    assert REASON in back.text
    assert "settlement" not in back.url
    assert browser.session.cookies[settings.SESSION_COOKIE_NAME] != before
    assert not AccessRequest.objects.exists()
    made = browser.send(
        browser.form("/requests/new/"),
        accounts=demanding.sandbox_accounts[0].account_id,
        duration="3600",
        when="now",
        reason=REASON,
    )
    row = AccessRequest.objects.get()
    assert made.url == f"{browser.home}/requests/{row.pk}/"
    assert row.proof is not None
    assert [(each["context"], each["person"]) for each in row.proof] == [("c1", company.ADA.object_id)]
    assert Event.objects.get(action="person.proved").data["context"] == "c1"


def test_a_confirmation_holds_though_the_directory_has_changed_its_keys_meanwhile(
    browser: Browser, directory: Directory, demanding: Catalog
) -> None:
    sign_in(browser, company.ADA)
    ask(browser, demanding)
    before = directory.keys.published()["keys"][0]["kid"]
    answer = browser.session.post(f"{directory.base_url}/_directory/keys", json={}, timeout=20)
    assert answer.status_code == 200
    assert directory.keys.published()["keys"][0]["kid"] != before
    assert confirm(browser).status_code == 200
    assert Event.objects.latest("number").action == "person.proved"


def test_another_persons_confirmation_is_not_taken(browser: Browser, demanding: Catalog) -> None:
    sign_in(browser, company.ADA)
    ask(browser, demanding)
    page = confirm(browser, company.BEN)
    assert page.status_code == 403
    assert "step-up.person" in page.text
    assert "Ada Lindqvist" in page.text
    assert Event.objects.latest("number").data["rule"] == "step-up.person"
    assert "step-up" in ask(browser, demanding).url


@pytest.mark.parametrize(
    ("altered", "rule"),
    [
        ({"acrs": ["c2"]}, "step-up.context"),
        ({"acrs": None}, "step-up.context"),
        ({"auth_time": int(time.time()) - 3600}, "step-up.age"),
        ({"auth_time": int(time.time()) + 3600}, "step-up.age"),
        ({"auth_time": "now"}, "step-up.age"),
        ({"nonce": "of another"}, "sign-in.nonce"),
    ],
)
def test_a_token_that_does_not_prove_it_is_refused_in_a_sentence_that_says_why(
    browser: Browser, directory: Directory, demanding: Catalog, altered: dict[str, Any], rule: str
) -> None:
    sign_in(browser, company.ADA)
    ask(browser, demanding)
    directory.alter_claims = lambda claims: claims | altered
    page = confirm(browser)
    assert page.status_code == 403
    assert rule in page.text
    assert Event.objects.latest("number").data["rule"] == rule
    assert not AccessRequest.objects.exists()


def test_whoever_goes_back_without_confirming_loses_nothing(browser: Browser, demanding: Catalog) -> None:
    sign_in(browser, company.ADA)
    ask(browser, demanding)
    browser.send(browser.form("/step-up/"))
    page = browser.send(browser.form(), cancel="1")
    assert page.url == f"{browser.home}/step-up/"
    assert "without confirming" in page.text
    kept = next(part for part in page.text.split('"') if "kept=" in part)
    assert REASON in browser.get(kept).text


def test_the_kept_form_is_its_senders_alone_and_bounded(browser: Browser, demanding: Catalog) -> None:
    sign_in(browser, company.ADA)
    ask(browser, demanding)
    assert "kept=" in browser.get("/step-up/").text
    sign_in(Browser(browser.home), company.BEN)
    other = Browser(browser.home)
    sign_in(other, company.BEN)
    assert other.get("/step-up/").url == f"{browser.home}/"
    assert REASON not in other.get(f"/requests/new/?kept={uuid.uuid4()}").text
    other.close()


def test_two_contexts_are_confirmed_one_after_the_other_and_the_form_is_sent_once(
    browser: Browser, demanding: Catalog
) -> None:
    policy = demanding.automatic
    second = AccessPolicy.objects.get(pk=policy.pk)
    second.pk, second.name, second.step_up_context = None, "Sandbox at night", "c2"
    second.save()
    second.requestable_by.set(policy.requestable_by.all())
    sign_in(browser, company.ADA)
    page = ask(browser, demanding)
    assert "1 of 2." in page.text
    assert "context C1" in page.text
    page = confirm(browser)
    assert page.url == f"{browser.home}/step-up/"
    assert "2 of 2." in page.text
    assert "context C2" in page.text
    back = confirm(browser)
    assert back.url.partition("?")[0] == f"{browser.home}/requests/new/"
    assert REASON in back.text
    assert browser.get("/step-up/").url == back.url
    assert Event.objects.filter(action="person.proved").count() == 2
    account = demanding.sandbox_accounts[0].account_id
    browser.send(browser.form("/requests/new/"), accounts=account, duration="3600", when="now", reason=REASON)
    row = AccessRequest.objects.get()
    assert [each["context"] for each in row.proof or ()] == ["c1", "c2"]
