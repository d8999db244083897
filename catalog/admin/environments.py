"""Roles, environments with their rules, and accounts in the admin."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest

from catalog import forms, joining
from catalog.admin.base import CatalogAdmin, PartsInline
from catalog.filters import HasEnvironmentFilter, VanishedFilter
from catalog.models import (
    Account,
    AccountRule,
    Environment,
    Role,
)

MOST_NAMED: Final = 5


class _NamedByPolicies(CatalogAdmin):
    """What policies name, with how many in force do; the short name of a new one is made of its name as it is typed."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        in_force = Count("policies", filter=Q(policies__is_in_force=True), distinct=True)
        rows: QuerySet[Any] = super().get_queryset(request).annotate(policy_count=in_force)
        return rows

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"slug": ("name",)}

    @admin.display(description="policies", ordering="policy_count")
    def policies_in_force(self, row: Any) -> int:
        return int(row.policy_count)


@admin.register(Role)
class RoleAdmin(_NamedByPolicies):
    """Roles, with how many policies offer each."""

    form = forms.RoleForm
    main_fields = ("name", "slug", "description", "is_offered")
    list_display = ("name", "is_offered", "policies_in_force", "description")
    list_filter = ("is_offered",)
    search_fields = ("name", "description")
    ordering = ("name",)  # counting drops the model's own


class AccountRuleInline(PartsInline):
    """The rules by which accounts join an environment, in its form."""

    model = AccountRule
    form = forms.AccountRuleForm
    fields = ("ou_path", "tag_key", "tag_value")
    verbose_name = "rule"
    verbose_name_plural = "Accounts that join by themselves: by organisational unit, by tag, or by both"


@admin.register(Environment)
class EnvironmentAdmin(_NamedByPolicies):
    """Environments, the least sensitive first."""

    form = forms.EnvironmentForm
    inlines = (AccountRuleInline,)
    main_fields = ("name", "slug", "sensitivity", "description")
    list_display = ("name", "sensitivity", "account_count", "policies_in_force")
    list_filter = ("sensitivity",)
    search_fields = ("name", "description")
    ordering = ("sensitivity", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(accounts_count=Count("accounts", distinct=True))
        return rows

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if moves := joining.moves():
            tell = messages.info if all(environment for _, environment in moves) else messages.warning
            tell(request, _moving(moves))
        for _, problem in [*joining.problems(), *joining.empty_units()]:
            messages.warning(request, problem)

    @admin.display(description="accounts", ordering="accounts_count")
    def account_count(self, environment: Any) -> int:
        return int(environment.accounts_count)


@admin.register(Account)
class AccountAdmin(CatalogAdmin):
    """AWS accounts; those outside every environment can be found by the filter."""

    form = forms.AccountForm
    main_fields = ("name", "account_id", "email", "environment", "put_by")
    fixed_fields = ("account_id",)
    mirrored_fields = ("ou_path", "its_tags", "is_management")
    listed_fields = ("name", "email")
    list_display = ("name", "account_id", "environment", "email", "is_in_aws")
    list_filter = (
        "environment",
        ("environment", HasEnvironmentFilter),
        ("vanished_at", VanishedFilter),
    )
    list_select_related = ("environment",)
    search_fields = ("name", "account_id", "email")
    search_help_text = "Name, account id or e-mail"
    autocomplete_fields = ("environment",)

    @admin.display(description="tags")
    def its_tags(self, account: Account) -> str:
        return ", ".join(f"{key}={value}" for key, value in sorted((account.tags or {}).items())) or "-"

    @admin.display(description="in AWS", boolean=True, ordering="vanished_at")
    def is_in_aws(self, account: Account) -> bool:
        return account.vanished_at is None


def _moving(moves: Sequence[tuple[Account, Environment | None]]) -> str:
    """Which accounts rules will move, in a sentence; not moved here, where everybody would wait for it."""
    first = [f"{account} joins {environment}" if environment else f"{account} leaves" for account, environment in moves]
    left = len(first) - MOST_NAMED
    more = f", and {left} more {'moves' if left == 1 else 'move'}" if left > 0 else ""
    return f"When the inventory is next read, within ten minutes, {', '.join(first[:MOST_NAMED])}{more}."
