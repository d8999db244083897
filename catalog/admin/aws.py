"""Permission sets, and the users and groups of IAM Identity Center, in the admin."""

from django.contrib import admin

from auditlog.admin import ReadOnlyAdmin
from catalog import forms
from catalog.admin.base import CatalogAdmin
from catalog.filters import VanishedFilter
from catalog.models import (
    PermissionSet,
    Principal,
)
from catalog.policy import spell


@admin.register(PermissionSet)
class PermissionSetAdmin(CatalogAdmin):
    """Permission sets of our Identity Center instance."""

    form = forms.PermissionSetForm
    main_fields = ("name", "arn", "description", "session_duration")
    fixed_fields = ("arn",)
    mirrored_fields = ("its_policies", "inline_policy")
    listed_fields = ("name", "description", "session_duration")
    list_display = ("name", "description", "sessions_last", "is_in_aws")
    list_filter = (("vanished_at", VanishedFilter),)
    search_fields = ("name", "arn", "description")
    search_help_text = "Name, ARN or description"

    @admin.display(description="sessions last", ordering="session_duration")
    def sessions_last(self, permission_set: PermissionSet) -> str:
        return spell(permission_set.session_duration)

    @admin.display(description="managed policies")
    def its_policies(self, permission_set: PermissionSet) -> str:
        return ", ".join(permission_set.managed_policies or []) or "-"

    @admin.display(description="in AWS", boolean=True, ordering="vanished_at")
    def is_in_aws(self, permission_set: PermissionSet) -> bool:
        return permission_set.vanished_at is None


@admin.register(Principal)
class PrincipalAdmin(ReadOnlyAdmin):
    """Users and groups of IAM Identity Center, as AWS lists them."""

    list_display = ("name", "kind", "principal_id", "is_enabled", "is_in_aws")
    list_filter = ("kind", "is_enabled", ("vanished_at", VanishedFilter))
    search_fields = ("name", "principal_id")
    search_help_text = "User name, group name or id"
    show_full_result_count = False

    @admin.display(description="in AWS", boolean=True, ordering="vanished_at")
    def is_in_aws(self, principal: Principal) -> bool:
        return principal.vanished_at is None
