"""What a scan keeps: findings of standing access, and where the scan stands."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from accessrequests.states import (
    ADOPTED_FINDING,
    UNFINISHED_FINDING,
    FindingStatus,
)
from auditlog.history import Records
from catalog.models import Account, PermissionSet


class Finding(models.Model):
    """Standing access that a scan found in AWS: there, and not ours; one row from its first sight to its end.

    Nothing is taken away because it was found; an admin adopts it, removes it or accepts it, each with a reason.
    """

    class Principal(models.TextChoices):
        USER = "USER", "Person"
        GROUP = "GROUP", "Group"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    principal_type = models.CharField(max_length=5, choices=Principal)
    principal_id = models.CharField(max_length=47)
    principal_name = models.CharField(max_length=1024, blank=True, help_text="As AWS has it; empty: not known.")
    permission_set = models.ForeignKey(PermissionSet, models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    status = models.CharField(max_length=8, choices=FindingStatus, default=FindingStatus.OPEN)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", help_text="The admin."
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    until = models.DateTimeField(null=True, blank=True, help_text="When adopted access is taken away.")
    owner = models.CharField(max_length=200, blank=True, help_text="Who answers for accepted access.")
    review_at = models.DateTimeField(null=True, blank=True, help_text="When accepted access is open again.")
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When AWS was known to hold it no longer.")
    outcome = models.TextField(blank=True, help_text="How it ended, in words.")

    history = Records(excluded_fields=["last_seen_at"])

    class Meta:
        ordering = ("account__name", "permission_set__name", "first_seen_at")
        indexes: ClassVar = [
            models.Index(fields=("closed_at",), name="finding_closed", condition=Q(closed_at__isnull=False)),
            models.Index(fields=("review_at",), name="finding_review", condition=Q(status="accepted")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("principal_type", "principal_id", "permission_set", "account"),
                condition=Q(status__in=sorted(UNFINISHED_FINDING)),
                name="finding_unfinished_once",
            ),
            models.CheckConstraint(condition=Q(status__in=FindingStatus.values), name="finding_status_known"),
            models.CheckConstraint(condition=Q(principal_type__in=("USER", "GROUP")), name="finding_principal_known"),
            models.CheckConstraint(
                condition=~Q(status__in=sorted({"accepted", *ADOPTED_FINDING}))
                | (~Q(reason="") & Q(settled_by__isnull=False, settled_at__isnull=False)),
                name="finding_settled_says_who_and_why",
            ),
            models.CheckConstraint(
                condition=~Q(status="accepted") | (~Q(owner="") & Q(review_at__isnull=False)),
                name="finding_accepted_has_an_owner_and_a_date",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(ADOPTED_FINDING)) | Q(until__isnull=False, principal_type="USER"),
                name="finding_adopted_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(UNFINISHED_FINDING), closed_at__isnull=True)
                | Q(status__in=("removed", "gone"), closed_at__isnull=False),
                name="finding_closed_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.principal_name or self.principal_id}: {self.permission_set} in {self.account}"


class ScanCursor(models.Model):
    """Where the scan for drift stands: one row, so that a scan that was killed goes on from there.

    The position is the last account and permission set that were seen; both empty, the next round begins.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    account_id = models.CharField(max_length=12, blank=True)
    permission_set_arn = models.CharField(max_length=224, blank=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text="When this round began.")
    seen = models.PositiveIntegerField(default=0, help_text="Pairs seen in this round.")
    passed_over = models.PositiveIntegerField(default=0, help_text="Pairs that AWS would not tell of in this round.")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When the last whole round ended.")
    last_seen = models.PositiveIntegerField(default=0, help_text="Pairs seen in the last whole round.")
    last_passed_over = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often the next pair could not be read.")
    trouble = models.TextField(blank=True, help_text="What AWS said last, when it did not tell.")
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="scan_cursor_once")]

    def __str__(self) -> str:
        return f"{self.seen} pairs seen"
