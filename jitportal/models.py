"""The person who uses the portal, as Entra ID knows them."""

import secrets
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.crypto import salted_hmac

from auditlog import clock


class LeftBecause(models.TextChoices):
    """How a person left."""

    DISABLED = "disabled", "Disabled in the directory"
    DELETED = "deleted", "Deleted from the directory"
    GUEST = "guest", "Became a guest in the directory"
    IDENTITY_CENTER = "aws", "Disabled in IAM Identity Center"


class UserManager(BaseUserManager["User"]):
    """Finds people by object id; nobody is created but by a sign-in or a sync."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(object_id=username)


class User(AbstractBaseUser):
    """A person, keyed by Entra's object id within our one tenant; there is no password to guess or leak.

    What a person may do follows from their directory groups alone: `is_staff` is membership of the admin group. The
    exception is a local administrator, whom the directory does not know, and who is one until `local_until`.
    Whoever is not active and has no `left_at` is locked out, and does not return by themselves.
    """

    password = None  # type: ignore[assignment]
    tenant_id = models.CharField(max_length=36)
    object_id = models.CharField(max_length=36, unique=True)
    user_name = models.CharField("user principal name", max_length=320)
    name = models.CharField(max_length=500)
    email = models.CharField(max_length=320, blank=True)
    department = models.CharField(max_length=200, blank=True)
    manager_object_id = models.CharField(
        "manager",
        max_length=36,
        blank=True,
        db_index=True,
        help_text="Object id of their manager, as the directory last told it; empty: it has told of none.",
    )
    is_active = models.BooleanField(default=True)
    directory_groups = models.ManyToManyField("catalog.DirectoryGroup", blank=True, related_name="people")
    principal_id = models.CharField("Identity Center user id", max_length=47, blank=True)
    session_key = models.CharField(max_length=43, default=secrets.token_urlsafe, editable=False)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    left_at = models.DateTimeField(null=True, blank=True, editable=False)
    left_because = models.CharField(max_length=8, choices=LeftBecause, blank=True, editable=False)
    described_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a sign-in last told what the directory says."
    )
    to_check = models.BooleanField(
        default=False, editable=False, help_text="The directory may say something else by now."
    )
    local_until = models.DateTimeField(
        "local administrator until",
        null=True,
        blank=True,
        editable=False,
        help_text="Empty for the directory's people.",
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "object_id"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ("name",)
        verbose_name = "person"
        verbose_name_plural = "people"
        # The first by name, and all accounts of one person, of a hundred thousand.
        indexes: ClassVar = [
            models.Index(fields=("name",), name="person_by_name"),
            models.Index(fields=("principal_id",), name="person_by_principal"),
            models.Index(Upper("user_name"), name="person_by_user_name"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(local_until=None) | models.Q(tenant_id=""), name="local_administrator_in_no_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def group_ids(self) -> frozenset[str]:
        """Object ids of the directory groups this person is in, as last told by the directory."""
        return frozenset(self.directory_groups.values_list("object_id", flat=True))

    @property
    def is_staff(self) -> bool:
        """Whether this person administers the catalog: a member of the directory's admin group, or local."""
        if self.is_local:
            return self.is_active and not self.is_over
        return self.is_active and settings.ENTRA_ADMIN_GROUP_ID in self.group_ids

    @property
    def is_compliance(self) -> bool:
        """Whether this person reads the audit pages: a member of the directory's compliance group."""
        return not self.is_local and self.is_active and settings.ENTRA_COMPLIANCE_GROUP_ID in self.group_ids

    @property
    def is_local(self) -> bool:
        """Whether this is a local administrator, and nobody of the directory."""
        return self.local_until is not None

    @property
    def is_locked_out(self) -> bool:
        """Whether an admin has locked this account out; whoever has merely left is not."""
        return not self.is_active and self.left_at is None and not self.is_local

    @property
    def is_over(self) -> bool:
        """Whether the time of a local administrator is over, by the database's clock."""
        return self.local_until is not None and self.local_until <= clock.now()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django admin asks this; each admin class narrows it further."""
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff

    def get_session_auth_hash(self) -> str:
        """Ties sessions to `session_key`: drawing a new one signs the person out everywhere."""
        return salted_hmac("jitportal.User.session", self.session_key, algorithm="sha256").hexdigest()

    @property
    def returns_by_signing_in(self) -> bool:
        """Whether a sign-in is enough to be taken back: the directory, which they had left, vouches for them again."""
        return self.left_at is not None and self.left_because != LeftBecause.IDENTITY_CENTER

    def refresh_groups(self) -> None:
        """Forgets the groups read earlier in this process, so that the next question asks the database."""
        self.__dict__.pop("group_ids", None)


class LocalAdministrator(models.Model):
    """How a local administrator came to be: opened at the server for a reason, let in by a link that works once.

    Of the link there is only what it hashes to. It is open until `person.local_until`, unless it has ended before.
    """

    person = models.OneToOneField(User, on_delete=models.PROTECT, related_name="local")
    link_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the link's secret.")
    reason = models.TextField()
    opened_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.person}, opened at {self.opened_at}"


class DirectorySync(models.Model):
    """Where the sync of people stands: one row, so that one which was killed goes on from there.

    A link leads to the next page of what has changed; empty: nothing was read yet, or it must be read anew.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    users_link = models.TextField(blank=True)
    groups_link = models.TextField(blank=True)
    groups_digest = models.CharField(max_length=64, blank=True, help_text="Of the groups that mean something here.")
    roles_digest = models.CharField(max_length=64, blank=True, help_text="Of who is assigned which app role.")
    everybody_at = models.DateTimeField(null=True, blank=True, help_text="When everybody was last to be looked at.")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When a sync last came to its end.")
    trouble = models.TextField(blank=True, help_text="Why the last one did not.")
    held = models.JSONField(default=list, help_text="Object ids of those who are said to have left, and are too many.")
    held_at = models.DateTimeField(null=True, blank=True)
    confirmed = models.JSONField(default=list, help_text="Those of them of whom an admin has confirmed it.")
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="directory_sync_once")]

    def __str__(self) -> str:
        return f"finished at {self.finished_at}"
