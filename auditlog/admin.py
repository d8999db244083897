"""The ledger in Django admin, to read only."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from auditlog.actions import Action
from auditlog.models import Checkpoint, Event


class ActionFilter(admin.SimpleListFilter):
    """By action, from the vocabulary: the table is not searched for which of them occur."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        return ((action.value, action.value) for action in Action)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows, and changes nothing."""

    actions = None
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events, newest first."""

    list_display = ("number", "at", "sentence", "subject_kind", "subject_id")
    list_filter = (ActionFilter,)
    search_fields = ("=actor", "actor_name", "=subject_id")
    search_help_text = "A name, or the exact id of an actor or a subject"


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    """Checkpoints, newest first."""

    list_display = ("number", "at", "key_id", "hash")
    search_fields = ("=number", "=hash", "=key_id")
