"""ARNs and ids follow from names, in AWS's shapes, the same every time."""

import json
import re
from dataclasses import replace

import pytest

from jitportal.demo.simulator import Account, Organisation, User

from .conftest import Aws
from .small_organisation import PAYMENTS, SEARCH, SMALL


def test_arns_have_awss_shape() -> None:
    assert re.fullmatch(r"arn:aws:sso:::instance/ssoins-[0-9a-f]{16}", SMALL.instance_arn)
    arn = SMALL.permission_set_arn("ReadOnly")
    assert re.fullmatch(r"arn:aws:sso:::permissionSet/ssoins-[0-9a-f]{16}/ps-[0-9a-f]{16}", arn)
    assert SMALL.instance_id in arn


def test_ids_do_not_depend_on_what_else_there_is() -> None:
    smaller = replace(SMALL, users=SMALL.users[:1], permission_sets=SMALL.permission_sets[:1], groups=())
    assert smaller.user_id("ada@example.com") == SMALL.user_id("ada@example.com")
    assert smaller.permission_set_arn("ReadOnly") == SMALL.permission_set_arn("ReadOnly")


def test_a_description_survives_json() -> None:
    assert Organisation.from_json(json.loads(json.dumps(SMALL.as_json()))) == SMALL


def test_the_instance_and_the_store_can_be_given() -> None:
    given = replace(SMALL, instance_id="ssoins-72230f1f4d7c9a52", identity_store_id="d-9067f1c2a3")
    assert given.instance_arn == "arn:aws:sso:::instance/ssoins-72230f1f4d7c9a52"
    assert "/ssoins-72230f1f4d7c9a52/ps-" in given.permission_set_arn("ReadOnly")
    with pytest.raises(ValueError, match="instance_id 'ours' must be ssoins- and 16 hex digits"):
        replace(SMALL, instance_id="ours")


def test_names_that_are_unknown_are_key_errors() -> None:
    for look_up in (SMALL.permission_set_arn, SMALL.user_id, SMALL.group_id, SMALL.account_named):
        with pytest.raises(KeyError, match="Nothing"):
            look_up("Nothing")


def test_an_account_id_has_twelve_digits() -> None:
    with pytest.raises(ValueError, match="12 digits"):
        Account("123", "Short", "short@example.com")


def test_nothing_is_described_twice() -> None:
    with pytest.raises(ValueError, match="user name given twice: ada@"):
        replace(SMALL, users=(*SMALL.users, User("ada@example.com", "Other", "o@example.com")))


def test_accounts_hang_where_the_description_puts_them(aws: Aws) -> None:
    def path(child: str) -> list[str]:
        names: list[str] = []
        parent = aws.organisation.list_parents(ChildId=child)["Parents"][0]
        while parent["Type"] == "ORGANIZATIONAL_UNIT":
            unit = aws.organisation.describe_organizational_unit(OrganizationalUnitId=parent["Id"])
            names.insert(0, unit["OrganizationalUnit"]["Name"])
            parent = aws.organisation.list_parents(ChildId=parent["Id"])["Parents"][0]
        return names

    assert path(PAYMENTS) == ["Workloads", "Production"]
    assert path(SEARCH) == ["Workloads", "Development"]
    assert path("111111111111") == []


def test_accounts_carry_their_tags_and_come_in_pages(aws: Aws) -> None:
    tags = aws.organisation.list_tags_for_resource(ResourceId=PAYMENTS)["Tags"]
    assert tags == [{"Key": "owner", "Value": "payments"}]
    pages = aws.organisation.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2})
    assert [[account["Id"] for account in page["Accounts"]] for page in pages] == [
        ["111111111111", PAYMENTS],
        [SEARCH],
    ]


def test_every_region_reaches_the_same_instance(aws: Aws) -> None:
    for region in ("us-east-1", "ap-southeast-2"):
        instances = aws.client("sso-admin", region_name=region).list_instances()["Instances"]
        assert [instance["InstanceArn"] for instance in instances] == [SMALL.instance_arn]


def test_permission_sets_are_described(aws: Aws) -> None:
    answer = aws.sso.describe_permission_set(
        InstanceArn=SMALL.instance_arn, PermissionSetArn=SMALL.permission_set_arn("Operator")
    )["PermissionSet"]
    assert answer["Name"] == "Operator"
    assert answer["SessionDuration"] == "PT4H"
