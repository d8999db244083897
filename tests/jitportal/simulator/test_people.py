"""People are found by user name, e-mail or external id, by exact case, and may be disabled."""

from typing import Any

import pytest
from mypy_boto3_identitystore.type_defs import UniqueAttributeTypeDef

from .conftest import Aws
from .small_organisation import ADA, GRACE, NOBODY, SMALL

STORE = SMALL.identity_store_id


def find(aws: Aws, **identifier: Any) -> str:
    answer = aws.people.get_user_id(IdentityStoreId=STORE, AlternateIdentifier=identifier)  # type: ignore[arg-type]
    return answer["UserId"]


def unique(path: str, value: str) -> UniqueAttributeTypeDef:
    # The stubs know a document as a mapping only; AWS takes the plain string.
    return {"AttributePath": path, "AttributeValue": value}  # type: ignore[typeddict-item]


def test_a_person_is_found_by_user_name(aws: Aws) -> None:
    assert find(aws, UniqueAttribute=unique("userName", "ada@example.com")) == ADA


def test_a_person_is_found_by_email(aws: Aws) -> None:
    assert find(aws, UniqueAttribute=unique("emails.value", "grace.hopper@example.com")) == GRACE


def test_a_person_is_found_by_external_id(aws: Aws) -> None:
    assert find(aws, ExternalId={"Issuer": "https://scim.aws.com", "Id": "ada-in-scim"}) == ADA


@pytest.mark.parametrize(
    "identifier",
    [
        {"UniqueAttribute": unique("userName", "Ada@Example.com")},
        {"UniqueAttribute": unique("emails.value", "nobody@example.com")},
        {"ExternalId": {"Issuer": "https://elsewhere.example", "Id": "ada-in-scim"}},
    ],
)
def test_whoever_does_not_match_exactly_is_not_found(aws: Aws, identifier: dict[str, Any]) -> None:
    with pytest.raises(aws.people.exceptions.ResourceNotFoundException, match="USER not found"):
        find(aws, **identifier)


def test_an_attribute_that_is_not_unique_is_refused(aws: Aws) -> None:
    with pytest.raises(aws.people.exceptions.ValidationException, match="not a unique attribute"):
        find(aws, UniqueAttribute=unique("title", "Engineer"))


def test_a_user_says_whether_they_are_enabled(aws: Aws) -> None:
    def status(user_name: str) -> str:
        user = aws.people.describe_user(IdentityStoreId=STORE, UserId=SMALL.user_id(user_name))
        return str(user["UserStatus"])

    assert [status("ada@example.com"), status("gone@example.com")] == ["ENABLED", "DISABLED"]
    aws.simulator.change_user("ada@example.com", enabled=False)
    assert status("ada@example.com") == "DISABLED"


def test_an_unknown_user_has_no_description(aws: Aws) -> None:
    with pytest.raises(aws.people.exceptions.ResourceNotFoundException):
        aws.people.describe_user(IdentityStoreId=STORE, UserId=NOBODY)


def test_another_identity_store_is_not_found(aws: Aws) -> None:
    with pytest.raises(aws.people.exceptions.ResourceNotFoundException, match="Identity store"):
        aws.people.list_users(IdentityStoreId="d-0000000000")


def test_users_are_listed_in_pages_and_filtered_by_name(aws: Aws) -> None:
    pages = aws.people.get_paginator("list_users").paginate(IdentityStoreId=STORE, PaginationConfig={"PageSize": 2})
    assert [len(page["Users"]) for page in pages] == [2, 1]
    found = aws.people.list_users(
        IdentityStoreId=STORE,
        Filters=[{"AttributePath": "UserName", "AttributeValue": "ada@example.com"}],
    )
    assert [user["UserId"] for user in found["Users"]] == [ADA]


def test_a_group_is_found_by_its_display_name(aws: Aws) -> None:
    answer = aws.people.get_group_id(
        IdentityStoreId=STORE, AlternateIdentifier={"UniqueAttribute": unique("displayName", "Operators")}
    )
    assert answer["GroupId"] == SMALL.group_id("Operators")
