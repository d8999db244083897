"""Roles and environments, the rules by which accounts join an environment, and the accounts."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from auditlog.history import Records
from catalog.models.likeness import Likeness
from catalog.models.managed import ManagedByFile

account_id_validator = RegexValidator(r"^[0-9]{12}\Z", "An AWS account id is 12 digits.")


class Role(ManagedByFile):
    """A job function in human words, never an action."""

    name = models.CharField(max_length=80)
    likeness = Likeness()
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(help_text="What somebody in this role does, in a sentence or two.")
    is_offered = models.BooleanField(
        "offered", default=True, help_text="Off: nobody may ask for it; running access ends as agreed."
    )

    history = Records(excluded_fields=["likeness"])

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Sensitivity(models.IntegerChoices):
    """How much harm access to an environment can do; the order counts."""

    SANDBOX = 1, "Sandbox"
    DEVELOPMENT = 2, "Development"
    STAGING = 3, "Staging"
    PRODUCTION = 4, "Production"


class Environment(ManagedByFile):
    """A named set of AWS accounts with one sensitivity."""

    name = models.CharField(max_length=80)
    likeness = Likeness()
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True)
    sensitivity = models.PositiveSmallIntegerField(choices=Sensitivity)

    history = Records(excluded_fields=["likeness"])

    class Meta:
        ordering = ("sensitivity", "name")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(sensitivity__in=Sensitivity.values), name="environment_sensitivity_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AccountRule(models.Model):
    """Accounts in this organisational unit, with this tag, or in it and with it, join an environment by themselves."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="account_rules")
    ou_path = models.CharField(
        "organisational unit",
        max_length=1000,
        blank=True,
        help_text="Such as Workloads/Production: the accounts of this unit and of all units below it.",
    )
    tag_key = models.CharField("tag", max_length=128, blank=True)
    tag_value = models.CharField("value of the tag", max_length=256, blank=True)

    history = Records()

    class Meta:
        ordering = ("environment", "ou_path", "tag_key", "tag_value")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(ou_path="") | ~Q(tag_key=""),
                name="account_rule_says_something",
                violation_error_message="Name an organisational unit, a tag, or both.",
            ),
            models.UniqueConstraint(
                fields=("environment", "ou_path", "tag_key", "tag_value"), name="account_rule_once_in_environment"
            ),
        ]

    def __str__(self) -> str:
        place = f"in {self.ou_path}" if self.ou_path else ""
        tag = f"tagged {self.tag_key}={self.tag_value}" if self.tag_key else ""
        return " and ".join(filter(None, (place, tag)))


class Account(ManagedByFile):
    """An AWS account, as AWS has it, in at most one environment."""

    class PutBy(models.TextChoices):
        HAND = "hand", "Admins only"
        RULE = "rule", "Rules of environments"

    account_id = models.CharField(max_length=12, unique=True, validators=[account_id_validator])
    name = models.CharField(max_length=80)
    email = models.CharField(max_length=320, blank=True)
    environment = models.ForeignKey(Environment, models.PROTECT, null=True, blank=True, related_name="accounts")
    # Empty is null, and not a text: versions that were kept before these columns came keep their digests.
    put_by = models.CharField(  # noqa: DJ001
        "moved by", max_length=4, choices=PutBy, null=True, blank=True
    )
    ou_path = models.CharField(  # noqa: DJ001
        "organisational unit", max_length=1000, null=True, blank=True, editable=False
    )
    tags = models.JSONField(null=True, blank=True, editable=False, help_text="Those it has in AWS: {key: value}.")
    is_management = models.BooleanField("management account", null=True, blank=True, editable=False)
    vanished_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When AWS stopped listing it.")

    history = Records()

    class Meta:
        ordering = ("name", "account_id")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(account_id__regex=r"^[0-9]{12}$"), name="account_id_is_12_digits"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id})"
