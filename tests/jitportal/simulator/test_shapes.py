"""Every answer has the shape that botocore's service model gives it."""

from functools import cache
from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.session import get_session

from jitportal.demo.simulator import FaultKind
from jitportal.demo.simulator.faults import Fault
from jitportal.demo.simulator.moto_backend import ANSWERED

from .conftest import Aws
from .model_departures import departures
from .small_organisation import ADA, NOBODY, OPERATOR, PAYMENTS, READ_ONLY, SMALL

INSTANCE = {"InstanceArn": SMALL.instance_arn}
STORE = {"IdentityStoreId": SMALL.identity_store_id}
SET = {**INSTANCE, "PermissionSetArn": READ_ONLY}
ASSIGNMENT = {
    **SET,
    "TargetId": PAYMENTS,
    "TargetType": "AWS_ACCOUNT",
    "PrincipalType": "USER",
    "PrincipalId": ADA,
}
KINDS = ("Creation", "Deletion")
OU = SMALL.ou_id("Workloads")


def by_name(path: str, value: str) -> dict[str, Any]:
    return {"AlternateIdentifier": {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}}


# Each call with the members that its answer must have filled.
CALLS: dict[tuple[str, str], tuple[dict[str, Any], str]] = {
    ("sso-admin", "ListInstances"): ({}, "Instances"),
    ("sso-admin", "ListPermissionSets"): (INSTANCE, "PermissionSets"),
    ("sso-admin", "DescribePermissionSet"): (SET, "PermissionSet"),
    ("sso-admin", "GetInlinePolicyForPermissionSet"): (SET, ""),
    ("sso-admin", "ListManagedPoliciesInPermissionSet"): (SET, ""),
    ("sso-admin", "ListCustomerManagedPolicyReferencesInPermissionSet"): (SET, ""),
    ("sso-admin", "CreateAccountAssignment"): (
        {**ASSIGNMENT, "PermissionSetArn": OPERATOR},
        "AccountAssignmentCreationStatus",
    ),
    ("sso-admin", "DeleteAccountAssignment"): (ASSIGNMENT, "AccountAssignmentDeletionStatus"),
    ("sso-admin", "ListAccountAssignmentCreationStatus"): (INSTANCE, "AccountAssignmentsCreationStatus"),
    ("sso-admin", "ListAccountAssignmentDeletionStatus"): (INSTANCE, "AccountAssignmentsDeletionStatus"),
    ("sso-admin", "ListAccountAssignments"): ({**SET, "AccountId": PAYMENTS}, "AccountAssignments"),
    ("sso-admin", "ListAccountAssignmentsForPrincipal"): (
        {**INSTANCE, "PrincipalType": "USER", "PrincipalId": ADA},
        "AccountAssignments",
    ),
    ("sso-admin", "ListAccountsForProvisionedPermissionSet"): (SET, "AccountIds"),
    ("sso-admin", "ListPermissionSetsProvisionedToAccount"): (
        {**INSTANCE, "AccountId": PAYMENTS},
        "PermissionSets",
    ),
    ("identitystore", "GetUserId"): ({**STORE, **by_name("userName", "ada@example.com")}, "UserId"),
    ("identitystore", "DescribeUser"): ({**STORE, "UserId": ADA}, "UserStatus"),
    ("identitystore", "ListUsers"): (STORE, "Users"),
    ("identitystore", "GetGroupId"): ({**STORE, **by_name("displayName", "Operators")}, "GroupId"),
    ("identitystore", "DescribeGroup"): ({**STORE, "GroupId": SMALL.group_id("Operators")}, "Description"),
    ("identitystore", "ListGroups"): (STORE, "Groups"),
    ("organizations", "DescribeOrganization"): ({}, "Organization"),
    ("organizations", "ListRoots"): ({}, "Roots"),
    ("organizations", "ListAccounts"): ({}, "Accounts"),
    ("organizations", "ListAccountsForParent"): ({"ParentId": SMALL.root_id}, "Accounts"),
    ("organizations", "ListOrganizationalUnitsForParent"): ({"ParentId": OU}, "OrganizationalUnits"),
    ("organizations", "DescribeOrganizationalUnit"): ({"OrganizationalUnitId": OU}, "OrganizationalUnit"),
    ("organizations", "DescribeAccount"): ({"AccountId": PAYMENTS}, "Account"),
    ("organizations", "ListParents"): ({"ChildId": PAYMENTS}, "Parents"),
    ("organizations", "ListTagsForResource"): ({"ResourceId": PAYMENTS}, "Tags"),
}


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's own description of a service."""
    model: ServiceModel = get_session().get_service_model(service)
    return model


@pytest.fixture
def busy(aws: Aws) -> Aws:
    """A simulator in which something has been created, something has failed and something been deleted."""
    aws.create()
    aws.delete(principal_id=NOBODY)
    aws.wait_for_aws()
    return aws


@pytest.mark.parametrize(("service", "operation"), sorted(CALLS))
def test_an_answer_has_the_shape_of_the_service_model(busy: Aws, service: str, operation: str) -> None:
    params, filled = CALLS[service, operation]
    answer = busy.raw(service, operation, params)
    shape = service_model(service).operation_model(operation).output_shape

    assert answer.status == 200, answer.body
    assert list(departures(shape, answer.body)) == []
    assert not filled or answer.body[filled]


def test_every_call_that_is_answered_has_its_shape_tested(aws: Aws) -> None:
    own = {("sso-admin", name) for name in aws.simulator._identity_center.handlers}
    own |= {("identitystore", name) for name in aws.simulator._identity_store.handlers}
    over_json = {(service, operation) for service, operation in ANSWERED if service != "sts"}
    with_request_id = {("sso-admin", f"DescribeAccountAssignment{kind}Status") for kind in KINDS}
    assert own | over_json == set(CALLS) | with_request_id


@pytest.mark.parametrize("kind", KINDS)
def test_a_described_operation_has_the_full_shape(busy: Aws, kind: str) -> None:
    begun = busy.create() if kind == "Creation" else busy.delete(principal_id=NOBODY)
    operation = f"DescribeAccountAssignment{kind}Status"
    for _ in range(2):
        answer = busy.raw("sso-admin", operation, {**INSTANCE, f"AccountAssignment{kind}RequestId": begun})
        shape = service_model("sso-admin").operation_model(operation).output_shape
        assert list(departures(shape, answer.body)) == []
        status = answer.body[f"AccountAssignment{kind}Status"]
        always = {"Status", "RequestId", "TargetId", "TargetType", "PermissionSetArn", "PrincipalType"}
        assert set(status) >= always | {"PrincipalId", "CreatedDate"}
        assert ("FailureReason" in status) == (status["Status"] == "FAILED")
        busy.wait_for_aws()


INJECTED = [(*key, kind) for key in sorted(CALLS) for kind in ("throttle", "internal", "access_denied")]
INJECTED += [("sso-admin", f"{verb}AccountAssignment", "conflict") for verb in ("Create", "Delete")]


@pytest.mark.parametrize(("service", "operation", "kind"), INJECTED)
def test_an_injected_error_is_one_that_the_service_has(busy: Aws, service: str, operation: str, kind: str) -> None:
    model = service_model(service)
    errors = {shape.name: shape for shape in model.error_shapes}
    busy.simulator.faults.add(Fault(FaultKind(kind)))

    answer = busy.raw(service, operation, CALLS[service, operation][0])

    code = answer.body.pop("__type")
    assert code in {shape.name for shape in model.operation_model(operation).error_shapes}
    assert list(departures(errors[code], answer.body)) == []
    assert answer.status == (500 if kind == "internal" else 400)


def test_the_assumed_role_is_who_the_caller_is(aws: Aws) -> None:
    role = "arn:aws:iam::111111111111:role/jitportal"
    given = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="jitportal-worker")["Credentials"]
    assumed = aws.client(
        "sts",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )

    caller = assumed.get_caller_identity()

    assert caller["Account"] == "111111111111"
    assert caller["Arn"].endswith(":assumed-role/jitportal/jitportal-worker")
    assert aws.client("sts").get_caller_identity()["Account"] == "111111111111"
