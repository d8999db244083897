"""The controls over HTTP: faults, calls, clock, limits, assignments and people, for this machine only."""

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import Aws, Start
from .small_organisation import ADA, PAYMENTS, READ_ONLY, SMALL


def test_health_says_what_is_there(aws: Aws) -> None:
    aws.create()
    body = aws.control("GET", "health").body
    assert body["status"] == "ok"
    assert body["accounts"] == 3
    assert body["outstanding"] == 1
    assert body["instance_arn"] == SMALL.instance_arn


def test_calls_are_counted_until_they_are_reset(aws: Aws) -> None:
    aws.create()
    aws.holders()
    aws.control("POST", "faults", {"kind": "throttle", "first": 1})
    with pytest.raises(aws.sso.exceptions.ThrottlingException):
        aws.holders()

    body = aws.control("GET", "calls").body
    assert body["calls"] == {"CreateAccountAssignment": 1, "ListAccountAssignments": 2}
    assert body["throttled"] == {"ListAccountAssignments": 1}
    assert body["errors"] == {"ListAccountAssignments": {"ThrottlingException": 1}}
    assert aws.control("DELETE", "calls").body["total"] == 0


def test_a_fault_is_added_seen_and_lifted(aws: Aws) -> None:
    number = aws.control("POST", "faults", {"kind": "internal", "operation": "ListInstances"}).body["id"]
    with pytest.raises(aws.sso.exceptions.InternalServerException):
        aws.sso.list_instances()
    assert aws.control("GET", "faults").body["faults"][0]["struck"] == 1

    assert aws.control("DELETE", f"faults/{number}").body == {"faults": []}
    assert aws.sso.list_instances()["Instances"]
    assert aws.control("DELETE", f"faults/{number}").status == 404


def test_the_clock_moves_and_stands_still(aws: Aws) -> None:
    request_id = aws.create()
    aws.control("POST", "clock", {"advance": 2})
    assert aws.created(request_id)["Status"] == "SUCCEEDED"

    frozen = aws.control("POST", "clock", {"frozen": True, "set": 1_900_000_000}).body
    aws.clock.now += 50
    assert aws.control("GET", "clock").body == frozen == {"now": 1_900_000_000, "frozen": True}
    aws.control("POST", "clock", {"frozen": False})
    aws.clock.now += 1
    assert aws.control("GET", "clock").body["now"] == 1_900_000_001


def test_limits_are_set_one_by_one(start: Start) -> None:
    aws = start()
    body = aws.control("PUT", "limits", {"outstanding": 1, "delay": 5}).body
    assert body["outstanding"] == 1
    assert body["sso_tps"] is None
    aws.create()
    with pytest.raises(aws.sso.exceptions.ThrottlingException):
        aws.create(account="333333333333")
    assert aws.control("PUT", "limits", {"outstanding": None}).status == 200
    aws.create(account="333333333333")


def test_assignments_are_made_and_seen_past_all_limits(aws: Aws) -> None:
    row = {
        "account_id": PAYMENTS,
        "permission_set_arn": READ_ONLY,
        "principal_type": "USER",
        "principal_id": ADA,
    }
    assert aws.control("POST", "assignments", row).status == 200
    assert aws.holders() == [ADA]
    assert aws.control("GET", "assignments").body["assignments"] == [row]
    aws.control("POST", "assignments", {**row, "present": False})
    assert aws.holders() == []


def test_the_organisation_shows_its_ids_and_lets_people_be_disabled(aws: Aws) -> None:
    body = aws.control("POST", "organisation", {"users": {"ada@example.com": {"enabled": False}}}).body
    assert body["user_ids"]["ada@example.com"] == ADA
    assert body["permission_set_arns"]["ReadOnly"] == READ_ONLY
    user = aws.people.describe_user(IdentityStoreId=SMALL.identity_store_id, UserId=ADA)
    assert user["UserStatus"] == "DISABLED"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "clock", {}, 400),
        ("POST", "clock", {"advance": "1"}, 400),
        ("POST", "clock", {"frozen": 1}, 400),
        ("POST", "clock", {"hurry": 1}, 400),
        ("PUT", "limits", {"sso_tps": -1}, 400),
        ("PUT", "limits", {"speed": 1}, 400),
        ("POST", "assignments", {"account_id": PAYMENTS}, 400),
        ("POST", "organisation", {"users": {"nobody": {"enabled": False}}}, 400),
        ("POST", "organisation", {"users": {"ada@example.com": {"enabled": "no"}}}, 400),
        ("POST", "organisation", {"users": {"ada@example.com": {"user_name": "x"}}}, 400),
        ("POST", "organisation", {"users": []}, 400),
        ("POST", "organisation", {"accounts": {PAYMENTS: {"status": "ASLEEP"}}}, 400),
        ("POST", "organisation", {"weather": {}}, 400),
        ("GET", "nothing", None, 404),
        ("DELETE", "faults/x", None, 404),
        ("PUT", "faults", {}, 405),
    ],
)
def test_a_control_that_makes_no_sense_is_refused_with_a_sentence(
    aws: Aws, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    answer = aws.control(method, path, body)
    assert answer.status == status
    assert answer.body["error"]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Host": "evil.example"}, b"{}", 403),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/json"}, b"{", 400),
        ({"Content-Type": "application/json"}, b"[]", 400),
    ],
)
def test_a_page_in_a_browser_cannot_reach_the_controls(
    aws: Aws, headers: dict[str, str], body: bytes, status: int
) -> None:
    connection = http.client.HTTPConnection(urlsplit(aws.server.url).netloc, timeout=10)
    connection.request("POST", "/_simulator/faults", body, headers)
    assert connection.getresponse().status == status
    connection.close()
