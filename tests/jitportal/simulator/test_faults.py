"""Injected faults reach real clients as the right exceptions, and strike whom they should."""

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from jitportal.demo.simulator import Fault, FaultKind

from .conftest import Aws
from .small_organisation import ADA, GRACE, PAYMENTS, SEARCH, SMALL


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttle", "ThrottlingException"),
        ("internal", "InternalServerException"),
        ("conflict", "ConflictException"),
        ("access_denied", "AccessDeniedException"),
    ],
)
def test_a_fault_before_the_change_is_the_right_exception_and_changes_nothing(aws: Aws, kind: str, code: str) -> None:
    aws.simulator.faults.add(Fault(FaultKind(kind), first=1))
    with pytest.raises(getattr(aws.sso.exceptions, code)):
        aws.create()
    aws.wait_for_aws()
    assert aws.holders() == []


def test_sts_is_denied_in_its_own_protocol(aws: Aws) -> None:
    aws.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="AssumeRole"))
    with pytest.raises(ClientError) as refused:
        aws.client("sts").assume_role(RoleArn="arn:aws:iam::111111111111:role/x", RoleSessionName="worker")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_a_lost_reply_leaves_the_change_made(aws: Aws) -> None:
    aws.simulator.faults.add(Fault(FaultKind.LOST_REPLY, operation="CreateAccountAssignment", first=1))
    with pytest.raises(ConnectionClosedError):
        aws.create()
    aws.wait_for_aws()
    assert aws.holders() == [ADA]


def test_an_error_after_the_change_leaves_it_made(aws: Aws) -> None:
    aws.simulator.faults.add(Fault(FaultKind.INTERNAL_AFTER, operation="CreateAccountAssignment", first=1))
    with pytest.raises(aws.sso.exceptions.InternalServerException):
        aws.create()
    aws.wait_for_aws()
    assert aws.holders() == [ADA]


def test_a_refused_call_does_not_use_up_a_fault_that_strikes_afterwards(aws: Aws) -> None:
    aws.simulator.faults.add(Fault(FaultKind.LOST_REPLY, operation="CreateAccountAssignment", first=1))
    with pytest.raises(aws.sso.exceptions.ResourceNotFoundException):
        aws.create(account="999999999999")
    with pytest.raises(ConnectionClosedError):
        aws.create()


def test_unreachable_aws_does_nothing_and_counts_nothing(aws: Aws) -> None:
    number = aws.simulator.faults.add(Fault(FaultKind.UNREACHABLE))
    with pytest.raises(ConnectionClosedError):
        aws.create()
    assert aws.simulator.calls.as_json()["total"] == 0

    aws.simulator.faults.remove(number)
    aws.create()
    aws.wait_for_aws()
    assert aws.holders() == [ADA]


def test_an_asynchronous_failure_gives_its_reason_when_the_operation_settles(aws: Aws) -> None:
    reason = "Received a 409 status error: Cannot exceed quota for RolesPerAccount: 1000"
    aws.simulator.faults.add(Fault(FaultKind.FAILURE, account=PAYMENTS, reason=reason))
    failing = aws.create()
    succeeding = aws.create(account=SEARCH)
    assert aws.created(failing)["Status"] == "IN_PROGRESS"

    aws.wait_for_aws()
    assert aws.created(failing)["Status"] == "FAILED"
    assert aws.created(failing)["FailureReason"] == reason
    assert aws.created(succeeding)["Status"] == "SUCCEEDED"
    assert aws.holders() == []


def test_a_failed_deletion_leaves_the_assignment(aws: Aws) -> None:
    aws.create()
    aws.wait_for_aws()
    aws.simulator.faults.add(Fault(FaultKind.FAILURE, operation="DeleteAccountAssignment", reason="no"))
    aws.delete()
    aws.wait_for_aws()
    assert aws.holders() == [ADA]


def test_a_fault_strikes_one_principal_only(aws: Aws) -> None:
    aws.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, principal=GRACE))
    aws.create()
    with pytest.raises(aws.sso.exceptions.AccessDeniedException):
        aws.create(principal_id=GRACE)


def test_a_fault_strikes_the_first_calls_only(aws: Aws) -> None:
    aws.simulator.faults.add(Fault(FaultKind.INTERNAL, operation="ListInstances", first=2))
    for _ in range(2):
        with pytest.raises(aws.sso.exceptions.InternalServerException):
            aws.sso.list_instances()
    assert aws.sso.list_instances()["Instances"]


def test_a_rate_with_a_seed_strikes_the_same_calls_every_time(aws: Aws) -> None:
    def struck() -> list[bool]:
        aws.simulator.faults.clear()
        aws.simulator.faults.add(Fault(FaultKind.THROTTLE, rate=0.3, seed=7))
        outcomes = []
        for _ in range(40):
            try:
                aws.sso.list_instances()
            except aws.sso.exceptions.ThrottlingException:
                outcomes.append(True)
            else:
                outcomes.append(False)
        return outcomes

    first = struck()
    assert struck() == first
    assert 0 < sum(first) < 40


def test_boto3_gets_through_a_throttle_with_standard_retries(aws: Aws) -> None:
    aws.simulator.faults.add(Fault(FaultKind.THROTTLE, first=1))
    patient = aws.client("sso-admin", config=Config(retries={"mode": "standard", "total_max_attempts": 2}))
    assert patient.list_instances()["Instances"][0]["InstanceArn"] == SMALL.instance_arn
    assert aws.simulator.calls.as_json()["throttled"] == {"ListInstances": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"kind": "earthquake"},
        {"kind": "throttle", "chance": 1},
        {"kind": "throttle", "rate": 0},
        {"kind": "throttle", "rate": 1.5},
        {"kind": "throttle", "first": 0},
        {"kind": "throttle", "first": "2"},
        {"kind": "throttle", "operation": 3},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(aws: Aws, wrong: dict[str, Any]) -> None:
    answer = aws.control("POST", "faults", wrong)
    assert answer.status == 400
    assert answer.body["error"]
    assert aws.control("GET", "faults").body == {"faults": []}
