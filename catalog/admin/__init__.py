"""Django admin of the catalog."""

from catalog.admin.aws import PermissionSetAdmin, PrincipalAdmin
from catalog.admin.environments import AccountAdmin, EnvironmentAdmin, RoleAdmin
from catalog.admin.on_call import OnCallScheduleAdmin
from catalog.admin.people import ApproverGroupAdmin, DirectoryGroupAdmin
from catalog.admin.policies import AccessPolicyAdmin
from catalog.admin.replay import Forms
from catalog.ascode.proposing import Files

__all__ = [
    "AccessPolicyAdmin",
    "AccountAdmin",
    "ApproverGroupAdmin",
    "DirectoryGroupAdmin",
    "EnvironmentAdmin",
    "Files",
    "Forms",
    "OnCallScheduleAdmin",
    "PermissionSetAdmin",
    "PrincipalAdmin",
    "RoleAdmin",
]
