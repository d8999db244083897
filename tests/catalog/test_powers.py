"""Permission sets that allow everything, or IAM itself, are told by what the inventory mirrors of them."""

import json
from typing import Any

import pytest

from catalog.powers import too_much

AWS = "arn:aws:iam::aws:policy/"


def statement(**parts: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **parts}]})


@pytest.mark.parametrize(
    ("managed", "inline", "expected"),
    [
        (None, None, []),
        ([], "", []),
        ([f"{AWS}ReadOnlyAccess"], "", []),
        ([f"{AWS}AdministratorAccess"], "", ["AdministratorAccess"]),
        ([f"{AWS}IAMFullAccess"], statement(Action="*"), ["IAMFullAccess", "*"]),
        (["/AdministratorAccess"], "", []),
        ([], statement(Action=["s3:*", "IAM:*"]), ["IAM:*"]),
        ([], statement(Action="iam:Get*"), []),
        ([], statement(Effect="Deny", Action="*"), []),
        ([], statement(NotAction=["s3:DeleteBucket"]), ["iam:* (by NotAction)"]),
        ([], statement(NotAction=["iam:*", "organizations:*"]), []),
        ([], '{"Statement": {"Effect": "Allow", "Action": "*:*"}}', ["*:*"]),
        ([], "no JSON", []),
        ([], "[1]", []),
        ([], '{"Statement": ["*", 1, null]}', []),
        ([], "[" * 100_000, []),
    ],
)
def test_what_goes_too_far_is_named(managed: list[str] | None, inline: str | None, expected: list[str]) -> None:
    assert too_much(managed, inline) == expected
