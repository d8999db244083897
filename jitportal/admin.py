"""People in Django admin: the directory says who they are, so there is nothing to edit."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from auditlog.admin import ReadOnlyAdmin
from jitportal.models import User


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People who have signed in, and local administrators."""

    list_display = ("name", "user_name", "department", "is_active", "groups", "last_login")
    list_filter = ("is_active", "department", "directory_groups")
    search_fields = ("name", "user_name", "=object_id", "email")
    search_help_text = "Name, user name, e-mail or object id"
    fieldsets = (
        (None, {"fields": ("name", "user_name", "email", "department", "is_active")}),
        ("In the directory", {"fields": ("tenant_id", "object_id", "groups")}),
        ("In AWS", {"fields": ("principal_id",)}),
        ("Here", {"fields": ("first_seen_at", "last_login", "left_at", "left_because", "local_until")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("directory_groups")

    @admin.display(description="directory groups")
    def groups(self, person: User) -> str:
        return ", ".join(group.name for group in person.directory_groups.all()) or "none"
