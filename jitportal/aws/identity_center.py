"""IAM Identity Center as the domain's provisioner."""

from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings

from accessrequests.provisioner import AssignmentKey, Gone, Progress, Refused, Report
from jitportal.aws import session
from jitportal.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_identitystore import IdentityStoreClient
    from mypy_boto3_sso_admin import SSOAdminClient
    from mypy_boto3_sso_admin.type_defs import AccountAssignmentOperationStatusTypeDef


class IdentityCenter:
    """Speaks to the instance that the settings name; safe to share between threads, as boto3's clients are."""

    @cached_property
    def _sso(self) -> "SSOAdminClient":
        return session.sso_admin()

    @cached_property
    def _store(self) -> "IdentityStoreClient":
        return session.identity_store()

    def find_principal(self, user_name: str, email: str) -> str:
        """The Identity Center user id of an enabled person, by user name and, failing that, by e-mail address."""
        tried = [("userName", user_name), ("userName", user_name.casefold()), ("emails.value", email)]
        for attribute, value in dict.fromkeys(pair for pair in tried if pair[1]):
            try:
                return self._enabled(self._user_id(attribute, value))
            except Gone:
                continue
        raise Gone(
            f"IAM Identity Center has no user {user_name}.",
            "An admin must check that the person is in the scope of Entra's provisioning to AWS.",
        )

    def _user_id(self, attribute: str, value: str) -> str:
        with translated():
            found = self._store.get_user_id(
                IdentityStoreId=settings.IDENTITY_STORE_ID,
                # The stubs take a mapping here; the service model has a document, and documents its use with a string.
                AlternateIdentifier={"UniqueAttribute": {"AttributePath": attribute, "AttributeValue": value}},  # type: ignore[typeddict-item]
            )
        return found["UserId"]

    def _enabled(self, user_id: str) -> str:
        with translated():
            user = self._store.describe_user(IdentityStoreId=settings.IDENTITY_STORE_ID, UserId=user_id)
        if user.get("UserStatus") == "DISABLED":
            raise Refused("The person is disabled in IAM Identity Center.", "An admin of Entra must enable them.")
        return user_id

    def is_assigned(self, key: AssignmentKey) -> bool:
        """Whether the person themselves (not a group of theirs) has the permission set in the account."""
        with translated():
            pages = self._sso.get_paginator("list_account_assignments").paginate(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN,
                AccountId=key.account_id,
                PermissionSetArn=key.permission_set_arn,
            )
            return any(
                row.get("PrincipalId") == key.principal_id and row.get("PrincipalType") == "USER"
                for page in pages
                for row in page["AccountAssignments"]
            )

    def begin_creation(self, key: AssignmentKey) -> Report:
        """CreateAccountAssignment: asynchronous, and succeeds for what exists."""
        with translated():
            answer = self._sso.create_account_assignment(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN,
                TargetId=key.account_id,
                TargetType="AWS_ACCOUNT",
                PermissionSetArn=key.permission_set_arn,
                PrincipalType="USER",
                PrincipalId=key.principal_id,
            )
        return _report(answer["AccountAssignmentCreationStatus"])

    def begin_deletion(self, key: AssignmentKey) -> Report:
        """DeleteAccountAssignment: asynchronous."""
        with translated():
            answer = self._sso.delete_account_assignment(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN,
                TargetId=key.account_id,
                TargetType="AWS_ACCOUNT",
                PermissionSetArn=key.permission_set_arn,
                PrincipalType="USER",
                PrincipalId=key.principal_id,
            )
        return _report(answer["AccountAssignmentDeletionStatus"])

    def creation_report(self, operation_id: str) -> Report:
        """DescribeAccountAssignmentCreationStatus."""
        with translated():
            answer = self._sso.describe_account_assignment_creation_status(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN, AccountAssignmentCreationRequestId=operation_id
            )
        return _report(answer["AccountAssignmentCreationStatus"])

    def deletion_report(self, operation_id: str) -> Report:
        """DescribeAccountAssignmentDeletionStatus; fails with a 404 in its reason where there was nothing to delete."""
        with translated():
            answer = self._sso.describe_account_assignment_deletion_status(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN, AccountAssignmentDeletionRequestId=operation_id
            )
        return _report(answer["AccountAssignmentDeletionStatus"])


def _report(status: "AccountAssignmentOperationStatusTypeDef") -> Report:
    return Report(
        status.get("RequestId", ""), Progress(status.get("Status", "IN_PROGRESS")), status.get("FailureReason", "")
    )
