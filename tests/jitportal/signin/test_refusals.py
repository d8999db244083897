"""Whom the gate turns away: each is told why, recorded with the rule, and not signed in."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from auditlog.models import Event
from jitportal.demo.directory import Directory, Group
from jitportal.models import User
from jitportal.signin.refusals import Rule
from tests.browser import Browser
from tests.directory import ENGINEER, is_signed_in, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = "99999999-0000-4000-8000-000000000009"


def test_a_token_from_another_tenant_is_refused(browser: Browser, directory: Directory) -> None:
    refused(browser, directory, Rule.TENANT, "claim tid", tid=OTHER)


def test_a_token_without_a_tenant_is_refused(browser: Browser, directory: Directory) -> None:
    refused(browser, directory, Rule.TENANT, "claim tid", tid=None)


def test_a_token_of_another_issuer_is_refused(browser: Browser, directory: Directory) -> None:
    page = attempt(browser, directory, iss=f"https://login.microsoftonline.com/{OTHER}/v2.0")
    assert page.status_code == 403
    assert last_refusal().data["rule"] == "sign-in.issuer"


@pytest.mark.parametrize("idp", [f"https://sts.windows.net/{OTHER}/", "live.com", "", 7, ["x"], {"a": 1}, False])
def test_a_guest_is_refused_whatever_names_their_home(browser: Browser, directory: Directory, idp: object) -> None:
    refused(browser, directory, Rule.GUEST, "guest", idp=idp)


def test_a_guest_of_the_directory_is_refused(browser: Browser, directory: Directory) -> None:
    directory.add(replace(ENGINEER, guest=True))
    refused(browser, directory, Rule.GUEST, "guest")


def test_a_guest_is_let_in_where_guests_are_allowed(browser: Browser, directory: Directory, settings: Settings) -> None:
    settings.ENTRA_GUESTS_ALLOWED = True
    directory.add(replace(ENGINEER, guest=True))
    assert sign_in(browser, ENGINEER).status_code == 200
    assert User.objects.get().to_check
    # As Graph calls them, which their token does not.
    User.objects.update(user_name="erin_example.com#EXT#@harbour.example")
    assert sign_in(Browser(browser.home), ENGINEER).status_code == 200
    assert User.objects.get().user_name == "erin_example.com#EXT#@harbour.example"


def test_two_hundred_groups_are_let_in(browser: Browser, directory: Directory) -> None:
    many = tuple(Group(f"d0000000-0000-4000-8000-{number:012}", f"Group {number}") for number in range(200))
    directory.add(replace(ENGINEER, groups=many))
    assert sign_in(browser, ENGINEER).status_code == 200
    assert len(User.objects.get().group_ids) == 200


@pytest.mark.parametrize(("claim", "value"), [("oid", None), ("name", "x" * 501), ("groups", "all")])
def test_a_malformed_claim_is_refused_by_its_name(
    browser: Browser, directory: Directory, claim: str, value: object
) -> None:
    refused(browser, directory, Rule.CLAIM, f"claim {claim} ", **{claim: value})


def test_a_person_who_is_locked_out_is_refused_and_not_changed(browser: Browser, directory: Directory) -> None:
    sign_in(browser, ENGINEER)
    User.objects.update(is_active=False)
    directory.add(replace(ENGINEER, name="Somebody Else", groups=()))
    page = sign_in(Browser(browser.home), ENGINEER)
    assert page.status_code == 403
    assert "locked out" in page.text
    person = User.objects.get()
    assert (person.name, len(person.group_ids)) == ("Erin Engineer", 1)
    assert (last_refusal().data["rule"], last_refusal().actor) == (
        "sign-in.inactive",
        f"person:{ENGINEER.object_id}",
    )


def test_a_person_who_is_locked_out_is_out_of_their_session_at_once(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    User.objects.update(is_active=False)
    assert not is_signed_in(browser)


def test_a_person_whom_the_directory_has_disabled_gets_no_further_than_there(
    browser: Browser, directory: Directory
) -> None:
    directory.add(replace(ENGINEER, enabled=False))
    browser.get("/sign-in/")
    browser.send(browser.form("/entra/login/"))
    page = browser.send(browser.form(), person=ENGINEER.object_id)
    assert page.status_code == 400
    assert "AADSTS50057: The user account is disabled." in page.text
    assert not User.objects.exists()


def attempt(browser: Browser, directory: Directory, **altered: Any) -> Any:
    """A sign-in whose token says otherwise in these claims; None leaves a claim out."""
    directory.alter_claims = altering(altered)
    return sign_in(browser, ENGINEER)


def altering(altered: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def alter(claims: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in (claims | altered).items() if value is not None}

    return alter


def refused(browser: Browser, directory: Directory, rule: Rule, words: str, **altered: Any) -> None:
    page = attempt(browser, directory, **altered)
    assert page.status_code == 403
    assert words in page.text
    assert str(rule) in page.text
    event = last_refusal()
    assert event.data["rule"] == str(rule)
    assert words in str(event.data["reason"])
    assert not User.objects.exists()
    assert not is_signed_in(browser)


def last_refusal() -> Event:
    return Event.objects.filter(action="person.refused").latest("number")
