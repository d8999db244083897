"""Access policies with their stages in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest

from catalog import policy_forms, problems
from catalog.admin.base import CatalogAdmin, PartsInline
from catalog.admin.preview import override_of
from catalog.models import (
    AccessPolicy,
    ApprovalStage,
)
from catalog.offers import departments_of
from catalog.policy import spell
from catalog.wording import steps


class ApprovalStageInline(PartsInline):
    """The stages of a policy, in its form."""

    model = ApprovalStage
    form = policy_forms.ApprovalStageForm
    formset = policy_forms.ApprovalStageFormset
    fields = ("position", "approver_group", "approvals_needed", "escalates_after", "escalation_group")
    autocomplete_fields = ("approver_group", "escalation_group")
    verbose_name = "stage"
    verbose_name_plural = "Stages: who decides, one stage after the other"


_STEP_UP = ("step_up_context", "step_up_for", "step_up_longest_age")
_OTHER_TERMS = ("accounts_per_request", "ticket_pattern", "tickets_checked", "least_reason", "newcomers_agree")
_AT_ONCE = ("automatic_approval", "automatic_up_to", "on_call_schedule", "on_call_group")


@admin.register(AccessPolicy)
class AccessPolicyAdmin(CatalogAdmin):
    """Access policies: who may ask for which role where, on what terms, decided by whom."""

    class Media:
        js = ("jitportal/policy-form.js",)

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
    list_select_related = ("role", "environment", "permission_set", "on_call_group", "on_call_schedule")
    search_fields = (
        "name",
        "role__name",
        "environment__name",
        "permission_set__name",
        "requestable_by__name",
    )
    search_help_text = "Name, role, environment, permission set or group"
    autocomplete_fields = (
        "role",
        "environment",
        "permission_set",
        "requestable_by",
        "closed_to",
        "on_call_group",
        "on_call_schedule",
    )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[tuple[str | None, dict[str, Any]]]:
        return [
            (None, {"fields": ("name", "is_in_force")}),
            ("What it gives", {"fields": ("role", "environment", "account_tags", "permission_set")}),
            ("Who may ask", {"fields": ("requestable_by", "departments", "closed_to")}),
            ("On what terms", {"fields": (("default_duration", "longest_duration"), *_OTHER_TERMS)}),
            ("Approval at once", {"fields": _AT_ONCE}),
            ("Fresh proof", {"fields": _STEP_UP}),
            ("This change", {"fields": ("why", "seen")}),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        stages = Prefetch("stages", ApprovalStage.objects.select_related("approver_group", "escalation_group"))
        rows: QuerySet[Any] = super().get_queryset(request).prefetch_related("requestable_by", stages)
        return rows

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> Any:
        return _with_problems(request, obj, super().response_add(request, obj, post_url_continue))

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        return _with_problems(request, obj, super().response_change(request, obj))

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
        stages = steps(stage.asked for stage in policy.stages.all()) or "nobody"
        source = policy.on_call_schedule or policy.on_call_group
        parts = [f"up to {spell(policy.automatic_up_to)}"] if policy.automatic_up_to else []
        parts += [f"while on call ({source})"] if source else []
        return f"at once {' '.join(parts)}; else {stages}" if parts else stages


def _with_problems(request: HttpRequest, policy: AccessPolicy, response: Any) -> Any:
    """The answer, which has said by now that the policy is saved: what is amiss with it is told after that."""
    # The page of the policy itself shows them anyway, and so does that of an override.
    for problem in [] if "_continue" in request.POST or override_of(request) else problems.found(policy.pk):
        messages.warning(request, problem.text)
    return response
