"""What may be asked for: roles, environments, accounts, approver groups and the access policies that join them."""

from catalog.models.environments import Account, AccountRule, Environment, Role, Sensitivity
from catalog.models.mirrored import InventoryLook, InventorySync, Principal
from catalog.models.on_call import OnCallCover, OnCallPerson, OnCallSchedule
from catalog.models.people import ApproverGroup, DirectoryGroup
from catalog.models.permission_sets import PermissionSet
from catalog.models.policies import AccessPolicy, ApprovalStage
from catalog.models.proposals import Proposal

__all__ = [
    "AccessPolicy",
    "Account",
    "AccountRule",
    "ApprovalStage",
    "ApproverGroup",
    "DirectoryGroup",
    "Environment",
    "InventoryLook",
    "InventorySync",
    "OnCallCover",
    "OnCallPerson",
    "OnCallSchedule",
    "PermissionSet",
    "Principal",
    "Proposal",
    "Role",
    "Sensitivity",
]
