"""Reads accounts, permission sets, users and groups from AWS, page by page, as plain rows."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from accessrequests.provisioner import Gone, Refused
from catalog.inventory import AccountRow, PermissionSetRow, PositionLost, PrincipalPage, PrincipalRow
from jitportal.aws import session
from jitportal.aws.errors import translated
from jitportal.aws.identity_center import calling
from jitportal.aws.limiter import Urgency

if TYPE_CHECKING:
    from mypy_boto3_identitystore import IdentityStoreClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_sso_admin import SSOAdminClient

# Permission sets' session durations are ISO 8601, from PT1H to PT12H (service model of sso-admin).
DURATION: Final = re.compile(r"PT(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?")
ORGANIZATIONS: Final = "organizations"
IDENTITY_CENTER: Final = "sso-admin"
IDENTITY_STORE: Final = "identitystore"
PAGE: Final = 100


class AwsInventory:
    """The organisation and the Identity Center instance that the settings name.

    Args:
        urgency: how much of the budget of calls it may use; None: all that AWS allows, where no work goes on yet.

    Raises:
        accessrequests.provisioner.ProvisionerError: from every method, while it is being read.
    """

    def __init__(self, urgency: Urgency | None = Urgency.SCAN) -> None:
        self._urgency = urgency

    @cached_property
    def _organization(self) -> "OrganizationsClient":
        return session.organizations()

    @cached_property
    def _sso(self) -> "SSOAdminClient":
        return session.sso_admin(patient=True)

    @cached_property
    def _store(self) -> "IdentityStoreClient":
        return session.identity_store()

    def accounts(self) -> Iterator[AccountRow]:
        """The active accounts: down the tree, for a unit's accounts are listed with all but their unit's name."""
        with self._calling(ORGANIZATIONS):
            management = self._organization.describe_organization()["Organization"]["MasterAccountId"]
        for root in self._pages(ORGANIZATIONS, "list_roots", "Roots"):
            yield from self._accounts_below(root["Id"], "", management)

    def _accounts_below(self, parent: str, path: str, management: str) -> Iterator[AccountRow]:
        for account in self._pages(ORGANIZATIONS, "list_accounts_for_parent", "Accounts", ParentId=parent):
            # AWS replaces Status by State, which has more values; both say ACTIVE.
            if account.get("State", account.get("Status")) == "ACTIVE":
                account_id = account["Id"]
                name, email = account.get("Name", account_id), account.get("Email", "")
                yield AccountRow(account_id, name, email, path, account_id == management)
        units = "list_organizational_units_for_parent"
        for unit in self._pages(ORGANIZATIONS, units, "OrganizationalUnits", ParentId=parent):
            name = unit.get("Name", unit["Id"])
            yield from self._accounts_below(unit["Id"], f"{path}/{name}" if path else name, management)

    def tags_of(self, account_id: str) -> Mapping[str, str] | None:
        """ListTagsForResource."""
        try:
            rows = list(self._pages(ORGANIZATIONS, "list_tags_for_resource", "Tags", ResourceId=account_id))
        except Gone:
            return None
        return {tag["Key"]: tag["Value"] for tag in rows}

    def permission_set_arns(self) -> Iterator[str]:
        """ListPermissionSets."""
        yield from self._pages(IDENTITY_CENTER, "list_permission_sets", "PermissionSets", **_instance())

    def permission_set(self, arn: str) -> PermissionSetRow | None:
        """What it is, and what it allows: four calls."""
        which = {**_instance(), "PermissionSetArn": arn}
        try:
            with self._calling(IDENTITY_CENTER):
                found = self._sso.describe_permission_set(**which)["PermissionSet"]
            managed = self._pages(
                IDENTITY_CENTER, "list_managed_policies_in_permission_set", "AttachedManagedPolicies", **which
            )
            arns = [policy["Arn"] for policy in managed]
            ours = self._pages(
                IDENTITY_CENTER,
                "list_customer_managed_policy_references_in_permission_set",
                "CustomerManagedPolicyReferences",
                **which,
            )
            names = [f"{policy.get('Path', '/')}{policy['Name']}" for policy in ours]
            with self._calling(IDENTITY_CENTER):
                inline = self._sso.get_inline_policy_for_permission_set(**which).get("InlinePolicy", "")
        except Gone:
            return None
        return PermissionSetRow(
            arn,
            found.get("Name", arn),
            found.get("Description", ""),
            _duration(found.get("SessionDuration", "PT1H")),
            (*sorted(arns), *sorted(names)),
            inline,
        )

    def principals(self, kind: str, position: str) -> PrincipalPage:
        """ListUsers or ListGroups, a hundred at a time."""
        asked: dict[str, Any] = {"IdentityStoreId": settings.IDENTITY_STORE_ID, "MaxResults": PAGE}
        if position:
            asked["NextToken"] = position
        try:
            with self._calling(IDENTITY_STORE):
                page: Any = self._store.list_users(**asked) if kind == "USER" else self._store.list_groups(**asked)
        except Refused as error:
            # The only thing in this call that AWS could find invalid.
            if position and "ValidationException" in str(error):
                raise PositionLost from error
            raise
        if kind == "USER":
            enabled = [(user, user.get("UserStatus") != "DISABLED") for user in page["Users"]]
            rows = [PrincipalRow(user["UserId"], user.get("UserName", ""), on) for user, on in enabled]
        else:
            rows = [PrincipalRow(group["GroupId"], group.get("DisplayName", "")) for group in page["Groups"]]
        return PrincipalPage(tuple(rows), page.get("NextToken", ""))

    def _pages(self, service: str, operation: str, listed: str, **parameters: str) -> Iterator[Any]:
        """The rows of all pages of a list, each page one call within the budget."""
        client: Any = self._sso if service == IDENTITY_CENTER else self._organization
        asked: dict[str, str] = dict(parameters)
        while True:
            with self._calling(service):
                page = getattr(client, operation)(**asked)
            yield from page[listed]
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]

    def _calling(self, service: str) -> AbstractContextManager[None]:
        return calling(service, self._urgency) if self._urgency else translated()


def _instance() -> dict[str, str]:
    return {"InstanceArn": settings.IDENTITY_CENTER_INSTANCE_ARN}


def _duration(text: str) -> timedelta:
    match = DURATION.fullmatch(text)
    if match is None:
        return timedelta(hours=1)
    return timedelta(**{unit: int(value) for unit, value in match.groupdict(default="0").items()})
