"""The token endpoint: a code is good once, for a minute, for whoever began; its token has Entra's shape."""

from dataclasses import replace

import pytest
import requests

from jitportal.demo.directory import Group
from tests.jitportal.directory.application import CLIENT, ERIN, GUS, LANDING, PAYMENTS, TENANT, Application


def test_a_token_has_the_claims_of_entra(application: Application) -> None:
    now = int(application.clock.now)
    claims = application.claims()
    subject = claims.pop("sub")
    assert ERIN.object_id not in claims.pop("login_hint")
    assert claims == {
        "aud": CLIENT,
        "iss": application.directory.issuer,
        "iat": now - 300,
        "nbf": now - 300,
        "exp": now + 3600,
        "auth_time": now,
        "name": ERIN.name,
        "oid": ERIN.object_id,
        "preferred_username": "erin@example.com",
        "email": "erin@example.com",
        "department": "Payments",
        "groups": [PAYMENTS.object_id],
        "roles": ["Reader"],
        "tid": TENANT,
        "ver": "2.0",
        "nonce": "n-1",
    }
    assert ERIN.object_id not in subject


def test_the_subject_is_the_same_each_time_and_another_for_another_application(
    application: Application,
) -> None:
    first, second = application.claims()["sub"], application.claims()["sub"]
    assert first == second
    assert application.claims(GUS)["sub"] != first


def test_what_a_person_does_not_have_is_left_out(application: Application) -> None:
    assert not application.claims(GUS).keys() & {"email", "department", "roles", "groups", "acrs"}


def test_a_guest_has_another_home(application: Application) -> None:
    assert application.claims(GUS)["idp"].startswith("https://sts.windows.net/")
    assert "idp" not in application.claims(ERIN)


@pytest.mark.parametrize(("count", "listed"), [(200, True), (201, False)])
def test_beyond_two_hundred_groups_the_token_names_a_place_to_ask(
    application: Application, count: int, listed: bool
) -> None:
    groups = tuple(Group(f"d0000000-0000-4000-8000-{number:012}", "x") for number in range(count))
    application.directory.add(replace(ERIN, groups=groups))
    claims = application.claims()
    assert ("groups" in claims, "_claim_names" in claims) == (listed, not listed)
    if not listed:
        assert claims["_claim_names"] == {"groups": "src1"}
        assert ERIN.object_id in claims["_claim_sources"]["src1"]["endpoint"]


def test_a_code_is_good_once(application: Application) -> None:
    code = application.code()
    assert application.exchange(code).status_code == 200
    refused(application.exchange(code), 400, "invalid_grant", 54005)


def test_a_code_is_good_for_a_minute(application: Application) -> None:
    in_time, late = application.code(), application.code()
    application.clock.now += 60
    assert application.exchange(in_time).status_code == 200
    application.clock.now += 1
    refused(application.exchange(late), 400, "invalid_grant", 70008)


def test_a_code_of_the_future_is_not_taken(application: Application) -> None:
    code = application.code()
    application.clock.now -= 10
    refused(application.exchange(code), 400, "invalid_grant", 70008)


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"code": "wrong"}, 400, "invalid_grant", 70000),
        ({"code": None}, 400, "invalid_request", 900144),
        ({"redirect_uri": LANDING}, 400, "invalid_grant", 500112),
        ({"redirect_uri": None}, 400, "invalid_request", 900144),
        ({"code_verifier": "w" * 64}, 400, "invalid_grant", 501481),
        ({"code_verifier": "short"}, 400, "invalid_request", 9000411),
        ({"code_verifier": None}, 400, "invalid_request", 900144),
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000215),
        ({"client_secret": "ß"}, 401, "invalid_client", 7000215),
        ({"client_id": "other"}, 400, "unauthorized_client", 700016),
        ({"client_id": None}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": None}, 400, "invalid_request", 900144),
    ],
)
def test_a_wrong_exchange_is_refused_as_entra_does(
    application: Application, changes: dict[str, str | None], status: int, error: str, number: int
) -> None:
    refused(application.exchange(application.code(), **changes), status, error, number)


def test_a_failed_exchange_uses_the_code_up(application: Application) -> None:
    code = application.code()
    application.exchange(code, code_verifier="w" * 64)
    refused(application.exchange(code), 400, "invalid_grant", 54005)


def test_signing_out_leads_back_to_a_known_address_only(application: Application) -> None:
    endpoint = application.endpoint("end_session_endpoint")
    known = application.get(endpoint, post_logout_redirect_uri=LANDING, logout_hint="O.erin")
    assert known.headers["Location"] == LANDING
    with_state = application.get(endpoint, post_logout_redirect_uri=LANDING, logout_hint="O.erin", state="s")
    assert with_state.headers["Location"] == f"{LANDING}?state=s"
    for address in ("http://evil.example/", f"{LANDING}?x", ""):
        page = application.get(endpoint, post_logout_redirect_uri=address, logout_hint="O.erin")
        assert "Location" not in page.headers
        assert "You are signed out" in page.text
    assert "Location" not in application.get(endpoint, post_logout_redirect_uri=LANDING).headers


def refused(answer: requests.Response, status: int, error: str, number: int) -> None:
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= body.keys()
    assert answer.headers["Cache-Control"] == "no-store"
