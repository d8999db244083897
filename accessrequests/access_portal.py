"""The way from access that is active into AWS."""

from urllib.parse import urlencode

from django.conf import settings

from catalog.models import Account, PermissionSet


def console(account: Account, permission_set: PermissionSet) -> str:
    """The address at which AWS's access portal opens this account with this permission set; empty if none is set.

    Source: "Creating shortcut links to AWS Management Console destinations", IAM Identity Center User Guide.
    """
    if not settings.AWS_ACCESS_PORTAL_URL:
        return ""
    chosen = {"account_id": account.account_id, "role_name": permission_set.name}
    return f"{settings.AWS_ACCESS_PORTAL_URL}/#/console?{urlencode(chosen)}"
