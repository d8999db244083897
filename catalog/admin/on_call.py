"""On-call schedules in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from auditlog import clock
from catalog import on_call_forms, schedules
from catalog.admin.base import CatalogAdmin, PartsInline
from catalog.membership import Now
from catalog.models import OnCallCover, OnCallPerson, OnCallSchedule
from catalog.policy import spell


class OnCallPersonInline(PartsInline):
    """Those who take turns, in the form of their schedule."""

    model = OnCallPerson
    form = on_call_forms.OnCallPersonForm
    formset = on_call_forms.OnCallPeopleFormset
    fields = ("position", "person")
    autocomplete_fields = ("person",)
    verbose_name = "person"
    verbose_name_plural = "People, who take turns in this order"


class OnCallCoverInline(PartsInline):
    """Covers, in the form of their schedule."""

    model = OnCallCover
    form = on_call_forms.OnCallCoverForm
    formset = on_call_forms.OnCallCoversFormset
    fields = ("person", "starts_at", "ends_at")
    autocomplete_fields = ("person",)
    verbose_name = "cover"
    verbose_name_plural = "Covers: on call instead of whoever has the turn, by the clocks of the time zone above"


@admin.register(OnCallSchedule)
class OnCallScheduleAdmin(CatalogAdmin):
    """On-call schedules, by which policies approve at once what those ask for who are on call."""

    form = on_call_forms.OnCallScheduleForm
    inlines = (OnCallPersonInline, OnCallCoverInline)
    main_fields = ("name", "zone", "first_handover", "turn")
    list_display = ("name", "on_call_now", "how_long", "zone")
    search_fields = ("name", "zone")
    search_help_text = "Name or time zone"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        schedule = kwargs.get("obj")
        context["told"] = f"On call now: {self.on_call_now(schedule)}." if schedule else ""
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="on call now")
    def on_call_now(self, schedule: OnCallSchedule) -> str:
        read = schedules.schedules([schedule.pk])
        return schedules.told(read[schedule.pk], clock.now(), Now()) if read else ""

    @admin.display(description="turns of", ordering="turn")
    def how_long(self, schedule: OnCallSchedule) -> str:
        return spell(schedule.turn)
