"""Forms of on-call schedules: turns, who takes them, and covers; times are given as clocks show them there."""

import difflib
from datetime import timedelta
from itertools import pairwise
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError

from catalog.fields import Duration, LocalMoment, Name
from catalog.forms import CatalogForm
from catalog.models import OnCallCover, OnCallPerson, OnCallSchedule
from catalog.models.on_call import SHORTEST_TURN
from catalog.numbered_forms import NumberedFormset
from catalog.policy import spell
from catalog.zones import zones

LONGEST_TURN: Final = timedelta(days=56)
MOST_PEOPLE: Final = 50


class OnCallScheduleForm(CatalogForm):
    """A schedule."""

    class Meta:
        model = OnCallSchedule
        fields = ("name", "zone", "first_handover", "turn")
        field_classes: ClassVar = {"name": Name, "first_handover": LocalMoment, "turn": Duration}
        # The admin would take two fields for it, a day and a time.
        widgets: ClassVar = {"first_handover": LocalMoment.widget}
        help_texts: ClassVar = {
            "name": "As people read it: “on call by the schedule Payments on call”.",
            "zone": "Where turns are handed over at the same time of day, all year, such as Europe/Berlin.",
            "first_handover": "When the first person's first turn begins, by the clocks of that time zone.",
            "turn": f"From {spell(SHORTEST_TURN)} to {LONGEST_TURN.days} days, such as 7d or 12h.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "zone" in self.fields:
            given = str(self.data.get(self.add_prefix("zone"), "")).strip() if self.is_bound else self.instance.zone
            _set_zone(self, given)

    def clean_zone(self) -> str:
        zone = str(self.cleaned_data["zone"]).strip()
        if zone not in zones():
            near = difflib.get_close_matches(zone.title().replace(" ", "_"), zones(), n=1)
            raise ValidationError(f"There is no time zone “{zone}”.{f' Is it {near[0]}?' if near else ''}", "invalid")
        return zone

    def clean_turn(self) -> timedelta:
        turn: timedelta = self.cleaned_data["turn"]
        if not SHORTEST_TURN <= turn <= LONGEST_TURN:
            raise ValidationError(f"Give from {spell(SHORTEST_TURN)} to {LONGEST_TURN.days} days.", "invalid")
        return turn


class _OfSomebody(forms.ModelForm):  # type: ignore[type-arg]
    """What names a person: one who is there."""

    def clean_person(self) -> Any:
        person = self.cleaned_data["person"]
        # Whoever has left since stands there until somebody mends it; the catalog's problems say so.
        if "person" in self.changed_data and (person.is_local or not person.is_active):
            raise ValidationError(f"{person} is not in the directory any more; choose somebody else.", "invalid")
        return person


class OnCallPersonForm(_OfSomebody):
    """One of those who take turns."""

    class Meta:
        model = OnCallPerson
        fields = ("position", "person")

    def validate_constraints(self) -> None:
        """Left to the formset, which sees all: one by one, two that change places would collide."""


class OnCallCoverForm(_OfSomebody):
    """One cover."""

    class Meta:
        model = OnCallCover
        fields = ("person", "starts_at", "ends_at")
        field_classes: ClassVar = {"starts_at": LocalMoment, "ends_at": LocalMoment}
        widgets: ClassVar = {"starts_at": LocalMoment.widget, "ends_at": LocalMoment.widget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.schedule_id or getattr(self.instance, "schedule", None):
            _set_zone(self, self.instance.schedule.zone)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", "It must end after it begins.")
        return cleaned


class OnCallPeopleFormset(NumberedFormset):
    """All who take turns."""

    rows_are_called = "people"

    def clean(self) -> None:
        rows = self.kept()
        if not rows:
            raise ValidationError("Nobody would ever be on call. Add somebody who takes turns.", "empty")
        if len(rows) > MOST_PEOPLE:
            raise ValidationError(f"At most {MOST_PEOPLE} people take turns.", "too_many")
        self.number()


class OnCallCoversFormset(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """All covers: one at a time, for two would leave it open who is on call."""

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        # A new cover does not know its schedule yet when its form is made.
        _set_zone(form, self.instance.zone)

    def clean(self) -> None:
        rows = [form for form in self.forms if form.cleaned_data and form.cleaned_data.get("DELETE") is not True]
        timed = [form for form in rows if form.cleaned_data.get("starts_at") and form.cleaned_data.get("ends_at")]
        timed.sort(key=lambda form: form.cleaned_data["starts_at"])
        for before, form in pairwise(timed):
            if form.cleaned_data["starts_at"] < before.cleaned_data["ends_at"]:
                other = before.cleaned_data.get("person")
                form.add_error("starts_at", f"{other} covers at that time already; one begins when the other ends.")


def _set_zone(form: Any, zone: str) -> None:
    for field in form.fields.values():
        if isinstance(field, LocalMoment):
            field.zone = zone
