"""Access policies, and the stages that decide by them."""

from datetime import timedelta
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from auditlog.history import Records
from catalog import durations, reasons, step_up
from catalog.models.environments import Environment, Role
from catalog.models.likeness import Likeness
from catalog.models.managed import ManagedByFile
from catalog.models.on_call import OnCallSchedule
from catalog.models.people import ApproverGroup, DirectoryGroup
from catalog.models.permission_sets import PermissionSet
from catalog.stages import asked


class AccessPolicy(ManagedByFile):
    """This role, in this environment, may be requested by these people, on these terms, decided by these stages."""

    class AutomaticApproval(models.TextChoices):
        NEVER = "never", "Never: people decide"
        ALWAYS = "always", "Always: at once, by this policy"
        UP_TO = "up_to", "Up to a duration: at once; people decide on more"
        ON_CALL = "on_call", "While the person is on call; people decide otherwise"

    class StepUp(models.TextChoices):
        ASKING = step_up.ASKING, "Asking, also for more time"
        DECIDING = step_up.DECIDING, "Agreeing"
        BOTH = step_up.BOTH, "Asking and agreeing"

    name = models.CharField(max_length=120)
    likeness = Likeness()
    role = models.ForeignKey(Role, models.PROTECT, related_name="policies")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="policies")
    requestable_by = models.ManyToManyField(
        DirectoryGroup, blank=True, related_name="access_policies", help_text="Members of any of these groups may ask."
    )
    closed_to = models.ManyToManyField(
        DirectoryGroup,
        blank=True,
        related_name="closing_policies",
        help_text="Members of any of these groups may not ask for this role in this environment, whatever allows it.",
    )
    departments = models.JSONField(
        default=list, blank=True, help_text='People of any of these departments may ask, too: ["Payments", "Data"].'
    )
    permission_set = models.ForeignKey(PermissionSet, models.PROTECT, related_name="policies")
    default_duration = models.DurationField(default=timedelta(hours=1))
    longest_duration = models.DurationField(default=timedelta(hours=8))
    accounts_per_request = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    account_tags = models.JSONField(
        null=True, blank=True, help_text="It is only for accounts that have all of these tags in AWS: {key: value}."
    )
    ticket_pattern = models.CharField(
        max_length=200,
        blank=True,
        help_text="A regular expression that the whole ticket must match; empty: no ticket asked.",
    )
    # Empty is null here and below, and not a text or "no": versions that were kept before keep their digests.
    tickets_checked = models.BooleanField("tickets are checked", null=True, blank=True)
    automatic_approval = models.CharField(max_length=10, choices=AutomaticApproval, default=AutomaticApproval.NEVER)
    is_in_force = models.BooleanField("in force", default=True)
    # Empty is null, and not a text: versions that were kept before these columns came keep their digests.
    step_up_context = models.CharField(  # noqa: DJ001
        "authentication context",
        max_length=3,
        null=True,
        blank=True,
        choices=[(c, c.upper()) for c in step_up.CONTEXTS],
    )
    step_up_for = models.CharField(  # noqa: DJ001
        "fresh proof for", max_length=8, null=True, blank=True, choices=StepUp
    )
    step_up_longest_age = models.DurationField("proof at most so old", null=True, blank=True)
    newcomers_agree = models.BooleanField("newcomers may agree", null=True, blank=True)
    automatic_up_to = models.DurationField("at once up to", null=True, blank=True)
    on_call_group = models.ForeignKey(
        DirectoryGroup, models.PROTECT, null=True, blank=True, related_name="on_call_policies"
    )
    on_call_schedule = models.ForeignKey(OnCallSchedule, models.PROTECT, null=True, blank=True, related_name="policies")
    least_reason = models.PositiveSmallIntegerField("least length of the reason", null=True, blank=True)

    history = Records(m2m_fields=[requestable_by, closed_to], excluded_fields=["likeness"])

    class Meta:
        ordering = ("environment__sensitivity", "role__name", "name")
        verbose_name_plural = "access policies"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(default_duration__gt=timedelta(0)), name="policy_default_duration_positive"
            ),
            models.CheckConstraint(
                condition=Q(longest_duration__gte=F("default_duration")), name="policy_longest_at_least_default"
            ),
            models.CheckConstraint(condition=Q(accounts_per_request__gte=1), name="policy_accounts_at_least_one"),
            models.CheckConstraint(
                condition=Q(step_up_context=None, step_up_for=None, step_up_longest_age=None)
                # To compare with what is not there is neither true nor false, and a constraint lets both pass.
                | Q(step_up_context__isnull=False, step_up_for__isnull=False, step_up_longest_age__isnull=False)
                & Q(
                    step_up_context__in=step_up.CONTEXTS,
                    step_up_for__in=(step_up.ASKING, step_up.DECIDING, step_up.BOTH),
                    step_up_longest_age__gt=timedelta(0),
                ),
                name="policy_step_up_whole_or_not_at_all",
            ),
            models.CheckConstraint(
                condition=Q(least_reason=None) | Q(least_reason__gt=reasons.LEAST, least_reason__lte=reasons.MOST),
                name="policy_least_reason_in_bounds",
            ),
            models.CheckConstraint(
                condition=(
                    Q(automatic_approval__in=("never", "always"), automatic_up_to=None)
                    | Q(automatic_approval="up_to", automatic_up_to__isnull=False, automatic_up_to__gt=timedelta(0))
                    | Q(automatic_approval="on_call") & (Q(automatic_up_to=None) | Q(automatic_up_to__gt=timedelta(0)))
                ),
                name="policy_automatic_up_to_a_time_if_so",
            ),
            models.CheckConstraint(
                condition=(
                    ~Q(automatic_approval="on_call") & Q(on_call_group=None, on_call_schedule=None)
                    | Q(automatic_approval="on_call", on_call_group__isnull=False, on_call_schedule=None)
                    | Q(automatic_approval="on_call", on_call_group=None, on_call_schedule__isnull=False)
                ),
                name="policy_on_call_by_one_if_so",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApprovalStage(models.Model):
    """One step of a policy's decision: so many distinct people of one approver group must agree."""

    policy = models.ForeignKey(AccessPolicy, models.CASCADE, related_name="stages")
    position = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Stages run in this order."
    )
    approver_group = models.ForeignKey(ApproverGroup, models.PROTECT, related_name="stages")
    approvals_needed = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    escalation_group = models.ForeignKey(ApproverGroup, models.PROTECT, null=True, blank=True, related_name="+")
    escalates_after = models.DurationField(null=True, blank=True)

    history = Records()

    class Meta:
        ordering = ("policy", "position")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("policy", "position"), name="stage_position_unique_in_policy"),
            models.CheckConstraint(condition=Q(position__gte=1, approvals_needed__gte=1), name="stage_counts_from_one"),
            models.CheckConstraint(
                condition=Q(escalation_group=None, escalates_after=None)
                | Q(escalation_group__isnull=False, escalates_after__isnull=False, escalates_after__gt=timedelta(0)),
                name="stage_escalates_after_a_time_or_not_at_all",
            ),
        ]

    def __str__(self) -> str:
        return self._told(self.asked, self.escalation_group)

    @property
    def in_full(self) -> str:
        """As it reads, and with the directory groups that its approver groups are drawn from."""
        group, escalation = self.approver_group, self.escalation_group
        stage = asked(self.approvals_needed, group.in_full, by_manager=bool(group.is_requesters_manager))
        return self._told(stage, escalation and escalation.in_full)

    def _told(self, stage: str, escalation: object) -> str:
        stage = f"{self.position}. {stage}"
        if escalation is None or self.escalates_after is None:
            return stage
        return f"{stage}, after {durations.written(self.escalates_after)} also {escalation}"

    @property
    def asked(self) -> str:
        """Who must agree, in words: "2 of Payments leads", "the requester’s manager"."""
        group = self.approver_group
        return asked(self.approvals_needed, group.name, by_manager=bool(group.is_requesters_manager))
