"""Where the inventory of what AWS has stands, and the users and groups that it lists."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class InventorySync(models.Model):
    """Where the sync of what AWS has stands: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When AWS was last read to the end.")
    trouble = models.TextField(blank=True, help_text="Why it was not, the last time.")
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    reading = models.CharField(max_length=5, blank=True, help_text="The kind of principal that is being read.")
    position = models.TextField(blank=True, help_text="Where its next page begins.")
    round = models.PositiveIntegerField(default=0, help_text="How often principals have been read, this time too.")
    counts = models.JSONField(default=dict, help_text="What this round has found so far.")
    principals_at = models.DateTimeField(null=True, blank=True, help_text="When all principals were last read.")

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="inventory_sync_once")]

    def __str__(self) -> str:
        return f"finished at {self.finished_at}"


class InventoryLook(models.Model):
    """When AWS was last asked for the details of an account or a permission set, which its lists do not tell."""

    key = models.CharField("account id or ARN", max_length=224, primary_key=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key} at {self.at}"


class Principal(models.Model):
    """A user or a group of IAM Identity Center, as AWS lists it: names to ids that are met there, and nothing more."""

    class Kind(models.TextChoices):
        USER = "USER", "User"
        GROUP = "GROUP", "Group"

    principal_id = models.CharField("id in IAM Identity Center", max_length=47, primary_key=True)
    kind = models.CharField(max_length=5, choices=Kind)
    name = models.CharField(max_length=256, db_index=True)
    is_enabled = models.BooleanField("enabled", default=True)
    seen_in = models.PositiveIntegerField(editable=False, help_text="The round that has last listed it.")
    vanished_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When AWS stopped listing it.")

    class Meta:
        ordering = ("name", "principal_id")
        indexes: ClassVar = [models.Index(fields=("kind", "seen_in"), name="principal_by_round")]

    def __str__(self) -> str:
        return self.name
