"""People in Django admin: the directory says who they are, so there is nothing to edit."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from auditlog.admin import ReadOnlyAdmin
from catalog import people
from catalog.models import DirectoryGroup
from jitportal.models import User
from jitportal.people import IN_USE


class GroupFilter(admin.SimpleListFilter):
    """Members of a group by which somebody asks, decides or is on call: a directory has far more than can be listed."""

    title = "directory group"
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        named = DirectoryGroup.objects.filter(IN_USE).distinct().values_list("pk", "name")
        return [(str(pk), name) for pk, name in named]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(directory_groups=int(chosen)) if chosen and chosen.isdecimal() else queryset


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People who have signed in, and local administrators."""

    list_display = ("name", "user_name", "department", "is_active", "groups", "last_login")
    list_filter = ("is_active", GroupFilter)
    search_fields = ("name", "user_name", "=object_id", "email", "=department")
    search_help_text = "Name, user name, e-mail, object id, or a whole department"
    fieldsets = (
        (None, {"fields": ("name", "user_name", "email", "department", "is_active")}),
        ("In the directory", {"fields": ("tenant_id", "object_id", "manager", "groups")}),
        ("In AWS", {"fields": ("principal_id",)}),
        ("Here", {"fields": ("first_seen_at", "last_login", "left_at", "left_because", "local_until")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("directory_groups")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        person = self.get_object(request, object_id)
        accounts = people.accounts_of(people.identity(person)) if person else []
        others = [each for each in accounts if each != person]
        context = {
            "others": others,
            "locked_by": [each for each in others if each.is_locked_out],
            "is_own": request.user in accounts,
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @admin.display(description="manager")
    def manager(self, person: User) -> str:
        if not person.manager_object_id:
            return "none, as far as the directory has told"
        known = User.objects.filter(object_id=person.manager_object_id).first()
        return str(known) if known else f"{person.manager_object_id}, who has never signed in here"

    @admin.display(description="directory groups")
    def groups(self, person: User) -> str:
        return ", ".join(group.name for group in person.directory_groups.all()) or "none"
