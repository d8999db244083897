"""Directory groups and approver groups in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog import forms
from catalog.admin.base import CatalogAdmin
from catalog.models import (
    ApproverGroup,
    DirectoryGroup,
)
from catalog.stages import MANAGER


@admin.register(DirectoryGroup)
class DirectoryGroupAdmin(CatalogAdmin):
    """Entra groups."""

    form = forms.DirectoryGroupForm
    main_fields = ("name", "object_id")
    fixed_fields = ("object_id",)
    list_display = ("name", "object_id")
    search_fields = ("name", "object_id")
    search_help_text = "Name or object id"


@admin.register(ApproverGroup)
class ApproverGroupAdmin(CatalogAdmin):
    """Approver groups, and the directory groups they are drawn from."""

    form = forms.ApproverGroupForm
    main_fields = ("name", "description", "is_requesters_manager", "directory_groups")
    list_display = ("name", "drawn_from", "description")
    search_fields = ("name", "description", "directory_groups__name")
    autocomplete_fields = ("directory_groups",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).prefetch_related("directory_groups")
        return rows

    @admin.display(description="directory groups")
    def drawn_from(self, group: ApproverGroup) -> str:
        if group.is_requesters_manager:
            return MANAGER
        return ", ".join(each.name for each in group.directory_groups.all())
