"""Access requests, the decisions on them, the grants they hold and the assignments in AWS that those lean on."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q

from accessrequests.states import (
    NOT_IN_VAIN,
    OPEN_GRANT,
    EndReason,
    GrantStatus,
    Operation,
    Presence,
    RequestStatus,
)
from auditlog.history import Records
from catalog.models import Account, ApproverGroup, Environment, PermissionSet, Proposal, Role
from catalog.stages import asked

_ends_need_a_reason = Q(end_reason="") | Q(end_reason__in=EndReason.values)


class AccessRequest(models.Model):
    """One ask by one person: role, environment, chosen accounts, duration and reason.

    An *extension* asks for more time on an active request: `extends` names it, and `duration` is the time to add.
    `terms` keeps what was shown and judged by: the policies with their versions and every limit with its rule.
    `digest` is over everything that an approver decides on; see `asked.digest`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="access_requests")
    extends = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="extensions")
    role = models.ForeignKey(Role, models.PROTECT, related_name="+")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="+")
    permission_set = models.ForeignKey(PermissionSet, models.PROTECT, related_name="+")
    accounts = models.ManyToManyField(Account, related_name="+")
    duration = models.DurationField()
    start = models.DateTimeField("asked to start", null=True, blank=True)
    reason = models.TextField()
    ticket = models.CharField(max_length=40, blank=True)
    terms = models.JSONField(encoder=DjangoJSONEncoder)
    proof = models.JSONField(
        "fresh proof",
        null=True,
        blank=True,
        help_text="Of who the person is, where a policy asks for it.",
    )
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=RequestStatus, default=RequestStatus.PENDING)
    stage = models.PositiveSmallIntegerField(default=1, help_text="The stage that decides now.")
    end_reason = models.CharField(max_length=10, choices=EndReason, blank=True)
    outcome = models.TextField(blank=True, help_text="Why it was denied, withdrawn, ended or failed, in words.")
    trouble = models.TextField(blank=True, help_text="What keeps it from going on at present.")
    submitted_at = models.DateTimeField()
    lapses_at = models.DateTimeField(help_text="Undecided by then, it lapses.")
    decided_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    start_due_at = models.DateTimeField(null=True, blank=True, help_text="When to start it, or to try again.")

    # `extends` never changes and stands in the first event; one more column would alter the digests of the rows kept.
    history = Records(excluded_fields=["trouble", "start_due_at", "extends"])

    class Meta:
        ordering = ("-submitted_at",)
        indexes: ClassVar = [
            models.Index(fields=("requester", "-submitted_at"), name="request_of_person"),
            models.Index(fields=("lapses_at",), name="request_lapsing", condition=Q(status=RequestStatus.PENDING)),
            models.Index(fields=("start_due_at",), name="request_starting", condition=Q(status=RequestStatus.APPROVED)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=RequestStatus.values), name="request_status_known"),
            models.UniqueConstraint(
                fields=("extends",), condition=Q(status__in=sorted(NOT_IN_VAIN)), name="request_extended_once"
            ),
            models.CheckConstraint(condition=Q(duration__gt=timedelta(0)), name="request_duration_positive"),
            models.CheckConstraint(condition=Q(stage__gte=1), name="request_stage_counts_from_one"),
            models.CheckConstraint(condition=_ends_need_a_reason, name="request_end_reason_known"),
            models.CheckConstraint(
                condition=~Q(status=RequestStatus.ENDED) | ~Q(end_reason=""), name="request_ended_says_why"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("pending", "withdrawn", "lapsed")) | Q(decided_at__isnull=False),
                name="request_decided_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} in {self.environment}"

    @property
    def short_id(self) -> str:
        """The first eight digits, enough to speak of it."""
        return str(self.id)[:8]


class RequestStage(models.Model):
    """A stage as it stood when the request was made; who is in the group is asked at each decision."""

    request = models.ForeignKey(AccessRequest, models.CASCADE, related_name="stages")
    position = models.PositiveSmallIntegerField()
    approver_group = models.ForeignKey(ApproverGroup, models.PROTECT, related_name="+")
    approvals_needed = models.PositiveSmallIntegerField()
    rule = models.CharField("access policy", max_length=120)
    escalation_group = models.ForeignKey(ApproverGroup, models.PROTECT, null=True, blank=True, related_name="+")
    escalates_after = models.DurationField(null=True, blank=True)
    escalates_at = models.DateTimeField(
        null=True, blank=True, help_text="Undecided by then, its escalation group may decide, too."
    )
    escalated_at = models.DateTimeField(null=True, blank=True, help_text="Since then that group may.")

    class Meta:
        ordering = ("position",)
        indexes: ClassVar = [
            models.Index(fields=("escalates_at",), name="stage_escalating", condition=Q(escalates_at__isnull=False))
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("request", "position"), name="request_stage_once"),
            models.CheckConstraint(condition=Q(approvals_needed__gte=1), name="request_stage_needs_somebody"),
            models.CheckConstraint(
                condition=Q(escalation_group=None, escalates_after=None, escalates_at=None, escalated_at=None)
                | Q(escalation_group__isnull=False, escalates_after__gt=timedelta(0)),
                name="request_stage_escalates_to_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.asked(self.approvals_needed)}"

    def asked(self, needed: int) -> str:
        """So many of the group in words: "2 of Payments leads"; the requester’s manager is one."""
        group = self.approver_group
        return asked(needed, group.name, by_manager=bool(group.is_requesters_manager))

    @property
    def deciding_groups(self) -> list[ApproverGroup]:
        """The approver groups whose members may decide at this moment, if it is this stage's turn."""
        escalated = self.escalation_group if self.escalated_at else None
        return [self.approver_group, *([escalated] if escalated else [])]


class Decision(models.Model):
    """One approver's yes or no at one stage; a person decides once on a request, so stages have distinct people.

    It stays when it counts no longer, because the person left before all was decided: it is *set aside*.
    """

    class Answer(models.TextChoices):
        APPROVE = "approve", "Approved"
        DENY = "deny", "Denied"

    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="decisions")
    stage = models.PositiveSmallIntegerField()
    approver_group = models.ForeignKey(ApproverGroup, models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decisions")
    answer = models.CharField(max_length=7, choices=Answer)
    comment = models.TextField(blank=True)
    digest = models.CharField(max_length=64, help_text="Of the request as it was shown.")
    proof = models.JSONField(
        "fresh proof",
        null=True,
        blank=True,
        help_text="Of who the person is, where a policy asks for it.",
    )
    decided_at = models.DateTimeField()
    set_aside_at = models.DateTimeField(null=True, blank=True, help_text="From then on it counts no longer.")

    history = Records()

    class Meta:
        ordering = ("decided_at",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("request", "decided_by"), condition=Q(set_aside_at=None), name="decision_once_a_person"
            ),
            models.CheckConstraint(condition=Q(answer__in=("approve", "deny")), name="decision_answer_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_answer_display()} by {self.decided_by}{', set aside' if self.set_aside_at else ''}"


class Assignment(models.Model):
    """The one thing in AWS: a principal's permission set in an account; held to what its grants want of it.

    `presence` is what AWS last confirmed. `operation` is committed before AWS is called, `operation_id` (AWS's request
    id) after it has answered: an operation without an id is one whose fate is not known.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    principal_id = models.CharField(max_length=47)
    permission_set = models.ForeignKey(PermissionSet, models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    presence = models.CharField(max_length=8, choices=Presence, default=Presence.UNKNOWN)
    is_standing = models.BooleanField(
        "standing", default=False, help_text="It was there before us: never deleted by us."
    )
    was_begun = models.BooleanField(default=False, help_text="We have asked AWS to create it, so it may be ours.")
    doubt_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then a creation whose fate is not known may come true."
    )
    may_vanish_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then a deletion whose fate is not known may come true."
    )
    operation = models.CharField(max_length=6, choices=Operation, blank=True, default=Operation.NONE)
    operation_id = models.CharField(max_length=36, blank=True)
    operation_began_at = models.DateTimeField(null=True, blank=True)
    operation_over_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When AWS said that it was over: it takes no room there; what came of it follows.",
    )
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="When to look at it next; empty: it is as it should be."
    )
    claimed_until = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    trouble = models.TextField(blank=True, help_text="What AWS said last, when it did not do what was asked.")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    adopted_until = models.DateTimeField(
        null=True, blank=True, help_text="Standing access that an admin made ours: it stays until then, and then goes."
    )

    history = Records(excluded_fields=["due_at", "claimed_until", "claim", "attempts", "trouble"])

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=("due_at",), name="assignment_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=("operation",), name="assignment_in_flight", condition=~Q(operation="")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("principal_id", "permission_set", "account"), name="assignment_once"),
            models.CheckConstraint(condition=Q(presence__in=Presence.values), name="assignment_presence_known"),
            models.CheckConstraint(condition=Q(operation__in=Operation.values), name="assignment_operation_known"),
            models.CheckConstraint(
                condition=~(Q(is_standing=True) & Q(operation="delete")), name="assignment_standing_is_never_deleted"
            ),
            models.CheckConstraint(
                condition=~Q(operation="") | Q(operation_id=""), name="assignment_id_has_an_operation"
            ),
            models.CheckConstraint(
                condition=Q(is_standing=False) | Q(adopted_until__isnull=True), name="assignment_adopted_is_ours"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.permission_set} in {self.account}"


class Grant(models.Model):
    """The lease that a request holds on one account, with a start and an end."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="grants")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="grants")
    status = models.CharField(max_length=8, choices=GrantStatus, default=GrantStatus.WAITING)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="When it must be gone: committed before AWS is called."
    )
    activated_at = models.DateTimeField(null=True, blank=True, help_text="When AWS confirmed it.")
    revoke_due_at = models.DateTimeField(null=True, blank=True, help_text="When its revocation fell due.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was known to be gone.")
    sessions_until = models.DateTimeField(
        null=True, blank=True, help_text="Sessions already issued live no longer than this."
    )
    end_reason = models.CharField(max_length=10, choices=EndReason, blank=True)
    outcome = models.TextField(blank=True)

    history = Records()

    class Meta:
        ordering = ("account__name",)
        indexes: ClassVar = [
            models.Index(fields=("ends_at",), name="grant_ending", condition=Q(status__in=("granting", "active"))),
            models.Index(fields=("revoke_due_at",), name="grant_revoking", condition=Q(status="revoking")),
            models.Index(
                fields=("assignment",), name="grant_open_of_assignment", condition=Q(status__in=sorted(OPEN_GRANT))
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("request", "account"), name="grant_once_an_account"),
            models.CheckConstraint(condition=Q(status__in=GrantStatus.values), name="grant_status_known"),
            models.CheckConstraint(condition=_ends_need_a_reason, name="grant_end_reason_known"),
            models.CheckConstraint(
                condition=~Q(status__in=("granting", "active")) | Q(ends_at__isnull=False, starts_at__isnull=False),
                name="grant_has_its_end_before_aws_is_called",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")), name="grant_ends_after_its_start"
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(activated_at__isnull=False), name="grant_active_was_confirmed"
            ),
            models.CheckConstraint(
                condition=~Q(status="revoking") | Q(revoke_due_at__isnull=False), name="grant_revoking_has_a_due_time"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=("revoking", "ended")) | ~Q(end_reason=""), name="grant_ended_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} on {self.account}"


class Notification(models.Model):
    """One message to one person, about a request or a proposal, kept until a channel has taken it."""

    channel = models.CharField(max_length=40)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    request = models.ForeignKey(AccessRequest, models.CASCADE, null=True, blank=True, related_name="notifications")
    proposal = models.ForeignKey(Proposal, models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True, help_text="When to try; empty: sent, or given up.")
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    trouble = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=("due_at",), name="notification_due", condition=Q(due_at__isnull=False))
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(request=None, proposal__isnull=False) | Q(request__isnull=False, proposal=None),
                name="notification_is_about_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient}"
