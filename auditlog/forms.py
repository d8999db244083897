"""The filters of the audit page and of exports."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from auditlog.actions import Action
from auditlog.chain import canonical
from auditlog.models import Event

_MOMENTS: Final = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
_LAST_NUMBER: Final = 2**63 - 1
_MOST_WORDS: Final = 10
_MOST_CHARACTERS: Final = 200
_SHORT_ID: Final = re.compile(r"[0-9a-f]{8}")


class MomentField(forms.Field):
    """A moment in UTC, given as a day or as a day and a time; `at_end` takes a day or a minute to its end."""

    def __init__(self, *, at_end: bool, **options: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"type": "datetime-local", "step": "1"}), **options)
        self.at_end = at_end

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return self._moment(text)
        except (ValueError, OverflowError):
            raise ValidationError(
                "Give a day, such as 2026-11-20, or a day and a time, such as 2026-11-20T09:05."
            ) from None

    def prepare_value(self, value: Any) -> Any:
        """What the box holds again: the exact moment, or the very text when it cannot be read."""
        try:
            moment = self._moment(str(value or "").strip())
        except (ValueError, OverflowError):
            # A date picker would show text that it cannot read as nothing at all.
            if value:
                self.widget.input_type = "text"
            return value
        shown = moment - timedelta(seconds=1) if self.at_end else moment
        return shown.replace(tzinfo=None).isoformat(timespec="seconds")

    def _moment(self, text: str) -> datetime:
        moment, length = _parsed(text)
        return moment + length if self.at_end else moment


class SearchField(forms.CharField):
    """A few words to look for; what no record can be asked for quickly, or holds, is refused here."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=_MOST_CHARACTERS, **options)

    def validate(self, value: Any) -> None:
        super().validate(value)
        for character in value:
            if character != "\0" and unicodedata.category(character) == "Cc":
                raise ValidationError(f"There is a control character (U+{ord(character):04X}) in it; type it afresh.")
        if (words := len(value.split())) > _MOST_WORDS:
            raise ValidationError(f"Give at most {_MOST_WORDS} words; these are {words}.")


class EventFilter(forms.Form):
    """Which events to show; every field may be left empty. Times are UTC."""

    actor = SearchField(label="Who", help_text="A name or an object id.")
    action = forms.ChoiceField(
        label="What happened",
        required=False,
        choices=[("", "Anything"), *((action.value, action.value) for action in Action)],
        error_messages={"invalid_choice": "%(value)s is not something that the ledger records."},
    )
    subject = SearchField(
        label="About", help_text="The id of a request (its first eight characters will do), a person, an assignment."
    )
    text = SearchField(label="Containing")
    before = forms.IntegerField(required=False, min_value=1, max_value=_LAST_NUMBER, widget=forms.HiddenInput)
    after = forms.IntegerField(required=False, min_value=0, max_value=_LAST_NUMBER, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # `from` cannot be the name of an attribute.
        self.fields["from"] = MomentField(label="From (UTC)", required=False, at_end=False)
        self.fields["to"] = MomentField(label="To (UTC)", required=False, at_end=True)
        self.order_fields(["from", "to", "actor", "action", "subject", "text"])

    def clean(self) -> dict[str, Any]:
        """A span that ends before it begins is told apart from one in which nothing happened."""
        begin, end = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if begin and end and end <= begin:
            self.add_error("to", "This is before the beginning.")
        return self.cleaned_data

    def used(self) -> dict[str, str]:
        """The filters that are set, as text, by name; without the place in the list."""
        shown = {name: self.cleaned_data.get(name) for name in ("from", "to", "actor", "action", "subject", "text")}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in shown.items() if value
        }

    def matching(self) -> QuerySet[Event]:
        """The events that every filter lets through, in no order yet."""
        wanted, events = self.cleaned_data, Event.objects.all()
        if wanted["from"]:
            events = events.filter(at__gte=wanted["from"])
        if wanted["to"]:
            events = events.filter(at__lt=wanted["to"])
        if actor := wanted["actor"]:
            events = events.filter(Q(actor__in=(actor, f"person:{actor}")) | Q(actor_name__icontains=actor))
        if wanted["action"]:
            events = events.filter(action=wanted["action"])
        if subject := wanted["subject"]:
            kind, _, subject_id = subject.rpartition(":")
            events = events.filter(_about(subject_id), **({"subject_kind": kind} if kind else {}))
        if text := wanted["text"]:
            # The record escapes what is not ASCII, so what is looked for must be escaped too.
            events = events.filter(Q(canonical__icontains=canonical(text)[1:-1]) | Q(actor_name__icontains=text))
        return events


def _about(subject_id: str) -> Q:
    """The subject of this id, or those whose id begins with these characters, as pages show the ids of requests."""
    if not _SHORT_ID.fullmatch(subject_id):
        return Q(subject_id=subject_id)
    # As a span, which the index finds on any database.
    first, last = (f"{subject_id}-{end * 4}-{end * 4}-{end * 4}-{end * 12}" for end in "0f")
    return Q(subject_id=subject_id) | Q(subject_id__gte=first, subject_id__lte=last)


def _parsed(text: str) -> tuple[datetime, timedelta]:
    """The moment that the text begins at, and how long what it names lasts."""
    if len(text) == len("2026-11-20"):
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC), timedelta(days=1)
    for form in _MOMENTS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return moment, timedelta(seconds=1 if form.endswith("%S") else 60)
    raise ValueError(text)
