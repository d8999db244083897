"""What a catalog file manages is shown in the admin, and changed by that file alone."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse

from catalog.differences import state_of
from catalog.told_changes import lines


class LocksManaged:
    """Lets nobody change or delete what a file manages, whatever is sent; the pages say by which file."""

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        context["said_by_file"] = _said(row) if row is not None and _is_managed(row) else []
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if _is_managed(row) and super().has_delete_permission(request, row):  # type: ignore[misc]
            said = {"original": row, "opts": row._meta, "title": f"{row} is not deleted here"}
            context = {**self.admin_site.each_context(request), **said}  # type: ignore[attr-defined]
            return TemplateResponse(request, "admin/catalog/managed.html", context, status=403)
        return super().delete_view(request, object_id, extra_context)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_managed(obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_managed(obj)  # type: ignore[misc]


def _said(row: Model) -> list[dict[str, str]]:
    """What there is to say of a row, field by field, in the words that events and files have."""
    state = {name: [None, value] for name, value in state_of(row).items() if name != "managed_by_file"}
    return lines(type(row), state, with_ids=False)


def _is_managed(obj: Any) -> bool:
    return bool(obj is not None and getattr(obj, "managed_by_file", None))
