"""Who may ask and who decides: directory groups, and the approver groups that are drawn from them."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from auditlog.history import Records
from catalog import app_roles
from catalog.models.likeness import Likeness
from catalog.models.managed import ManagedByFile

object_id_validator = RegexValidator(
    rf"^([0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|{app_roles.PATTERN})\Z",
    "Give the group's object id from Entra, a GUID in lower case, or role: and the value of an app role.",
)


class DirectoryGroup(ManagedByFile):
    """An Entra group, known by its object id, or an app role, by its value (`role:…`); the name is for show."""

    object_id = models.CharField(max_length=app_roles.LONGEST, unique=True, validators=[object_id_validator])
    name = models.CharField(max_length=256)

    history = Records()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class ApproverGroup(ManagedByFile):
    """People who decide, drawn from directory groups at the moment of each decision; or the requester's manager.

    Of the latter there is one, drawn from no directory group: each requester's manager as the directory has it then.
    """

    name = models.CharField(max_length=80)
    likeness = Likeness()
    description = models.TextField(blank=True)
    directory_groups = models.ManyToManyField(
        DirectoryGroup, blank=True, related_name="approver_groups", help_text="A member of any of them may decide."
    )
    # Empty is null: versions that were kept before this column came keep their digests.
    is_requesters_manager = models.BooleanField("the requester’s manager", null=True, blank=True)

    history = Records(m2m_fields=[directory_groups], excluded_fields=["likeness"])

    class Meta:
        ordering = ("name",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("is_requesters_manager",),
                condition=Q(is_requesters_manager=True),
                name="approver_group_one_requesters_manager",
            ),
            # What is no manager says nothing.
            models.CheckConstraint(
                condition=Q(is_requesters_manager=None) | Q(is_requesters_manager=True),
                name="approver_group_manager_or_null",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def in_full(self) -> str:
        """With all directory groups that it is drawn from, and their ids: another may have the same name."""
        if self.is_requesters_manager:
            return self.name
        drawn = ", ".join(f"{group.name} ({group.object_id})" for group in self.directory_groups.all())
        return f"{self.name} [{drawn or 'no directory group'}]"
