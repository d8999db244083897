"""Calls that AWS would refuse are refused, with the exception that AWS would use."""

from typing import Any

import pytest

from .conftest import Aws
from .small_organisation import ADA, PAYMENTS, READ_ONLY, SMALL

RIGHT = {
    "InstanceArn": SMALL.instance_arn,
    "TargetId": PAYMENTS,
    "TargetType": "AWS_ACCOUNT",
    "PermissionSetArn": READ_ONLY,
    "PrincipalType": "USER",
    "PrincipalId": ADA,
}
ELSEWHERE = "arn:aws:sso:::instance/ssoins-0000000000000000"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"TargetId": "999999999999"}, "ResourceNotFoundException", "Account 999999999999"),
        ({"TargetId": "12345"}, "ValidationException", "'targetId'"),
        (
            {"TargetId": None},
            "ValidationException",
            "'targetId' failed to satisfy constraint: Member must not",
        ),
        ({"TargetId": 5}, "ValidationException", "'targetId'"),
        ({"TargetType": "OU"}, "ValidationException", "enum value set: [AWS_ACCOUNT]"),
        ({"PrincipalType": "ROBOT"}, "ValidationException", "'principalType'"),
        ({"PrincipalId": "ada@example.com"}, "ValidationException", "'principalId'"),
        (
            {"PermissionSetArn": READ_ONLY[:-16] + "0" * 16},
            "ResourceNotFoundException",
            "ps-0000000000000000",
        ),
        ({"PermissionSetArn": f"{SMALL.instance_arn}/ps-0123456789abcdef"}, "ValidationException", "pattern"),
        ({"InstanceArn": ELSEWHERE}, "ResourceNotFoundException", ELSEWHERE),
    ],
)
@pytest.mark.parametrize("operation", ["CreateAccountAssignment", "DeleteAccountAssignment"])
def test_a_wrong_parameter_is_refused_at_once(
    aws: Aws, operation: str, changes: dict[str, Any], code: str, words: str
) -> None:
    answer = aws.raw("sso-admin", operation, RIGHT | changes)
    assert answer.status == 400
    assert answer.body["__type"] == code
    assert words in answer.body["Message"]
    assert aws.simulator.state.operations.outstanding == 0


def test_real_clients_see_the_exception_class(aws: Aws) -> None:
    with pytest.raises(aws.sso.exceptions.ResourceNotFoundException):
        aws.create(account="999999999999")
    with pytest.raises(aws.sso.exceptions.ValidationException):
        aws.create(principal_id="ada@example.com")


def test_a_page_of_more_than_a_hundred_is_refused(aws: Aws) -> None:
    answer = aws.raw("sso-admin", "ListPermissionSets", {"InstanceArn": SMALL.instance_arn, "MaxResults": 101})
    assert answer.body["__type"] == "ValidationException"


def test_a_made_up_token_is_refused(aws: Aws) -> None:
    for token in ("abc", "bnVsbA=="):
        params = {"InstanceArn": SMALL.instance_arn, "NextToken": token}
        answer = aws.raw("sso-admin", "ListAccountAssignmentCreationStatus", params)
        assert answer.body["__type"] == "ValidationException"


def test_unknown_members_are_ignored_as_aws_does(aws: Aws) -> None:
    assert aws.raw("sso-admin", "CreateAccountAssignment", RIGHT | {"Colour": "red"}).status == 200


def test_the_account_of_a_list_must_exist(aws: Aws) -> None:
    with pytest.raises(aws.sso.exceptions.ResourceNotFoundException):
        aws.holders(account="999999999999")


def test_an_account_that_is_not_ours_has_no_parents(aws: Aws) -> None:
    with pytest.raises(aws.organisation.exceptions.ChildNotFoundException):
        aws.organisation.list_parents(ChildId="999999999999")
