"""Form fields in which an admin writes as people do: names, durations, one value a line."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalog import account_tags, app_roles, durations, names, tickets
from catalog.zones import zones

_LONGEST_VALUE = 200
_EARLIEST_YEAR = 2000
_LATEST_YEAR = 2100


class Name(forms.CharField):
    """A name, tidied as `names.tidy` says."""

    def to_python(self, value: Any) -> str:
        return str(_or_error(names.tidy, super().to_python(value)))


class Line(forms.CharField):
    """A text of one line, kept as it is written, that hides nothing from its reader."""

    def to_python(self, value: Any) -> str:
        return str(_or_error(names.refuse_unseen, super().to_python(value)))


class Prose(forms.CharField):
    """A text of several lines that hides nothing from its reader."""

    def to_python(self, value: Any) -> str:
        return str(_or_error(names.refuse_control, super().to_python(value)))


class Duration(forms.DurationField):
    """A duration written as "1h 30m"."""

    widget = forms.TextInput(attrs={"class": "vDuration", "size": "12"})

    def prepare_value(self, value: Any) -> Any:
        return durations.written(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> timedelta | None:
        if value in self.empty_values or isinstance(value, timedelta):
            return value or None
        try:
            return durations.parse(str(value))
        except ValueError as error:
            raise ValidationError(str(error), "invalid") from None


class LocalMoment(forms.DateTimeField):
    """A moment as `datetime-local` sends it, in the zone that `zone` names; in UTC while that is not known."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    zone = "UTC"

    def prepare_value(self, value: Any) -> Any:
        with timezone.override(self._zone()):
            return super().prepare_value(value)

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(self._zone()):
            moment = super().to_python(value)
        # Beyond, years have no place for the time zones on either side of them.
        if moment and not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
            raise ValidationError(f"Give a day between {_EARLIEST_YEAR} and {_LATEST_YEAR}.", "invalid")
        return moment.astimezone(UTC) if moment else None

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone if self.zone in zones() else "UTC")


class YesNoOr(forms.NullBooleanSelect):
    """Yes, no, or what holds if neither is said, in these words."""

    def __init__(self, otherwise: str) -> None:
        super().__init__()
        self.choices = [("unknown", otherwise), ("true", "Yes"), ("false", "No")]


class Lines(forms.CharField):
    """A list of texts, one a line, each once; spaces around a line and empty lines mean nothing."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(line) for line in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        text = _or_error(names.refuse_control, super().to_python(value))
        lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
        if too_long := next((line for line in lines if len(line) > _LONGEST_VALUE), None):
            raise ValidationError(f"“{too_long[:20]}…” is longer than {_LONGEST_VALUE} characters.", "invalid")
        return lines

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != (initial or [])
        except ValidationError:
            return True


class AccountTags(Lines):
    """Tags of accounts, `key=value`, one a line; none of them is null."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{key}={each}" for key, each in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> dict[str, str] | None:  # type: ignore[override]
        return _or_error(account_tags.parse, super().to_python(value)) or None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != (initial or None)
        except ValidationError:
            return True


class TicketPattern(Line):
    """A regular expression that every ticket can be held against in next to no time."""

    def clean(self, value: Any) -> str:
        pattern: str = super().clean(value)
        if why_not := tickets.refusal(pattern):
            raise ValidationError(why_not, "invalid")
        return pattern


class Identifier(forms.CharField):
    """An identifier as it is pasted: in whatever case, with spaces around it, and marks that mean nothing."""

    meaningless = ""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value)).strip()
        return text.translate({ord(mark): None for mark in self.meaningless})


class ObjectId(Identifier):
    """Entra's object id, a GUID, with or without braces; or an app role, whose value is taken as it is written."""

    meaningless = "{}"

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return text if text.lower().startswith(app_roles.PREFIX) else text.lower()


class AccountId(Identifier):
    """An AWS account id, with or without the hyphens that the console shows."""

    meaningless = "- "


def _or_error(tidied: Any, text: Any) -> Any:
    try:
        return tidied(text)
    except ValueError as error:
        raise ValidationError(str(error), "invalid") from None
