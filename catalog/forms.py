"""Forms in which an admin edits the catalog; whatever they refuse, they refuse at its field."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from catalog import joining, names
from catalog.fields import AccountId, Duration, Identifier, Line, Name, ObjectId, Prose
from catalog.models import (
    Account,
    AccountRule,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    PermissionSet,
    Role,
)
from catalog.models.permission_sets import LONGEST_SESSION, SHORTEST_SESSION


class WhyForm(forms.Form):
    """The reason for a deletion."""

    why = Prose(required=False, max_length=500)


class CatalogForm(forms.ModelForm):  # type: ignore[type-arg]
    """What all forms of the catalog share: the reason for the change, and what had been seen when it was made.

    `unique_names` says that no two rows may have names that a reader would take for the same.
    """

    unique_names: ClassVar[bool] = True
    # Whether a catalog file fills it in; nobody else changes what a file manages.
    is_by_file: bool = False

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
            if other := others.filter(likeness=names.likeness(name)).values_list("name", flat=True).first():
                raise ValidationError(f"There is one by this name already: “{other}”.", "unique")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (file := getattr(self.instance, "managed_by_file", None)) and not self.is_by_file:
            raise ValidationError(f"The file {file} manages this: change it there, and apply the file.", "managed")
        if "seen" in self.fields and self.instance.pk and cleaned.get("seen") != newest_version(self.instance):
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
            "object_id": "From the group's overview page in Entra, such as 6f1c…-…; or role: and the value of an app "
            "role. It cannot be changed later.",
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
            "sensitivity": "How much harm can be done here; people see it as a mark. From the one that SENSITIVE_FROM "
            "names, a second admin must accept changes. In Production newcomers may not agree unless a policy lets "
            "them. By rules, an account that was in another environment joins only a more sensitive one.",
        }


class AccountForm(CatalogForm):
    """An AWS account; AWS allows two accounts of one name, so we do."""

    unique_names = False

    class Meta:
        model = Account
        fields = ("name", "account_id", "email", "environment", "put_by")
        field_classes: ClassVar = {"name": Name, "account_id": AccountId, "email": forms.EmailField}
        help_texts: ClassVar = {
            "account_id": "12 digits. It cannot be changed later: access is granted and taken away by it.",
            "email": "Of the account's root user, as AWS Organizations shows it.",
            "environment": "Empty: nobody can ask for access to this account.",
        }

    put_by = forms.ChoiceField(
        label="Moved by",
        choices=[(Account.PutBy.HAND, "Admins only"), (Account.PutBy.RULE, "Rules of environments")],
        help_text="Admins only: no rule puts it anywhere, or takes it away; so it is once you choose an environment.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "put_by" in self.fields:
            moved_by = Account.PutBy.RULE if joining.is_open_to_rules(self.instance) else Account.PutBy.HAND
            self.initial["put_by"] = moved_by

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "environment" in self.changed_data:
            cleaned["put_by"] = Account.PutBy.HAND
        elif "put_by" not in self.changed_data:
            cleaned["put_by"] = self.instance.put_by
        return cleaned


class AccountRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One rule by which accounts join."""

    class Meta:
        model = AccountRule
        fields = ("ou_path", "tag_key", "tag_value")
        field_classes: ClassVar = dict.fromkeys(fields, Line)
        help_texts: ClassVar = {
            "tag_key": "A tag of the account in AWS Organizations; letters count as they are.",
            "tag_value": "What the tag says, exactly.",
        }

    def clean_ou_path(self) -> str:
        # As people copy it from the console: Root/Workloads/Production/.
        path = "/".join(part.strip() for part in self.cleaned_data["ou_path"].split("/") if part.strip())
        return path.removeprefix("Root/")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("tag_value") and not cleaned.get("tag_key"):
            self.add_error("tag_key", ValidationError("Name the tag that has this value.", "no_key"))
        return cleaned


def foreign(arn: str) -> str:
    """Why this is no permission set of our Identity Center instance; empty if it is."""
    instance: str = settings.IDENTITY_CENTER_INSTANCE_ARN
    partition, own = f"{arn}:".split(":")[1], instance.split(":")[1]
    if arn.startswith("arn:") and partition != own:
        return f"It is of another partition of AWS, {partition}; ours is {own}."
    ours = instance.replace(":instance/", ":permissionSet/") + "/"
    if not arn.startswith(ours):
        return f"It is not of our Identity Center instance; its ARN begins with {ours}."
    return ""


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
            "session_duration": "As set in AWS, from 1h to 12h: sessions live on so long after access has ended.",
        }

    def clean_arn(self) -> str:
        arn: str = self.cleaned_data["arn"]
        if why_not := foreign(arn):
            raise ValidationError(why_not, "invalid")
        return arn

    def clean_session_duration(self) -> timedelta:
        duration: timedelta = self.cleaned_data["session_duration"]
        if not SHORTEST_SESSION <= duration <= LONGEST_SESSION:
            raise ValidationError("AWS allows from 1h to 12h.", "invalid")
        return duration


class ApproverGroupForm(CatalogForm):
    """An approver group: drawn from directory groups, or each requester's manager, of which there is one."""

    is_requesters_manager = forms.BooleanField(
        required=False,
        label="The requester’s manager",
        help_text="Instead of directory groups: whoever Entra names as the manager of the one who asks, at each "
        "decision. It cannot be changed later.",
    )

    class Meta:
        model = ApproverGroup
        fields = ("name", "description", "is_requesters_manager", "directory_groups")
        field_classes: ClassVar = {"name": Name, "description": Prose}
        help_texts: ClassVar = {
            "name": "As requesters read it: “1 of Payments leads”.",
            "description": "When this group is asked, and whom to reach if nobody answers.",
            "directory_groups": "A member of any of them may decide. Who is a member is asked at each decision.",
        }

    def clean_is_requesters_manager(self) -> bool | None:
        is_manager = self.cleaned_data["is_requesters_manager"] or None
        if self.instance.pk and "is_requesters_manager" in self.changed_data:
            # Whoever has decided as one of this group was asked as such.
            raise ValidationError("It cannot be changed: name another approver group in the stages.", "fixed")
        rows = ApproverGroup.objects.filter(is_requesters_manager=True).exclude(pk=self.instance.pk)
        if is_manager and (other := rows.first()):
            raise ValidationError(f"There is one already: “{other}”. Name that in stages.", "unique")
        return is_manager

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        groups, is_manager = cleaned.get("directory_groups"), cleaned.get("is_requesters_manager")
        if groups and is_manager:
            self.add_error("directory_groups", "Leave this empty: the manager is drawn from no group.")
        elif groups is not None and not groups and not is_manager and "is_requesters_manager" not in self.errors:
            self.add_error("directory_groups", "Name a directory group: nobody would be in it.")
        return cleaned
