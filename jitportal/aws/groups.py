"""Groups of IAM Identity Center, as far as they were provisioned from Entra."""

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from django.conf import settings

from accessrequests.provisioner import Gone
from jitportal.aws import session
from jitportal.aws.identity_center import calling
from jitportal.aws.limiter import Urgency

if TYPE_CHECKING:
    from mypy_boto3_identitystore import IdentityStoreClient

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class AwsGroups:
    """The groups of the identity store that the settings name.

    Raises:
        accessrequests.provisioner.ProvisionerError: from every method.
    """

    @cached_property
    def _store(self) -> "IdentityStoreClient":
        return session.identity_store()

    def object_id(self, principal_id: str) -> str:
        """DescribeGroup: Entra provisions its object id as the group's external id; empty if this group has none."""
        try:
            with calling("identitystore", Urgency.GRANT):
                group = self._store.describe_group(IdentityStoreId=settings.IDENTITY_STORE_ID, GroupId=principal_id)
        except Gone:
            return ""
        ids = (str(external.get("Id", "")).lower() for external in group.get("ExternalIds", ()))
        return next((each for each in ids if _GUID.fullmatch(each)), "")
