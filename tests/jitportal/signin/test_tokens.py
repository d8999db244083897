"""The portal believes only tokens that its own directory signed, for this portal, this sign-in and now."""

import time
from typing import Any

import jwt
import pytest

from auditlog.models import Event
from jitportal.demo.directory import Directory
from jitportal.demo.directory.keys import SigningKeys
from jitportal.models import User
from tests.browser import Browser
from tests.directory import ENGINEER, is_signed_in, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


class StolenName(SigningKeys):
    """Keys that sign under the id of a key which they are not."""

    def __init__(self, real: SigningKeys) -> None:
        super().__init__()
        self._real = real

    def sign(self, claims: dict[str, Any]) -> str:
        stranger = self._keys[0][1]
        return jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": self._real._keys[0][0]})

    def published(self) -> dict[str, Any]:
        return self._real.published()


class Unsigned(SigningKeys):
    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, "", algorithm="none", headers={"kid": self._keys[0][0]})


class SignedWithTheSecret(SigningKeys):
    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(
            claims,
            "the client's secret, thirty-two bytes or more",
            algorithm="HS256",
            headers={"kid": self._keys[0][0]},
        )


class Unpublished(SigningKeys):
    def published(self) -> dict[str, Any]:
        return {"keys": []}


class NoKeySet(SigningKeys):
    def published(self) -> dict[str, Any]:
        return {"keys": "none", "x": 1}


class Nonsense(SigningKeys):
    def sign(self, claims: dict[str, Any]) -> str:
        return "not.a.token"


@pytest.mark.parametrize("kind", [Unsigned, SignedWithTheSecret, Unpublished, NoKeySet, Nonsense])
def test_a_token_that_the_directory_did_not_sign_is_refused(
    browser: Browser, directory: Directory, kind: type[SigningKeys]
) -> None:
    directory.keys = kind()
    refused(browser, "not signed by")


def test_a_token_signed_by_a_stranger_under_a_known_keys_name_is_refused(
    browser: Browser, directory: Directory
) -> None:
    directory.keys = StolenName(directory.keys)
    refused(browser, "not signed by")


def test_a_token_signed_with_a_new_key_is_believed(browser: Browser, directory: Directory) -> None:
    sign_in(browser, ENGINEER)
    directory.rotate_keys()
    directory.keys.forget_earlier()
    assert "Erin Engineer" in sign_in(Browser(browser.home), ENGINEER).text


def test_an_expired_token_is_refused(browser: Browser, directory: Directory) -> None:
    directory.clock = lambda: time.time() - 2 * 3600
    refused(browser, "has expired")


def test_a_token_from_the_future_is_refused(browser: Browser, directory: Directory) -> None:
    directory.clock = lambda: time.time() + 2 * 3600
    refused(browser, "not valid yet")


def test_a_token_for_another_application_is_refused(browser: Browser, directory: Directory) -> None:
    altered(directory, aud="11111111-0000-4000-8000-000000000001")
    refused(browser, "another application")


def test_a_token_for_us_and_another_application_is_refused(browser: Browser, directory: Directory) -> None:
    altered(directory, aud=[directory.client.client_id, "11111111-0000-4000-8000-000000000001"])
    refused(browser, "another application")


@pytest.mark.parametrize("claim", ["exp", "iat", "aud", "iss", "sub"])
def test_a_token_without_what_every_token_has_is_refused(browser: Browser, directory: Directory, claim: str) -> None:
    altered(directory, **{claim: None})
    assert sign_in(browser, ENGINEER).status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize("nonce", [None, "somebody else's"])
def test_a_token_of_another_sign_in_is_refused(browser: Browser, directory: Directory, nonce: object) -> None:
    altered(directory, nonce=nonce)
    refused(browser, "another sign-in", "sign-in.nonce")


def test_who_an_unbelieved_token_speaks_of_is_not_blamed_for_it(browser: Browser, directory: Directory) -> None:
    directory.keys = StolenName(directory.keys)
    sign_in(browser, ENGINEER)
    event = Event.objects.latest("number")
    assert (event.actor, event.subject_id) == ("system:sign-in", "unknown")


def altered(directory: Directory, **claims: Any) -> None:
    directory.alter_claims = lambda said: {name: value for name, value in (said | claims).items() if value is not None}


def refused(browser: Browser, words: str, rule: str = "sign-in.token") -> None:
    page = sign_in(browser, ENGINEER)
    assert page.status_code == 403
    assert words in page.text
    event = Event.objects.latest("number")
    assert (event.action, event.data["rule"]) == ("person.refused", rule)
    assert not User.objects.exists()
    assert not is_signed_in(browser)
