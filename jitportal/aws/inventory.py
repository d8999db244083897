"""Reads accounts and permission sets from AWS, page by page, as plain rows."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.conf import settings

from catalog.inventory import AccountRow, PermissionSetRow
from jitportal.aws import session
from jitportal.aws.errors import translated

# Permission sets' session durations are ISO 8601, from PT1H to PT12H (service model of sso-admin).
DURATION: Final = re.compile(r"PT(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?")


class AwsInventory:
    """The organisation and the Identity Center instance that the settings name.

    Raises:
        accessrequests.provisioner.ProvisionerError: from both methods, while they are being read.
    """

    def accounts(self) -> Iterator[AccountRow]:
        """The active accounts of the organisation."""
        with translated():
            for page in session.organizations().get_paginator("list_accounts").paginate():
                for account in page["Accounts"]:
                    if account.get("Status") == "ACTIVE":
                        yield AccountRow(account["Id"], account.get("Name", account["Id"]), account.get("Email", ""))

    def permission_sets(self) -> Iterator[PermissionSetRow]:
        """The permission sets of the instance; one call for each, so keep to AWS's pace."""
        instance = settings.IDENTITY_CENTER_INSTANCE_ARN
        client = session.sso_admin(patient=True)
        with translated():
            for page in client.get_paginator("list_permission_sets").paginate(InstanceArn=instance):
                for arn in page["PermissionSets"]:
                    found = client.describe_permission_set(InstanceArn=instance, PermissionSetArn=arn)["PermissionSet"]
                    yield PermissionSetRow(
                        arn,
                        found.get("Name", arn),
                        found.get("Description", ""),
                        _duration(found.get("SessionDuration", "PT1H")),
                    )


def _duration(text: str) -> timedelta:
    match = DURATION.fullmatch(text)
    if match is None:
        return timedelta(hours=1)
    return timedelta(**{unit: int(value) for unit, value in match.groupdict(default="0").items()})
