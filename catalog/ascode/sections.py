"""The sections of a catalog file: which model each holds, and that its keys are the fields of the model's admin form.

So whatever the admin can set, a file can, too, and what the forms refuse is refused in a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django import forms

from catalog.fields import Lines
from catalog.forms import AccountRuleForm, ApproverGroupForm, DirectoryGroupForm, EnvironmentForm, RoleForm
from catalog.models import (
    AccessPolicy,
    AccountRule,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    OnCallCover,
    OnCallPerson,
    OnCallSchedule,
    Role,
)
from catalog.on_call_forms import (
    OnCallCoverForm,
    OnCallCoversFormset,
    OnCallPeopleFormset,
    OnCallPersonForm,
    OnCallScheduleForm,
)
from catalog.policy_forms import AccessPolicyForm, ApprovalStageForm, ApprovalStageFormset

VERSION: Final = "1"
# What a form asks of whoever fills it in, and what is not of the object itself.
_NOT_OF_THE_OBJECT: Final = frozenset({"why", "seen"})
# Where the word that a file uses is not the name of the column.
_WORDS: Final[Mapping[str, str]] = {
    "is_in_force": "in_force",
    "is_offered": "offered",
    "is_requesters_manager": "requesters_manager",
    "ou_path": "organisational_unit",
    "starts_at": "from",
    "ends_at": "until",
    "zone": "time_zone",
    "tag_key": "tag",
    "tag_value": "value",
}


@dataclass(frozen=True)
class Parts:
    """Rows that belong to one object and go with it; `position` is the column that their order in the file fills."""

    key: str
    kind: str
    model: Any
    form: Any
    formset: Any = forms.BaseInlineFormSet
    position: str = ""

    @property
    def fields(self) -> Mapping[str, str]:
        """The form's fields by their keys in a file."""
        return {key: name for key, name in _fields(self.form).items() if name != self.position}


@dataclass(frozen=True)
class Section:
    """One section: a table of objects of one model by their names."""

    key: str
    model: Any
    form: Any
    parts: tuple[Parts, ...] = ()
    # Keys that are neither a field nor parts.
    more: tuple[str, ...] = ("renamed_from",)

    @property
    def kind(self) -> str:
        """What one of them is called."""
        return str(self.model._meta.verbose_name)

    @property
    def fields(self) -> Mapping[str, str]:
        """The form's fields by their keys in a file; the name is the key of the object itself."""
        return {key: name for key, name in _fields(self.form).items() if name != "name"}

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that an object of this section may have."""
        return (*self.fields, *(part.key for part in self.parts), *self.more)


DIRECTORY_GROUPS: Final = Section("directory_groups", DirectoryGroup, DirectoryGroupForm, more=("name",))
ROLES: Final = Section("roles", Role, RoleForm)
ENVIRONMENTS: Final = Section(
    "environments",
    Environment,
    EnvironmentForm,
    (Parts("account_rules", "rule", AccountRule, AccountRuleForm),),
    ("accounts", "renamed_from"),
)
APPROVER_GROUPS: Final = Section("approver_groups", ApproverGroup, ApproverGroupForm)
ON_CALL_SCHEDULES: Final = Section(
    "on_call_schedules",
    OnCallSchedule,
    OnCallScheduleForm,
    (
        Parts("people", "person", OnCallPerson, OnCallPersonForm, OnCallPeopleFormset, "position"),
        Parts("covers", "cover", OnCallCover, OnCallCoverForm, OnCallCoversFormset),
    ),
)
POLICIES: Final = Section(
    "policies",
    AccessPolicy,
    AccessPolicyForm,
    (Parts("stages", "stage", ApprovalStage, ApprovalStageForm, ApprovalStageFormset, "position"),),
)
# In this order: each refers to those before it alone.
SECTIONS: Final = (DIRECTORY_GROUPS, ROLES, ENVIRONMENTS, APPROVER_GROUPS, ON_CALL_SCHEDULES, POLICIES)
# Accounts that no rule may put anywhere, and that are in no environment.
KEPT_OUT: Final = "accounts_kept_out"


@cache
def _fields(form: Any) -> Mapping[str, str]:
    names = [name for name in form.base_fields if name not in _NOT_OF_THE_OBJECT]
    return {_WORDS.get(name, name): name for name in names}


def word_of(name: str) -> str:
    """The key in a file of a column."""
    return _WORDS.get(name, name)


@cache
def blank(form: Any) -> Any:
    """The form as it stands empty before somebody who adds one: it has every default."""
    return form(instance=form._meta.model())


def is_list(field: forms.Field) -> bool:
    """Whether a file gives a list where the form has this field."""
    return isinstance(field, forms.ModelMultipleChoiceField | Lines)
