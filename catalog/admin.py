"""Django admin of the catalog: every save and every deletion goes through `changes`."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, Prefetch, Q, QuerySet
from django.forms import Field
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from auditlog.actor import Actor
from auditlog.admin import ReadOnlyAdmin
from catalog import changes, forms, joining, policy_forms, problems
from catalog.filters import HasEnvironmentFilter, VanishedFilter
from catalog.models import (
    AccessPolicy,
    Account,
    AccountRule,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    PermissionSet,
    Principal,
    Role,
)
from catalog.offers import departments_of
from catalog.policy import spell
from catalog.uses import StillUsed, uses_of
from catalog.versions import VersionsAdmin

MOST_NAMED: Final = 5


class ChoosesSafely:
    """Takes the ways to delete and to view what is chosen away from beside a choice; a misclick is too near."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(field, Field) and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_delete_related = field.widget.can_view_related = False
        return field


class CatalogAdmin(ChoosesSafely, VersionsAdmin):
    """What all admin classes of the catalog share.

    `fixed_fields` identify the row to Entra or AWS: they are given once. `main_fields` come before the reason.
    `mirrored_fields` are as AWS has them, and nobody gives them here.
    """

    fixed_fields: ClassVar[tuple[str, ...]] = ()
    mirrored_fields: ClassVar[tuple[str, ...]] = ()
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
        return (*self.fixed_fields, *self.mirrored_fields) if obj else ()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST":
            return found
        # Whoever saves the same row at the same time waits here, and is then told that theirs was outdated. Whoever
        # only refers to it, such as an ask, does not wait: they may hold what this needs next.
        rows = self.model._default_manager.select_for_update(of=("self",), no_key=True)
        return rows.filter(pk=found.pk).first()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: `save_related` comes next, and one call saves all."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        saved = changes.save(form=form, formsets=formsets, actor=_actor(request), why=form.cleaned_data.get("why", ""))
        if not saved:
            messages.info(request, "Nothing was different, so nothing was recorded.")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        changes.delete(instance=obj, actor=_actor(request), why=_why_of_deletion(request))

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
        parts = [[str(part) for part in row.stages.all()] for row in objs if isinstance(row, AccessPolicy)]
        listed = [str(row) for row in objs]
        return listed + [part for part in parts if part], {}, set(), protected


@admin.register(DirectoryGroup)
class DirectoryGroupAdmin(CatalogAdmin):
    """Entra groups."""

    form = forms.DirectoryGroupForm
    main_fields = ("name", "object_id")
    fixed_fields = ("object_id",)
    list_display = ("name", "object_id")
    search_fields = ("name", "object_id")
    search_help_text = "Name or object id"


@admin.register(Role)
class RoleAdmin(CatalogAdmin):
    """Roles, with how many policies offer each."""

    form = forms.RoleForm
    main_fields = ("name", "slug", "description", "is_offered")
    list_display = ("name", "is_offered", "policies_in_force", "description")
    list_filter = ("is_offered",)
    search_fields = ("name", "description")
    ordering = ("name",)  # counting drops the model's own

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return _with_policies(super().get_queryset(request))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"slug": ("name",)}

    @admin.display(description="policies", ordering="policy_count")
    def policies_in_force(self, role: Any) -> int:
        return int(role.policy_count)


class AccountRuleInline(ChoosesSafely, admin.TabularInline):  # type: ignore[type-arg]
    """The rules by which accounts join an environment, in its form."""

    model = AccountRule
    form = forms.AccountRuleForm
    fields = ("ou_path", "tag_key", "tag_value")
    extra = 0
    verbose_name = "rule"
    verbose_name_plural = "Accounts that join by themselves: by organisational unit, by tag, or by both"


@admin.register(Environment)
class EnvironmentAdmin(CatalogAdmin):
    """Environments, the least sensitive first."""

    form = forms.EnvironmentForm
    inlines = (AccountRuleInline,)
    main_fields = ("name", "slug", "sensitivity", "description")
    list_display = ("name", "sensitivity", "account_count", "policies_in_force")
    list_filter = ("sensitivity",)
    search_fields = ("name", "description")
    ordering = ("sensitivity", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = _with_policies(super().get_queryset(request))
        counted: QuerySet[Any] = rows.annotate(accounts_count=Count("accounts", distinct=True))
        return counted

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"slug": ("name",)}

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if moves := joining.moves():
            tell = messages.info if all(environment for _, environment in moves) else messages.warning
            tell(request, _moving(moves))
        for _, problem in joining.problems():
            messages.warning(request, problem)

    @admin.display(description="accounts", ordering="accounts_count")
    def account_count(self, environment: Any) -> int:
        return int(environment.accounts_count)

    @admin.display(description="policies", ordering="policy_count")
    def policies_in_force(self, environment: Any) -> int:
        return int(environment.policy_count)


@admin.register(Account)
class AccountAdmin(CatalogAdmin):
    """AWS accounts; those outside every environment can be found by the filter."""

    form = forms.AccountForm
    main_fields = ("name", "account_id", "email", "environment", "put_by")
    fixed_fields = ("account_id",)
    mirrored_fields = ("ou_path", "its_tags", "is_management")
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


@admin.register(PermissionSet)
class PermissionSetAdmin(CatalogAdmin):
    """Permission sets of our Identity Center instance."""

    form = forms.PermissionSetForm
    main_fields = ("name", "arn", "description", "session_duration")
    fixed_fields = ("arn",)
    mirrored_fields = ("its_policies", "inline_policy")
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


@admin.register(ApproverGroup)
class ApproverGroupAdmin(CatalogAdmin):
    """Approver groups, and the directory groups they are drawn from."""

    form = forms.ApproverGroupForm
    main_fields = ("name", "description", "directory_groups")
    list_display = ("name", "drawn_from", "description")
    search_fields = ("name", "description", "directory_groups__name")
    autocomplete_fields = ("directory_groups",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).prefetch_related("directory_groups")
        return rows

    @admin.display(description="directory groups")
    def drawn_from(self, group: ApproverGroup) -> str:
        return ", ".join(each.name for each in group.directory_groups.all())


class ApprovalStageInline(ChoosesSafely, admin.TabularInline):  # type: ignore[type-arg]
    """The stages of a policy, in its form."""

    model = ApprovalStage
    form = policy_forms.ApprovalStageForm
    formset = policy_forms.ApprovalStageFormset
    fields = ("position", "approver_group", "approvals_needed", "escalates_after", "escalation_group")
    autocomplete_fields = ("approver_group", "escalation_group")
    extra = 0
    verbose_name = "stage"
    verbose_name_plural = "Stages: who decides, one stage after the other"


_STEP_UP = ("step_up_context", "step_up_for", "step_up_longest_age")
_OTHER_TERMS = ("accounts_per_request", "ticket_pattern", "automatic_approval", "newcomers_agree")


@admin.register(AccessPolicy)
class AccessPolicyAdmin(CatalogAdmin):
    """Access policies: who may ask for which role where, on what terms, decided by whom."""

    form = policy_forms.AccessPolicyForm
    inlines = (ApprovalStageInline,)
    list_display = (
        "name",
        "role",
        "environment",
        "who_may_ask",
        "for_how_long",
        "who_decides",
        "is_in_force",
    )
    list_filter = ("is_in_force", "environment", "role", "automatic_approval")
    list_select_related = ("role", "environment", "permission_set")
    search_fields = (
        "name",
        "role__name",
        "environment__name",
        "permission_set__name",
        "requestable_by__name",
    )
    search_help_text = "Name, role, environment, permission set or group"
    autocomplete_fields = ("role", "environment", "permission_set", "requestable_by")

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[tuple[str | None, dict[str, Any]]]:
        return [
            (None, {"fields": ("name", "is_in_force")}),
            ("What it gives", {"fields": ("role", "environment", "permission_set")}),
            ("Who may ask", {"fields": ("requestable_by", "departments")}),
            ("On what terms", {"fields": (("default_duration", "longest_duration"), *_OTHER_TERMS)}),
            ("Fresh proof", {"fields": _STEP_UP}),
            ("This change", {"fields": ("why", "seen")}),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        stages = Prefetch("stages", ApprovalStage.objects.select_related("approver_group", "escalation_group"))
        rows: QuerySet[Any] = super().get_queryset(request).prefetch_related("requestable_by", stages)
        return rows

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # The page of the policy itself shows them anyway.
        for problem in [] if "_continue" in request.POST else problems.found(form.instance.pk):
            messages.warning(request, problem.text)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        policy = kwargs.get("obj")
        context["problems"] = problems.found(policy.pk) if policy else []
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="who may ask")
    def who_may_ask(self, policy: AccessPolicy) -> str:
        groups = [group.name for group in policy.requestable_by.all()]
        return ", ".join([*groups, *sorted(departments_of(policy))]) or "nobody"

    @admin.display(description="for how long", ordering="longest_duration")
    def for_how_long(self, policy: AccessPolicy) -> str:
        return f"{spell(policy.default_duration)}, at most {spell(policy.longest_duration)}"

    @admin.display(description="who decides")
    def who_decides(self, policy: AccessPolicy) -> str:
        if policy.automatic_approval == AccessPolicy.AutomaticApproval.ALWAYS:
            return "at once"
        stages = [f"{stage.approvals_needed} of {stage.approver_group}" for stage in policy.stages.all()]
        return ", then ".join(stages) or "nobody"


def _with_policies(rows: QuerySet[Any]) -> QuerySet[Any]:
    in_force = Count("policies", filter=Q(policies__is_in_force=True), distinct=True)
    counted: QuerySet[Any] = rows.annotate(policy_count=in_force)
    return counted


def _moving(moves: Sequence[tuple[Account, Environment | None]]) -> str:
    """Which accounts rules will move, in a sentence; not moved here, where everybody would wait for it."""
    first = [f"{account} joins {environment}" if environment else f"{account} leaves" for account, environment in moves]
    more = f", and {len(first) - MOST_NAMED} more move" if len(first) > MOST_NAMED else ""
    return f"When the inventory is next read, within ten minutes, {', '.join(first[:MOST_NAMED])}{more}."


def _actor(request: HttpRequest) -> Actor:
    person: Any = request.user
    return Actor.person(person.object_id, person.name)


def _why_of_deletion(request: HttpRequest) -> str:
    form = forms.WhyForm(request.POST)
    return str(form.cleaned_data["why"]) if form.is_valid() else ""
