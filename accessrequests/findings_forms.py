"""What an admin sends about a finding; forms check the shape, `findings` says whether it is allowed."""

from datetime import UTC, datetime, time
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalog.fields import Name, Prose

LONGEST_TEXT: Final = 2000
LONGEST_OWNER: Final = 200


class MomentField(forms.DateTimeField):
    """A moment as `datetime-local` sends it, in UTC."""

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            moment: datetime | None = super().to_python(value)
        return moment


class DayField(forms.DateField):
    """A day as `date` sends it: the moment at which it begins, in UTC."""

    def clean(self, value: Any) -> datetime:
        day = super().clean(value)
        if day.year < 1000:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return datetime.combine(day, time.min, tzinfo=UTC)


class _SettlingForm(forms.Form):
    """What all three share."""

    reason = Prose(
        max_length=LONGEST_TEXT,
        error_messages={
            "required": "Say why; it is recorded.",
            "max_length": f"Say it in at most {LONGEST_TEXT} characters.",
        },
    )


class AdoptionForm(_SettlingForm):
    """Until when it stays."""

    until = MomentField(
        error_messages={
            "required": "Say when it is to end.",
            "invalid": "Give the day and the time, such as 2026-11-20 14:30.",
        }
    )


class RemovalForm(_SettlingForm):
    """Now."""


class AcceptanceForm(_SettlingForm):
    """Who answers for it, and when to look again."""

    owner = Name(
        max_length=LONGEST_OWNER,
        error_messages={
            "required": "Say who answers for it.",
            "max_length": f"Say it in at most {LONGEST_OWNER} characters.",
        },
    )
    review_at = DayField(
        error_messages={"required": "Say when to look at it again.", "invalid": "Give a day, such as 2026-11-20."}
    )
