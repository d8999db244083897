"""Requests, decisions, grants, assignments and messages in Django admin: to look at, never to touch."""

import re
import uuid
from collections.abc import Iterable
from typing import Any, Final

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accessrequests import overdue
from accessrequests.catalog_effects import on_newcomers, on_requests, still_asked
from accessrequests.models import (
    AccessRequest,
    Assignment,
    Decision,
    Finding,
    Grant,
    Notification,
    RequestStage,
    ScanCursor,
)
from accessrequests.notifications import outbox
from accessrequests.states import LIVE_GRANT, RequestStatus
from auditlog import clock
from auditlog.admin import ReadOnlyAdmin
from catalog import effects, proposals, snapshots
from catalog.filters import SentFilter, TroubleFilter
from catalog.policy import spell
from catalog.versions import VersionsAdmin

_SHORT_ID: Final = re.compile(r"[0-9a-f]{8}")
_CAN_BE_ENDED: Final = LIVE_GRANT | {RequestStatus.APPROVED, RequestStatus.ACTIVE}


def page_of(row: AccessRequest | Grant) -> str:
    """A link to the page on which it can be seen whole, and ended."""
    address = reverse("request", args=[_request_id(row)])
    if row.status in _CAN_BE_ENDED:
        return format_html('<a href="{}#revoke">See or revoke</a>', address)
    return format_html('<a href="{}">See</a>', address)


class RecordAdmin(VersionsAdmin, ReadOnlyAdmin):
    """What all of them share: no form, no action, and a link to the request's own page."""

    show_facets = admin.ShowFacets.NEVER

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        request_id = _request_id(obj)
        return reverse("request", args=[request_id]) if request_id else None

    @admin.display(description="request’s page")
    def page(self, row: Any) -> str:
        return page_of(row)


class RecordInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows beside a request, to look at."""

    extra = 0
    can_delete = False
    show_change_link = True
    view_on_site = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OverdueFilter(admin.SimpleListFilter):
    """Grants that should be gone and are not known to be."""

    title = "overdue"
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return (("yes", "Overdue"),)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=overdue.grants(clock.now()).values("pk"))


class StageInline(RecordInline):
    """The stages as they stood when the request was made."""

    model = RequestStage
    fields = ("position", "approver_group", "approvals_needed", "rule")
    show_change_link = False


class DecisionInline(RecordInline):
    """Who agreed, who did not."""

    model = Decision
    fields = ("decided_at", "stage", "approver_group", "decided_by", "answer", "comment")


class GrantInline(RecordInline):
    """One grant an account."""

    model = Grant
    fields = (
        "account",
        "status",
        "starts_at",
        "ends_at",
        "activated_at",
        "ended_at",
        "end_reason",
        "outcome",
    )


@admin.register(AccessRequest)
class AccessRequestAdmin(RecordAdmin):
    """Access requests, the newest first."""

    list_display = (
        "short_id",
        "page",
        "requester",
        "role",
        "environment",
        "status",
        "lasts",
        "submitted_at",
        "trouble",
    )
    list_filter = ("status", "environment", "role", "end_reason", ("trouble", TroubleFilter))
    list_select_related = ("requester", "role", "environment")
    search_fields = ("=id", "requester__name", "requester__user_name", "reason", "ticket", "role__name")
    search_help_text = "A person, a ticket, words of the reason, or an id, whole or short"
    inlines = (StageInline, DecisionInline, GrantInline)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the short id as well, as pages show it."""
        short = search_term.strip().lower()
        if _SHORT_ID.fullmatch(short):
            span = (uuid.UUID(short + "0" * 24), uuid.UUID(short + "f" * 24))
            return queryset.filter(pk__range=span), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="for how long", ordering="duration")
    def lasts(self, request: AccessRequest) -> str:
        return spell(request.duration)


@admin.register(Decision)
class DecisionAdmin(RecordAdmin):
    """Decisions, the newest first."""

    list_display = (
        "decided_at",
        "decided_by",
        "answer",
        "request",
        "stage",
        "approver_group",
        "comment",
        "set_aside_at",
    )
    list_filter = ("answer", "approver_group", "request__environment")
    list_select_related = ("decided_by", "approver_group", "request__role", "request__environment")
    search_fields = ("=request__id", "decided_by__name", "decided_by__user_name", "comment")
    search_help_text = "A person, words of the comment, or the request's whole id"
    ordering = ("-decided_at",)


@admin.register(Grant)
class GrantAdmin(RecordAdmin):
    """Grants; those that are overdue can be picked out."""

    list_display = (
        "account",
        "page",
        "request",
        "requester",
        "status",
        "activated_at",
        "ends_at",
        "ended_at",
        "end_reason",
    )
    list_filter = (OverdueFilter, "status", "request__environment", "end_reason")
    list_select_related = ("account", "request__role", "request__environment", "request__requester")
    search_fields = (
        "=id",
        "=request__id",
        "account__name",
        "=account__account_id",
        "request__requester__name",
        "request__requester__user_name",
    )
    search_help_text = "A person, an account, or a whole id"
    ordering = ("-ends_at",)

    @admin.display(description="requester", ordering="request__requester__name")
    def requester(self, grant: Grant) -> str:
        return str(grant.request.requester)


class AssignmentGrantInline(RecordInline):
    """The grants that lean on an assignment."""

    model = Grant
    fields = ("request", "page", "status", "starts_at", "ends_at", "ended_at", "end_reason")
    readonly_fields = ("page",)

    @admin.display(description="request’s page")
    def page(self, grant: Grant) -> str:
        return page_of(grant)


@admin.register(Assignment)
class AssignmentAdmin(RecordAdmin):
    """Assignments: what AWS holds, and what is under way."""

    list_display = (
        "permission_set",
        "account",
        "principal_id",
        "presence",
        "is_standing",
        "operation",
        "due_at",
        "trouble",
    )
    list_filter = (
        "presence",
        "operation",
        "is_standing",
        "account__environment",
        ("trouble", TroubleFilter),
    )
    list_select_related = ("permission_set", "account")
    search_fields = (
        "=id",
        "=principal_id",
        "=operation_id",
        "account__name",
        "=account__account_id",
        "permission_set__name",
    )
    search_help_text = "An account, a permission set, AWS's operation or principal id"
    inlines = (AssignmentGrantInline,)
    ordering = ("account__name", "permission_set__name")


@admin.register(Finding)
class FindingAdmin(RecordAdmin):
    """Standing access that was found; it is settled on the page of findings."""

    list_display = (
        "principal_name",
        "principal_type",
        "permission_set",
        "account",
        "status",
        "first_seen_at",
        "last_seen_at",
        "settled_by",
    )
    list_filter = ("status", "principal_type", "account__environment")
    list_select_related = ("permission_set", "account", "settled_by")
    search_fields = (
        "=id",
        "=principal_id",
        "principal_name",
        "account__name",
        "=account__account_id",
        "permission_set__name",
        "reason",
        "owner",
    )
    search_help_text = "A person, an account, a permission set, or a whole id"
    ordering = ("-first_seen_at",)

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        return reverse("findings")


@admin.register(ScanCursor)
class ScanCursorAdmin(ReadOnlyAdmin):
    """How far the scan for drift is."""

    list_display = ("started_at", "seen", "passed_over", "finished_at", "last_seen", "last_passed_over", "trouble")


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Messages, and what keeps them from being sent."""

    list_display = ("created_at", "kind", "recipient", "channel", "sent_at", "due_at", "attempts", "trouble")
    list_filter = ("kind", ("sent_at", SentFilter), ("trouble", TroubleFilter))
    list_select_related = ("recipient",)
    search_fields = ("=request__id", "recipient__name", "recipient__user_name")
    search_help_text = "A person, or the request's whole id"
    ordering = ("-created_at",)

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        request_id = _request_id(obj)
        return reverse("request", args=[request_id]) if request_id else None


def _request_id(row: Any) -> Any:
    match row:
        case AccessRequest():
            return row.pk
        case Grant() | Decision() | Notification():
            return row.request_id
        case _:
            return None


# With the admin, which is loaded into every process: whoever previews a change of the catalog is told of requests, too.
effects.also(on_requests)
effects.also(on_newcomers)
snapshots.also_decided_by(still_asked)
proposals.also_tell(outbox.add_for_proposal)
