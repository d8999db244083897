"""A small organisation for the simulator's tests."""

from jitportal.demo.simulator import Account, Group, Organisation, PermissionSet, User

PAYMENTS = "222222222222"
SEARCH = "333333333333"

SMALL = Organisation(
    management_account=Account("111111111111", "Management", "aws@example.com"),
    accounts=(
        Account(PAYMENTS, "Payments", "payments@example.com", "Workloads/Production", {"owner": "payments"}),
        Account(SEARCH, "Search", "search@example.com", "Workloads/Development"),
    ),
    permission_sets=(
        PermissionSet("ReadOnly", "Look, do not touch"),
        PermissionSet("Operator", "Restart things", "PT4H"),
    ),
    users=(
        User("ada@example.com", "Ada Lovelace", "ada@example.com", external_id="ada-in-scim"),
        User("grace@example.com", "Grace Hopper", "grace.hopper@example.com"),
        User("gone@example.com", "Gone Person", "gone@example.com", enabled=False),
    ),
    groups=(Group("Operators", "People who operate"), Group("Auditors")),
)

ADA = SMALL.user_id("ada@example.com")
GRACE = SMALL.user_id("grace@example.com")
READ_ONLY = SMALL.permission_set_arn("ReadOnly")
OPERATOR = SMALL.permission_set_arn("Operator")
NOBODY = "00000000-0000-4000-8000-000000000000"
