"""IAM Identity Center as the domain's provisioner."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from accessrequests.provisioner import AssignmentKey, Disabled, Gone, NotDone, Progress, Report
from jitportal.aws import session
from jitportal.aws.errors import translated
from jitportal.aws.limiter import Urgency, budget

if TYPE_CHECKING:
    from mypy_boto3_identitystore import IdentityStoreClient
    from mypy_boto3_sso_admin import SSOAdminClient
    from mypy_boto3_sso_admin.type_defs import (
        AccountAssignmentOperationStatusMetadataTypeDef,
        AccountAssignmentOperationStatusTypeDef,
    )

PAGE: Final = 100
PROGRESS: Final = {each.value: each for each in Progress}


class IdentityCenter:
    """Speaks to the instance that the settings name; safe to share between threads, as boto3's clients are."""

    @cached_property
    def _sso(self) -> "SSOAdminClient":
        return session.sso_admin()

    @cached_property
    def _store(self) -> "IdentityStoreClient":
        return session.identity_store()

    def get_ready(self) -> None:
        """Makes the clients, for which botocore reads its service models."""
        _ = self._sso, self._store

    def find_principal(self, user_name: str) -> str:
        """The Identity Center user id of an enabled person, by user name alone: an e-mail address identifies nobody."""
        for name in dict.fromkeys((user_name, user_name.casefold())):
            try:
                found = self._user_id(name)
                self.check_principal(found)
            except Gone:
                continue
            return found
        raise Gone(
            f"IAM Identity Center has no user {user_name}.",
            "An admin must check that the person is in the scope of Entra's provisioning to AWS.",
        )

    def _user_id(self, user_name: str) -> str:
        with calling("identitystore", Urgency.GRANT):
            found = self._store.get_user_id(
                IdentityStoreId=settings.IDENTITY_STORE_ID,
                # The stubs take a mapping here; the service model has a document, and documents its use with a string.
                AlternateIdentifier={"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": user_name}},  # type: ignore[typeddict-item]
            )
        return found["UserId"]

    def check_principal(self, principal_id: str) -> None:
        """DescribeUser: one call, and not to the service whose calls are scarce."""
        with calling("identitystore", Urgency.GRANT):
            user = self._store.describe_user(IdentityStoreId=settings.IDENTITY_STORE_ID, UserId=principal_id)
        if user.get("UserStatus") == "DISABLED":
            raise Disabled("The person is disabled in IAM Identity Center.", "An admin of Entra must enable them.")

    def is_assigned(self, key: AssignmentKey) -> bool:
        """Whether the person themselves (not a group of theirs) has the permission set in the account."""
        asked: dict[str, Any] = {
            "InstanceArn": settings.IDENTITY_CENTER_INSTANCE_ARN,
            "AccountId": key.account_id,
            "PermissionSetArn": key.permission_set_arn,
            "MaxResults": PAGE,
        }
        while True:
            with calling("sso-admin", Urgency.GRANT):
                page = self._sso.list_account_assignments(**asked)
            holders = {(row.get("PrincipalType"), row.get("PrincipalId")) for row in page["AccountAssignments"]}
            if ("USER", key.principal_id) in holders:
                return True
            if not page.get("NextToken"):
                return False
            asked["NextToken"] = page["NextToken"]

    def assignments_of(self, account_id: str, permission_set_arn: str) -> list[tuple[str, str]]:
        """ListAccountAssignments, page by page; those inherited through a group stand there as the group's."""
        asked: dict[str, Any] = {
            "InstanceArn": settings.IDENTITY_CENTER_INSTANCE_ARN,
            "AccountId": account_id,
            "PermissionSetArn": permission_set_arn,
            "MaxResults": PAGE,
        }
        found: list[tuple[str, str]] = []
        while True:
            with calling("sso-admin", Urgency.SCAN):
                page = self._sso.list_account_assignments(**asked)
            found += [(row.get("PrincipalType", ""), row.get("PrincipalId", "")) for row in page["AccountAssignments"]]
            if not page.get("NextToken"):
                return found
            asked["NextToken"] = page["NextToken"]

    def principal_name(self, principal_type: str, principal_id: str) -> str:
        """DescribeUser or DescribeGroup."""
        with calling("identitystore", Urgency.SCAN):
            if principal_type == "GROUP":
                group = self._store.describe_group(IdentityStoreId=settings.IDENTITY_STORE_ID, GroupId=principal_id)
                return group.get("DisplayName", "")
            user = self._store.describe_user(IdentityStoreId=settings.IDENTITY_STORE_ID, UserId=principal_id)
            return user.get("UserName", "")

    def begin_creation(self, key: AssignmentKey) -> Report:
        """CreateAccountAssignment: asynchronous, and succeeds for what exists."""
        with calling("sso-admin", Urgency.GRANT):
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
        with calling("sso-admin", Urgency.REVOCATION):
            answer = self._sso.delete_account_assignment(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN,
                TargetId=key.account_id,
                TargetType="AWS_ACCOUNT",
                PermissionSetArn=key.permission_set_arn,
                PrincipalType="USER",
                PrincipalId=key.principal_id,
            )
        return _report(answer["AccountAssignmentDeletionStatus"])

    def recent_creations(self) -> list[Report]:
        """ListAccountAssignmentCreationStatus: the newest page, whatever its status."""
        with calling("sso-admin", Urgency.REVOCATION):
            answer = self._sso.list_account_assignment_creation_status(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN, MaxResults=PAGE
            )
        return [_report(row) for row in answer["AccountAssignmentsCreationStatus"]]

    def recent_deletions(self) -> list[Report]:
        """ListAccountAssignmentDeletionStatus: the newest page, whatever its status."""
        with calling("sso-admin", Urgency.REVOCATION):
            answer = self._sso.list_account_assignment_deletion_status(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN, MaxResults=PAGE
            )
        return [_report(row) for row in answer["AccountAssignmentsDeletionStatus"]]

    def creation_report(self, operation_id: str) -> Report:
        """DescribeAccountAssignmentCreationStatus."""
        with calling("sso-admin", Urgency.REVOCATION):
            answer = self._sso.describe_account_assignment_creation_status(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN, AccountAssignmentCreationRequestId=operation_id
            )
        return _report(answer["AccountAssignmentCreationStatus"])

    def deletion_report(self, operation_id: str) -> Report:
        """DescribeAccountAssignmentDeletionStatus; fails with a 404 in its reason where there was nothing to delete."""
        with calling("sso-admin", Urgency.REVOCATION):
            answer = self._sso.describe_account_assignment_deletion_status(
                InstanceArn=settings.IDENTITY_CENTER_INSTANCE_ARN, AccountAssignmentDeletionRequestId=operation_id
            )
        return _report(answer["AccountAssignmentDeletionStatus"])


@contextmanager
def calling(service: str, urgency: Urgency) -> Iterator[None]:
    """One call within the shared budget, with its errors sorted.

    Raises:
        NotDone: the budget had no place in time; nothing was sent.
        ProvisionerError: what the call raised, sorted.
    """
    if not budget(service).wait(urgency):
        raise NotDone("The portal's own budget of calls to AWS is used up.", "It is tried again by itself.")
    with translated():
        yield


def _report(
    status: "AccountAssignmentOperationStatusTypeDef | AccountAssignmentOperationStatusMetadataTypeDef",
) -> Report:
    # A status that AWS may add one day says nothing yet.
    progress = PROGRESS.get(status.get("Status", ""), Progress.IN_PROGRESS)
    return Report(status.get("RequestId", ""), progress, str(status.get("FailureReason", "")))
