"""What may be asked about the catalog: who can ask for something, why somebody can (not), what a group could reach."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q

from auditlog import clock
from auditlog.models import Event
from catalog import app_roles
from catalog.models import DirectoryGroup, Environment, Role

_NAMED: Final = 8
_LONGEST: Final = 320


class AtField(forms.DateTimeField):
    """A moment that has passed, in UTC; empty is now."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment and moment > clock.now():
            raise ValidationError("That time has not come yet: give one that has passed, or none for now.", "future")
        first = Event.objects.order_by("number").values_list("at", flat=True).first()
        if moment and (first is None or moment < first):
            since = f" It begins on {first:%d %B %Y, %H:%M} UTC." if first else ""
            raise ValidationError(f"The record does not go back to that time.{since}", "past")
        return moment


class OneOf(forms.CharField):
    """The one row that a text means; several or none is an error that says which there are."""

    kind = ""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        exact = list(self.rows(text, exactly=True)[:2])
        if len(exact) == 1:
            return exact[0]
        found = list(self.rows(text, exactly=False)[: _NAMED + 1])
        if len(found) == 1:
            return found[0]
        if not found:
            raise ValidationError(f"There is no {self.kind} “%(text)s” here.", "unknown", {"text": text[:80]})
        shown = "; ".join(self.described(row) for row in found[:_NAMED])
        more = " and more" if len(found) > _NAMED else ""
        raise ValidationError(f"Which one: {shown}{more}?", "ambiguous")

    def rows(self, text: str, *, exactly: bool) -> Any:
        """Those whom the text may mean."""
        raise NotImplementedError

    def described(self, row: Any) -> str:
        """The row by its name and by what is its own."""
        raise NotImplementedError


class PersonField(OneOf):
    """A person by user name, object id, or a part of their name."""

    kind = "person"

    def rows(self, text: str, *, exactly: bool) -> Any:
        own = Q(user_name__iexact=text) | Q(object_id=text.lower())
        found = own if exactly else Q(name__icontains=text)
        return get_user_model().objects.filter(found).order_by("name", "pk")

    def described(self, row: Any) -> str:
        return f"{row.name} ({row.user_name})"


class GroupField(OneOf):
    """A directory group by object id, or a part of its name."""

    kind = "directory group"

    def rows(self, text: str, *, exactly: bool) -> Any:
        # Object ids are written in small letters here; the value of an app role is written as Entra has it.
        object_id = text if app_roles.among([text]) else text.lower()
        own = Q(object_id=object_id) | Q(name__iexact=text)
        return DirectoryGroup.objects.filter(own if exactly else Q(name__icontains=text)).order_by("name", "pk")

    def described(self, row: DirectoryGroup) -> str:
        return f"{row.name} ({row.object_id})"


def _role(required: bool) -> Any:
    rows = Role.objects.order_by("name")
    unknown = {"required": "Choose a role.", "invalid_choice": "There is no such role."}
    return forms.ModelChoiceField(
        rows, to_field_name="slug", required=required, empty_label="Choose one", error_messages=unknown
    )


def _environment(required: bool) -> Any:
    rows = Environment.objects.order_by("sensitivity", "name")
    unknown = {"required": "Choose an environment.", "invalid_choice": "There is no such environment."}
    return forms.ModelChoiceField(
        rows, to_field_name="slug", required=required, empty_label="Choose one", error_messages=unknown
    )


class Question(forms.Form):
    """What all questions share."""

    at = AtField(
        required=False,
        label="As of (UTC; empty: now)",
        error_messages={"invalid": "Give the day and the time, such as 2026-11-20 14:30."},
    )

    field_order = ("person", "group", "role", "environment", "at")


class WhoForm(Question):
    """Who can ask for a role in an environment?"""

    role = _role(required=True)
    environment = _environment(required=True)


class MyForm(Question):
    """Why can I (not) have a role in an environment, or: what can I ask for at all?"""

    role = _role(required=False)
    environment = _environment(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        one, other = cleaned.get("role"), cleaned.get("environment")
        if not self.errors and (one is None) != (other is None):
            missing = "environment" if other is None else "role"
            self.add_error(missing, f"Choose the {missing}, too, or neither of the two for everything.")
        return cleaned


class WhyForm(MyForm):
    """The same of anybody."""

    person = PersonField(max_length=_LONGEST, label="Person, by any part of the name")


class ReachForm(Question):
    """What could a group reach?"""

    group = GroupField(max_length=_LONGEST, label="Directory group, by any part of the name")
