"""One list call watches every operation in flight."""

from .conftest import Aws
from .small_organisation import GRACE, NOBODY, SEARCH, SMALL


def test_rows_hold_request_id_status_and_date_only(aws: Aws) -> None:
    aws.create()
    answer = aws.raw("sso-admin", "ListAccountAssignmentCreationStatus", {"InstanceArn": SMALL.instance_arn})
    assert [set(row) for row in answer.body["AccountAssignmentsCreationStatus"]] == [
        {"RequestId", "Status", "CreatedDate"}
    ]


def test_the_newest_comes_first_and_creations_are_apart_from_deletions(aws: Aws) -> None:
    first = aws.create()
    second = aws.create(principal_id=GRACE)
    deletion = aws.delete(account=SEARCH)

    creations = aws.sso.list_account_assignment_creation_status(InstanceArn=SMALL.instance_arn)
    deletions = aws.sso.list_account_assignment_deletion_status(InstanceArn=SMALL.instance_arn)

    assert [row["RequestId"] for row in creations["AccountAssignmentsCreationStatus"]] == [second, first]
    assert [row["RequestId"] for row in deletions["AccountAssignmentsDeletionStatus"]] == [deletion]


def test_a_filter_shows_one_status(aws: Aws) -> None:
    failed = aws.create(principal_id=NOBODY)
    succeeded = aws.create()
    aws.wait_for_aws()
    in_progress = aws.create(account=SEARCH)

    for status, wanted in (("FAILED", failed), ("SUCCEEDED", succeeded), ("IN_PROGRESS", in_progress)):
        answer = aws.sso.list_account_assignment_creation_status(
            InstanceArn=SMALL.instance_arn,
            Filter={"Status": status},  # type: ignore[typeddict-item]
        )
        assert [row["RequestId"] for row in answer["AccountAssignmentsCreationStatus"]] == [wanted]


def test_a_page_holds_a_hundred_rows_and_later_operations_do_not_shift_the_next(aws: Aws) -> None:
    begun = [aws.create(principal_id=f"00000000-0000-4000-8000-{n:012d}") for n in range(130)]
    first = aws.sso.list_account_assignment_creation_status(InstanceArn=SMALL.instance_arn)
    aws.create()
    second = aws.sso.list_account_assignment_creation_status(
        InstanceArn=SMALL.instance_arn, NextToken=first["NextToken"]
    )

    pages = [answer["AccountAssignmentsCreationStatus"] for answer in (first, second)]
    assert [len(page) for page in pages] == [100, 30]
    assert [row["RequestId"] for page in pages for row in page] == begun[::-1]
    assert "NextToken" not in second


def test_what_is_in_flight_comes_in_pages_too(aws: Aws) -> None:
    begun = [aws.create(principal_id=f"00000000-0000-4000-8000-{n:012d}") for n in range(5)]
    pages = aws.sso.get_paginator("list_account_assignment_creation_status").paginate(
        InstanceArn=SMALL.instance_arn,
        Filter={"Status": "IN_PROGRESS"},
        PaginationConfig={"PageSize": 2},
    )
    seen = [row["RequestId"] for page in pages for row in page["AccountAssignmentsCreationStatus"]]
    assert seen == begun[::-1]
