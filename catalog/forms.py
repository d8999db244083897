"""Forms in which an admin edits the catalog; whatever they refuse, they refuse at its field."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from catalog import names
from catalog.fields import AccountId, Duration, Identifier, Lines, Name, ObjectId, Prose, TicketPattern
from catalog.models import (
    AccessPolicy,
    Account,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    PermissionSet,
    Role,
)
from catalog.policy import LEAST_DURATION, spell

LONGEST: Final = timedelta(days=7)
MOST_ACCOUNTS: Final = 50
MOST_APPROVALS: Final = 10


class WhyForm(forms.Form):
    """The reason for a deletion."""

    why = Prose(required=False, max_length=500)


class CatalogForm(forms.ModelForm):  # type: ignore[type-arg]
    """What all forms of the catalog share: the reason for the change, and what had been seen when it was made.

    `unique_names` says that no two rows may have names that a reader would take for the same.
    """

    unique_names: ClassVar[bool] = True

    why = Prose(
        required=False,
        max_length=500,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="Why you make this change. It is kept in the history and in the audit record.",
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seen" in self.fields:
            self.fields["seen"].initial = newest_version(self.instance)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.unique_names:
            others = type(self.instance)._default_manager.exclude(pk=self.instance.pk)
            for other in others.values_list("name", flat=True):
                if names.likeness(other) == names.likeness(name):
                    raise ValidationError(f"There is one by this name already: “{other}”.", "unique")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (
            "seen" in self.fields
            and self.instance.pk
            and cleaned.get("seen") != newest_version(self.instance)
        ):
            raise ValidationError(
                "Somebody else has changed this since you opened it, and saving would undo that. "
                "Open it again in another tab, and make your change there.",
                "outdated",
            )
        return cleaned


def newest_version(instance: models.Model) -> int:
    """The id of the newest history row of an object; 0 if it has none."""
    if instance.pk is None:
        return 0
    rows = type(instance).history.filter(**{instance._meta.pk.attname: instance.pk})  # type: ignore[attr-defined]
    newest = rows.order_by("-history_id").values_list("history_id", flat=True).first()
    return newest or 0


class DirectoryGroupForm(CatalogForm):
    """An Entra group; the directory allows two groups of one name, so we do."""

    unique_names = False

    class Meta:
        model = DirectoryGroup
        fields = ("name", "object_id")
        field_classes: ClassVar = {"name": Name, "object_id": ObjectId}
        help_texts: ClassVar = {
            "name": "What people call the group. Only for show: membership goes by the object id.",
            "object_id": "From the group's overview page in Entra, such as 6f1c…-…. It cannot be changed later.",
        }


class RoleForm(CatalogForm):
    """A role."""

    class Meta:
        model = Role
        fields = ("name", "slug", "description", "is_offered")
        field_classes: ClassVar = {"name": Name, "description": Prose}
        help_texts: ClassVar = {
            "name": "A job function in people's words, such as “Production Support”; never an action.",
            "slug": "The name as it stands in addresses of pages.",
        }


class EnvironmentForm(CatalogForm):
    """An environment."""

    class Meta:
        model = Environment
        fields = ("name", "slug", "sensitivity", "description")
        field_classes: ClassVar = {"name": Name, "description": Prose}
        help_texts: ClassVar = {
            "name": "What people call this set of accounts, such as “Production”.",
            "slug": "The name as it stands in addresses of pages.",
            "sensitivity": "How much harm can be done here: it decides the mark that people see, and the order.",
        }


class AccountForm(CatalogForm):
    """An AWS account; AWS allows two accounts of one name, so we do."""

    unique_names = False

    class Meta:
        model = Account
        fields = ("name", "account_id", "email", "environment")
        field_classes: ClassVar = {"name": Name, "account_id": AccountId, "email": forms.EmailField}
        help_texts: ClassVar = {
            "account_id": "12 digits. It cannot be changed later: access is granted and taken away by it.",
            "email": "Of the account's root user, as AWS Organizations shows it.",
            "environment": "Empty: nobody can ask for access to this account.",
        }


class PermissionSetForm(CatalogForm):
    """A permission set; one that vanished may have had the same name."""

    unique_names = False

    class Meta:
        model = PermissionSet
        fields = ("name", "arn", "description", "session_duration")
        field_classes: ClassVar = {
            "name": Name,
            "arn": Identifier,
            "description": Prose,
            "session_duration": Duration,
        }
        help_texts: ClassVar = {
            "name": "As IAM Identity Center shows it.",
            "arn": "From its page in IAM Identity Center. It cannot be changed later.",
            "session_duration": "From 1h to 12h, as set in AWS: how long a session lives on after its assignment is gone.",
        }

    def clean_arn(self) -> str:
        arn: str = self.cleaned_data["arn"]
        instance: str = settings.IDENTITY_CENTER_INSTANCE_ARN
        ours = instance.replace(":instance/", ":permissionSet/") + "/"
        if not arn.startswith(ours):
            raise ValidationError(
                f"It is not of our Identity Center instance; its ARN begins with {ours}.", "invalid"
            )
        return arn

    def clean_session_duration(self) -> timedelta:
        duration: timedelta = self.cleaned_data["session_duration"]
        if not timedelta(hours=1) <= duration <= timedelta(hours=12):
            raise ValidationError("AWS allows from 1h to 12h.", "invalid")
        return duration


class ApproverGroupForm(CatalogForm):
    """An approver group."""

    class Meta:
        model = ApproverGroup
        fields = ("name", "description", "directory_groups")
        field_classes: ClassVar = {"name": Name, "description": Prose}
        help_texts: ClassVar = {
            "name": "As requesters read it: “1 of Payments leads”.",
            "description": "When this group is asked, and whom to reach if nobody answers.",
            "directory_groups": "A member of any of them may decide. Who is a member is asked at each decision.",
        }


class AccessPolicyForm(CatalogForm):
    """An access policy. One that is not in force may be incomplete, so that it can always be switched off."""

    departments = Lines(
        required=False,
        help_text="One a line, as the directory spells them. People of any of them may ask, too.",
    )

    class Meta:
        model = AccessPolicy
        fields = (
            "name",
            "is_in_force",
            "role",
            "environment",
            "permission_set",
            "requestable_by",
            "departments",
            "default_duration",
            "longest_duration",
            "accounts_per_request",
            "ticket_pattern",
            "automatic_approval",
        )
        field_classes: ClassVar = {
            "name": Name,
            "default_duration": Duration,
            "longest_duration": Duration,
            "ticket_pattern": TicketPattern,
        }
        help_texts: ClassVar = {
            "name": "People are shown it as the rule that allows, limits or refuses, such as “Payments support”.",
            "is_in_force": "Off: nobody can ask by this policy. Access that runs is not touched.",
            "environment": "Every account of the environment can be asked for.",
            "permission_set": "What the role may do there. All policies for one role and environment name the same.",
            "requestable_by": "Members of any of these groups may ask.",
            "default_duration": "What the form suggests, such as 1h or 1h 30m.",
            "longest_duration": f"At most {spell(LONGEST)}. If several policies hold, the shortest counts.",
            "accounts_per_request": f"From 1 to {MOST_ACCOUNTS}.",
            "ticket_pattern": r"A regular expression that the whole ticket must match, such as (PAY|OPS)-\d{1,6}. "
            "Empty: no ticket is asked for.",
            "automatic_approval": "Only where every policy that holds says “always” is a request approved at once.",
        }

    def clean_accounts_per_request(self) -> int:
        count: int = self.cleaned_data["accounts_per_request"]
        if not 1 <= count <= MOST_ACCOUNTS:
            raise ValidationError(f"Give a number from 1 to {MOST_ACCOUNTS}.", "invalid")
        return count

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self._check_durations(cleaned)
        if cleaned.get("is_in_force"):
            self._check_permission_set(cleaned)
        return cleaned

    def _check_durations(self, cleaned: dict[str, Any]) -> None:
        default, longest = cleaned.get("default_duration"), cleaned.get("longest_duration")
        if default is not None and default < LEAST_DURATION:
            self.add_error("default_duration", "Give a time longer than none.")
        if longest is not None and longest > LONGEST:
            self.add_error("longest_duration", f"Give at most {spell(LONGEST)}.")
        if default is not None and longest is not None and default > longest:
            self.add_error("default_duration", f"It is longer than the longest duration, {spell(longest)}.")

    def _check_permission_set(self, cleaned: dict[str, Any]) -> None:
        permission_set, role, environment = (
            cleaned.get(name) for name in ("permission_set", "role", "environment")
        )
        if permission_set is None:
            return
        if permission_set.vanished_at:
            self.add_error("permission_set", "AWS no longer has this permission set; choose another.")
        if role is None or environment is None:
            return
        rivals = AccessPolicy.objects.filter(role=role, environment=environment, is_in_force=True)
        rival = (
            rivals.exclude(pk=self.instance.pk)
            .exclude(permission_set=permission_set)
            .select_related("permission_set")
            .first()
        )
        if rival:
            reason = f"“{rival}” names {rival.permission_set} for the same role and environment; the two must agree."
            self.add_error("permission_set", reason)


class ApprovalStageForm(forms.ModelForm):  # type: ignore[type-arg]
    """One stage of a policy."""

    class Meta:
        model = ApprovalStage
        fields = ("position", "approver_group", "approvals_needed")
        help_texts: ClassVar = {"approvals_needed": "How many different people of the group must agree."}

    def clean_approvals_needed(self) -> int:
        count: int = self.cleaned_data["approvals_needed"]
        if not 1 <= count <= MOST_APPROVALS:
            raise ValidationError(f"Give a number from 1 to {MOST_APPROVALS}.", "invalid")
        return count

    def validate_constraints(self) -> None:
        """Left to the formset, which sees all stages: one by one, two that change places would collide."""


class ApprovalStageFormset(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """All stages of a policy together."""

    def clean(self) -> None:
        stages = [
            form for form in self.forms if form.cleaned_data and form.cleaned_data.get("DELETE") is not True
        ]
        policy = self.instance
        by_people = policy.automatic_approval == AccessPolicy.AutomaticApproval.NEVER
        if policy.is_in_force and by_people and not stages:
            raise ValidationError(
                "Nobody would decide. Add a stage, choose automatic approval, or take the policy out of force.",
                "empty",
            )
        numbered = sorted(
            (form for form in stages if form.cleaned_data.get("position")),
            key=lambda form: form.cleaned_data["position"],
        )
        for wanted, form in enumerate(numbered, start=1):
            if form.cleaned_data["position"] != wanted:
                form.add_error("position", f"Number the stages 1, 2, 3, each once: this would be {wanted}.")
                return
