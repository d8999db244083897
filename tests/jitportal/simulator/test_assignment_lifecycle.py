"""Creations and deletions are accepted first, and come true or fail later."""

import pytest
from botocore.exceptions import ClientError

from jitportal.demo.simulator import AssignmentKey

from .conftest import Aws
from .small_organisation import ADA, GRACE, NOBODY, PAYMENTS, READ_ONLY, SEARCH, SMALL


def test_a_creation_is_in_progress_until_the_delay_has_passed(aws: Aws) -> None:
    request_id = aws.create()
    assert aws.created(request_id)["Status"] == "IN_PROGRESS"
    assert aws.holders() == []

    aws.clock.now += 1.999
    assert aws.created(request_id)["Status"] == "IN_PROGRESS"

    aws.clock.now += 0.001
    assert aws.holders() == [ADA]
    assert aws.created(request_id)["Status"] == "SUCCEEDED"


def test_a_deletion_takes_the_assignment_away_after_the_delay(aws: Aws) -> None:
    aws.create()
    aws.wait_for_aws()
    request_id = aws.delete()
    assert aws.holders() == [ADA]

    aws.wait_for_aws()
    assert aws.holders() == []
    assert aws.deleted(request_id)["Status"] == "SUCCEEDED"


def test_creating_what_exists_succeeds_and_adds_no_second_row(aws: Aws) -> None:
    first = aws.create()
    aws.wait_for_aws()
    second = aws.create()
    aws.wait_for_aws()

    assert first != second
    assert aws.created(second)["Status"] == "SUCCEEDED"
    assert aws.holders() == [ADA]


def test_a_second_deletion_says_gone(aws: Aws) -> None:
    request_id = aws.delete()
    assert aws.deleted(request_id)["Status"] == "IN_PROGRESS"

    aws.wait_for_aws()
    settled = aws.deleted(request_id)
    assert settled["Status"] == "FAILED"
    assert settled["FailureReason"].startswith("Received a 404 status error: EntitlementItem doesn't exist")


def test_a_creation_and_a_deletion_have_request_ids_of_their_own(aws: Aws) -> None:
    created = aws.create()
    aws.wait_for_aws()
    deleted = aws.delete()

    assert created != deleted
    with pytest.raises(aws.sso.exceptions.ResourceNotFoundException):
        aws.deleted(created)
    with pytest.raises(aws.sso.exceptions.ResourceNotFoundException):
        aws.created(deleted)


def test_an_unknown_principal_is_accepted_and_then_fails_with_awss_reason(aws: Aws) -> None:
    request_id = aws.create(principal_id=NOBODY)
    aws.wait_for_aws()

    settled = aws.created(request_id)
    assert settled["Status"] == "FAILED"
    assert f"the USER assignee {NOBODY} was not found in directory d-" in settled["FailureReason"]


def test_a_suspended_account_fails_a_creation_and_lets_a_deletion_through(aws: Aws) -> None:
    aws.create()
    aws.wait_for_aws()
    aws.simulator.change_account(PAYMENTS, status="SUSPENDED")
    creation = aws.create(principal_id=GRACE)
    deletion = aws.delete()
    aws.wait_for_aws()

    assert "suspended" in aws.created(creation)["FailureReason"]
    assert aws.deleted(deletion)["Status"] == "SUCCEEDED"


def test_a_group_is_assigned_like_a_user(aws: Aws) -> None:
    group = SMALL.group_id("Operators")
    aws.create(principal_id=group, principal_type="GROUP")
    aws.wait_for_aws()
    assert aws.holders() == [group]


def test_a_users_id_is_no_group(aws: Aws) -> None:
    request_id = aws.create(principal_id=ADA, principal_type="GROUP")
    aws.wait_for_aws()
    assert aws.created(request_id)["Status"] == "FAILED"


def test_assignments_come_in_pages(aws: Aws) -> None:
    for principal in (ADA, GRACE, SMALL.user_id("gone@example.com")):
        aws.simulator.put_assignment(AssignmentKey(PAYMENTS, READ_ONLY, "USER", principal))
    pages = aws.sso.get_paginator("list_account_assignments").paginate(
        InstanceArn=SMALL.instance_arn,
        AccountId=PAYMENTS,
        PermissionSetArn=READ_ONLY,
        PaginationConfig={"PageSize": 2},
    )
    rows = [[row["PrincipalId"] for row in page["AccountAssignments"]] for page in pages]
    assert [len(page) for page in rows] == [2, 1]
    assert {principal for page in rows for principal in page} >= {ADA, GRACE}


def test_the_assignments_of_a_person_can_be_narrowed_to_an_account(aws: Aws) -> None:
    aws.create()
    aws.create(account=SEARCH)
    aws.wait_for_aws()
    answer = aws.sso.list_account_assignments_for_principal(
        InstanceArn=SMALL.instance_arn,
        PrincipalId=ADA,
        PrincipalType="USER",
        Filter={"AccountId": SEARCH},
    )
    assert [row["AccountId"] for row in answer["AccountAssignments"]] == [SEARCH]


def test_a_token_of_another_list_is_refused(aws: Aws) -> None:
    for _ in range(2):
        aws.create()
        aws.wait_for_aws()
    token = aws.sso.list_account_assignment_creation_status(InstanceArn=SMALL.instance_arn, MaxResults=1)["NextToken"]
    with pytest.raises(ClientError) as refused:
        aws.sso.list_account_assignment_deletion_status(InstanceArn=SMALL.instance_arn, NextToken=token)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
