"""What may be asked for: roles, environments, accounts, approver groups and the access policies that join them."""

from datetime import timedelta
from typing import ClassVar

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from auditlog.history import Records
from catalog import app_roles, durations, step_up

object_id_validator = RegexValidator(
    rf"^([0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|{app_roles.PATTERN})\Z",
    "Give the group's object id from Entra, a GUID in lower case, or role: and the value of an app role.",
)
account_id_validator = RegexValidator(r"^[0-9]{12}\Z", "An AWS account id is 12 digits.")
permission_set_arn_validator = RegexValidator(
    r"^arn:aws[a-z-]*:sso:::permissionSet/(sso)?ins-[0-9a-f]{16}/ps-[0-9a-f]{16}\Z",
    "Give the ARN as AWS shows it: arn:aws:sso:::permissionSet/ssoins-…/ps-….",
)


class DirectoryGroup(models.Model):
    """An Entra group, known by its object id, or an app role, by its value (`role:…`); the name is for show."""

    object_id = models.CharField(max_length=app_roles.LONGEST, unique=True, validators=[object_id_validator])
    name = models.CharField(max_length=256)

    history = Records()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A job function in human words, never an action."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(help_text="What somebody in this role does, in a sentence or two.")
    is_offered = models.BooleanField(
        "offered", default=True, help_text="Off: nobody may ask for it; running access ends as agreed."
    )

    history = Records()

    class Meta:
        ordering = ("name",)
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="role_name_unique")]

    def __str__(self) -> str:
        return self.name


class Sensitivity(models.IntegerChoices):
    """How much harm access to an environment can do; the order counts."""

    SANDBOX = 1, "Sandbox"
    DEVELOPMENT = 2, "Development"
    STAGING = 3, "Staging"
    PRODUCTION = 4, "Production"


class Environment(models.Model):
    """A named set of AWS accounts with one sensitivity."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True)
    sensitivity = models.PositiveSmallIntegerField(choices=Sensitivity)

    history = Records()

    class Meta:
        ordering = ("sensitivity", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), name="environment_name_unique"),
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


class Account(models.Model):
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
                condition=Q(session_duration__gte=timedelta(hours=1), session_duration__lte=timedelta(hours=12)),
                name="permission_set_session_1h_to_12h",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApproverGroup(models.Model):
    """People who decide, drawn from directory groups at the moment of each decision."""

    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    directory_groups = models.ManyToManyField(
        DirectoryGroup, related_name="approver_groups", help_text="A member of any of them may decide."
    )

    history = Records(m2m_fields=[directory_groups])

    class Meta:
        ordering = ("name",)
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="approver_group_name_unique")]

    def __str__(self) -> str:
        return self.name


class AccessPolicy(models.Model):
    """This role, in this environment, may be requested by these people, on these terms, decided by these stages."""

    class AutomaticApproval(models.TextChoices):
        NEVER = "never", "Never: people decide"
        ALWAYS = "always", "Always: at once, by this policy"

    class StepUp(models.TextChoices):
        ASKING = step_up.ASKING, "Asking, also for more time"
        DECIDING = step_up.DECIDING, "Agreeing"
        BOTH = step_up.BOTH, "Asking and agreeing"

    name = models.CharField(max_length=120, unique=True)
    role = models.ForeignKey(Role, models.PROTECT, related_name="policies")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="policies")
    requestable_by = models.ManyToManyField(
        DirectoryGroup, blank=True, related_name="access_policies", help_text="Members of any of these groups may ask."
    )
    departments = models.JSONField(
        default=list, blank=True, help_text='People of any of these departments may ask, too: ["Payments", "Data"].'
    )
    permission_set = models.ForeignKey(PermissionSet, models.PROTECT, related_name="policies")
    default_duration = models.DurationField(default=timedelta(hours=1))
    longest_duration = models.DurationField(default=timedelta(hours=8))
    accounts_per_request = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    ticket_pattern = models.CharField(
        max_length=200,
        blank=True,
        help_text="A regular expression that the whole ticket must match; empty: no ticket asked.",
    )
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

    history = Records(m2m_fields=[requestable_by])

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
                | Q(
                    step_up_context__in=step_up.CONTEXTS,
                    step_up_for__in=(step_up.ASKING, step_up.DECIDING, step_up.BOTH),
                    step_up_longest_age__gt=timedelta(0),
                ),
                name="policy_step_up_whole_or_not_at_all",
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
                | Q(escalation_group__isnull=False, escalates_after__gt=timedelta(0)),
                name="stage_escalates_after_a_time_or_not_at_all",
            ),
        ]

    def __str__(self) -> str:
        stage = f"{self.position}. {self.approvals_needed} of {self.approver_group}"
        if self.escalation_group is None or self.escalates_after is None:
            return stage
        return f"{stage}, after {durations.written(self.escalates_after)} also {self.escalation_group}"


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
