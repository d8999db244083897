"""Django admin's history page: who changed what and why, and no way back to an old version."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin

from catalog.told_changes import on_the_way, told_changes


class VersionsAdmin(SimpleHistoryAdmin):  # type: ignore[misc]
    """Base of the admin of every model with `history = Records()`."""

    object_history_list_template = "admin/versions.html"
    history_list_per_page = 50

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # simple-history hides the button where reverting is off, and would still obey a POST, even of
        # somebody who may only look.
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied("Nobody goes back to an old version; make the change anew.")
        shown: HttpResponse = super().history_form_view(request, object_id, version_id, extra_context)
        return shown

    def get_history_queryset(self, request: HttpRequest, history_manager: Any, pk_name: str, object_id: Any) -> Any:
        """One version for each change: each link to many is kept by a version of its own, and the last has them all."""
        rows = super().get_history_queryset(request, history_manager, pk_name, object_id)
        passed, _ = on_the_way(self.model, object_id)
        return rows.exclude(history_id__in=passed)

    def set_history_delta_changes(self, request: HttpRequest, rows: Sequence[Any], **options: Any) -> None:
        super().set_history_delta_changes(request, rows, **options)
        actors = {row.history_user_id for row in rows}
        ids = [actor.removeprefix("person:") for actor in actors]
        people = get_user_model().objects.filter(object_id__in=ids)
        names = {f"person:{person.object_id}": person.name for person in people}
        told = told_changes(self.model, rows)
        _, created = on_the_way(self.model, getattr(rows[0], self.opts.pk.attname)) if rows else ((), ())
        for row in rows:
            if row.pk in created:
                row.history_type = "+"
            if row.pk in told:
                row.history_delta_changes = told[row.pk]
            row.changed_by = names.get(row.history_user_id) or row.history_user_id.partition(":")[2]

    # The ledger tells who did what; Django's own log beside it could be edited, and would tie people to rows.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any: ...
