"""What the simulator cannot do is said loudly, and never retried."""

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from .conftest import Aws
from .small_organisation import READ_ONLY, SMALL


def refusal(aws: Aws, service: str, call: str, **params: str) -> str:
    eager = aws.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 5}))
    with pytest.raises(ClientError) as refused:
        getattr(eager, call)(**params)
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    return str(refused.value)


@pytest.mark.parametrize(
    ("service", "call", "params"),
    [
        ("sso-admin", "list_tags_for_resource", {"ResourceArn": READ_ONLY}),
        (
            "sso-admin",
            "provision_permission_set",
            {"InstanceArn": SMALL.instance_arn, "PermissionSetArn": READ_ONLY, "TargetType": "AWS_ACCOUNT"},
        ),
        ("sso-admin", "create_permission_set", {"InstanceArn": SMALL.instance_arn, "Name": "New"}),
        ("organizations", "close_account", {"AccountId": "222222222222"}),
        ("sts", "get_session_token", {}),
        ("cloudtrail", "lookup_events", {}),
        ("iam", "list_roles", {}),
    ],
)
def test_a_call_that_is_not_simulated_says_so_once(aws: Aws, service: str, call: str, params: dict[str, str]) -> None:
    assert "does not implement" in refusal(aws, service, call, **params)
    assert aws.simulator.calls.as_json()["total"] == 1


def test_a_body_that_is_not_json_is_refused(aws: Aws) -> None:
    answer = aws.raw("sso-admin", "ListInstances", [])  # type: ignore[arg-type]
    assert answer.status == 400
    assert answer.body["__type"] == "ValidationException"
