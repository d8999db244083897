"""What the admin classes of the catalog share: every save and every deletion is shown before it is made."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import Field
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from catalog.admin.managed import LocksManaged
from catalog.admin.preview import PreviewsChanges
from catalog.differences import parts_of
from catalog.mirror import is_mirrored
from catalog.uses import StillUsed, uses_of
from catalog.waiting import waiting_for


class ChoosesSafely:
    """Takes the ways to delete and to view what is chosen away from beside a choice; a misclick is too near."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(field, Field) and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_delete_related = field.widget.can_view_related = False
        return field


class PartsInline(ChoosesSafely, admin.TabularInline):  # type: ignore[type-arg]
    """The parts of an object, in its form; another is added by the link below them, and none stands there empty."""

    extra = 0


class CatalogAdmin(LocksManaged, ChoosesSafely, PreviewsChanges):
    """What all admin classes of the catalog share.

    `fixed_fields` identify the row to Entra or AWS: they are given once. `main_fields` come before the reason.
    `mirrored_fields` are as AWS has them, and nobody gives them here; `listed_fields` neither, once the inventory has
    read the row.
    """

    fixed_fields: ClassVar[tuple[str, ...]] = ()
    mirrored_fields: ClassVar[tuple[str, ...]] = ()
    listed_fields: ClassVar[tuple[str, ...]] = ()
    main_fields: ClassVar[tuple[Any, ...]] = ()
    # Deleting in bulk would go past `changes`.
    actions = None
    list_per_page = 50
    show_full_result_count = False
    save_on_top = False
    delete_confirmation_template = "admin/catalog/delete.html"

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[tuple[str | None, dict[str, Any]]]:
        mirrored = [("As AWS has it", {"fields": self.mirrored_fields})] if obj and self.mirrored_fields else []
        return [(None, {"fields": self.main_fields}), *mirrored, ("This change", {"fields": ("why", "seen")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        listed = self.listed_fields if self.listed_fields and is_mirrored(obj) else ()
        return (*self.fixed_fields, *self.mirrored_fields, *listed)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST":
            return found
        # Whoever saves the same row at the same time waits here, and is then told that theirs was outdated. Whoever
        # only refers to it, such as an ask, does not wait: they may hold what this needs next.
        rows = self.model._default_manager.select_for_update(of=("self",), no_key=True)
        return rows.filter(pk=found.pk).first()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        context["proposals"] = waiting_for(row) if row else []
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        raise PermissionDenied("Rows of the catalog are deleted one by one.")

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            shown: HttpResponse = super().delete_view(request, object_id, extra_context)
        except StillUsed as used:
            messages.error(request, f"Not deleted, because it is used by {used}.")
            return HttpResponseRedirect(request.path)
        return shown

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Django would load everything that refers to the row; a few names and a count say as much."""
        protected = [str(use) for row in objs for use in uses_of(row)]
        parts = [[str(part) for model, link in parts_of(type(row)) for part in _rows(model, link, row)] for row in objs]
        listed = [str(row) for row in objs]
        return listed + [part for part in parts if part], {}, set(), protected


def _rows(model: Any, link: str, row: Model) -> list[Model]:
    return list(model._default_manager.filter(**{link: row.pk}))
