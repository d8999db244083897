"""Permission sets, as AWS has them."""

from datetime import timedelta
from typing import ClassVar, Final

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from auditlog.history import Records

# What IAM Identity Center takes as the session duration of a permission set.
SHORTEST_SESSION: Final = timedelta(hours=1)
LONGEST_SESSION: Final = timedelta(hours=12)
permission_set_arn_validator = RegexValidator(
    r"^arn:aws[a-z-]*:sso:::permissionSet/(sso)?ins-[0-9a-f]{16}/ps-[0-9a-f]{16}\Z",
    "Give the ARN as AWS shows it: arn:aws:sso:::permissionSet/ssoins-…/ps-….",
)


class PermissionSet(models.Model):
    """A permission set, as AWS has it."""

    arn = models.CharField("ARN", max_length=224, unique=True, validators=[permission_set_arn_validator])
    name = models.CharField(max_length=32)
    description = models.CharField(max_length=700, blank=True)
    session_duration = models.DurationField(
        default=timedelta(hours=1), help_text="How long a session lives on after its assignment is gone."
    )
    managed_policies = models.JSONField(
        null=True, blank=True, editable=False, help_text="ARNs of AWS's own, and names of ours, as AWS lists them."
    )
    inline_policy = models.TextField(null=True, blank=True, editable=False)  # noqa: DJ001 - as above
    vanished_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When AWS stopped listing it.")

    history = Records()

    class Meta:
        ordering = ("name",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(session_duration__gte=SHORTEST_SESSION, session_duration__lte=LONGEST_SESSION),
                name="permission_set_session_1h_to_12h",
            ),
        ]

    def __str__(self) -> str:
        return self.name
