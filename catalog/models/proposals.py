"""Changes of the catalog that a second admin must accept, and those that were made without one in an emergency."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from auditlog.history import Records


class Proposal(models.Model):
    """What somebody would change, as they sent it; it changes nothing until another admin accepts it.

    People are named as the ledger names them. An override is a proposal that its proposer put in force by themselves,
    and that another admin looks at afterwards.
    """

    class Kind(models.TextChoices):
        CREATE = "create", "create"
        CHANGE = "change", "change"
        DELETE = "delete", "delete"
        FILE = "file", "apply"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting for another admin"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"
        OUTDATED = "outdated", "Outdated"
        OVERRIDDEN = "overridden", "In force without a second admin"
        LOOKED_AT = "looked_at", "In force without a second admin, and looked at since"

    kind = models.CharField(max_length=6, choices=Kind)
    model = models.CharField(max_length=100, blank=True, help_text="The kind of object as Django labels it.")
    object_pk = models.CharField(max_length=40, blank=True, help_text="Empty: one that is not there yet.")
    object_kind = models.CharField(max_length=60)
    object_name = models.CharField(max_length=300)
    payload = models.JSONField(help_text="What was sent: [[field, text], …], or the file.")
    payload_sha256 = models.CharField(max_length=64)
    seen = models.BigIntegerField(default=0, help_text="The version of the object that the proposer had before them.")
    environments = models.JSONField(help_text="The names of the sensitive ones that it touches.")
    shown = models.JSONField(help_text="What the proposer was shown that it does.")
    why = models.TextField()
    proposed_by = models.CharField(max_length=100)
    proposed_by_name = models.CharField(max_length=300)
    proposed_at = models.DateTimeField()
    # Nobody is null, and not a text: versions that were kept before this column came keep their digests.
    put_forward_by = models.CharField(  # noqa: DJ001
        max_length=100, null=True, blank=True, help_text="What part of the portal proposed it in that admin's name."
    )
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When that admin said that it is theirs, if a part of the portal proposed it."
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING, db_index=True)
    decided_by = models.CharField(max_length=100, blank=True)
    decided_by_name = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)

    history = Records()

    class Meta:
        ordering = ("-proposed_at", "-pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=("waiting", "overridden"), decided_at=None, decided_by="")
                | Q(
                    status__in=("accepted", "rejected", "withdrawn", "outdated", "looked_at"), decided_at__isnull=False
                ),
                name="proposal_decided_with_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=("accepted", "rejected", "looked_at")) | ~Q(decided_by=F("proposed_by")),
                name="proposal_decided_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(status="rejected") | ~Q(comment=""), name="proposal_rejected_with_a_comment"
            ),
            models.CheckConstraint(condition=~Q(why=""), name="proposal_says_why"),
            models.CheckConstraint(
                condition=~Q(status="accepted") | Q(put_forward_by=None) | Q(confirmed_at__isnull=False),
                name="proposal_accepted_when_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} the {self.object_kind} {self.object_name}"

    @property
    def was_overridden(self) -> bool:
        """Whether its proposer put it in force by themselves: for readers it never was a proposal."""
        return self.status in (self.Status.OVERRIDDEN, self.Status.LOOKED_AT)

    @property
    def is_unconfirmed(self) -> bool:
        """Whether its proposer has not said yet that it is theirs."""
        return self.put_forward_by is not None and self.confirmed_at is None

    @property
    def how_it_stands(self) -> str:
        """Its status, for people to read."""
        is_to_confirm = self.is_unconfirmed and self.status == self.Status.WAITING
        return "Waiting for its proposer to confirm it" if is_to_confirm else self.get_status_display()

    @property
    def by(self) -> str:
        """Who proposed it, for people to read."""
        name = self.proposed_by_name
        return f"the {self.put_forward_by} for {name}" if self.is_unconfirmed else name
