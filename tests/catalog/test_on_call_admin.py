"""An on-call schedule is kept in the admin: as clocks show it there, refused at its fields, recorded as one change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from auditlog.models import Event
from catalog import schedules
from catalog.models import OnCallCover, OnCallPerson, OnCallSchedule
from catalog.on_call import on_call
from jitportal.models import User
from tests.catalog.conftest import Fill, errors, person
from tests.conftest import Clock

ADD = "/admin/catalog/oncallschedule/add/"


@pytest.fixture
def ada(db: None) -> User:
    return person("Ada Lindqvist")


@pytest.fixture
def ben(db: None) -> User:
    return person("Ben Okafor")


@pytest.fixture
def sent(fill: Fill, ada: User, ben: User) -> dict[str, Any]:
    """Ada and Ben in weekly turns from a Monday in November; Ben covers a night of Ada's."""
    return fill(
        ADD,
        name="Payments on call",
        zone="Europe/Berlin",
        first_handover="2026-11-16T09:00",
        turn="7d",
        why="The rota of the team.",
        **{
            "people-TOTAL_FORMS": "2",
            "people-0-position": "1",
            "people-0-person": ada.pk,
            "people-1-position": "2",
            "people-1-person": ben.pk,
            "covers-TOTAL_FORMS": "1",
            "covers-0-person": ben.pk,
            "covers-0-starts_at": "2026-11-18T18:00",
            "covers-0-ends_at": "2026-11-19T08:00",
        },
    )


def test_a_schedule_is_made_with_its_people_and_covers(
    admin_client: Client, sent: dict[str, Any], ada: User, ben: User
) -> None:
    answer = admin_client.post(ADD, sent)
    assert answer.status_code == 302, errors(answer)
    row = OnCallSchedule.objects.get()
    assert row.first_handover == datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
    read = schedules.schedules([row.pk])[row.pk]
    asked = (datetime(2026, 11, 17, tzinfo=UTC), datetime(2026, 11, 18, 20, tzinfo=UTC))
    assert [on_call(read, at) for at in (*asked, datetime(2026, 11, 24, tzinfo=UTC))] == [ada.pk, ben.pk, ben.pk]


def test_it_is_one_change_with_its_versions_and_its_people_by_name(
    admin_client: Client, sent: dict[str, Any], ada: User
) -> None:
    admin_client.post(ADD, sent)
    event = Event.objects.get(action="catalog.created", subject_kind="on-call schedule")
    people = event.data["changes"]["people who take turns"][1]
    assert people[0] == f"1. Ada Lindqvist ({ada.object_id})"
    assert len(event.data["history"]) == 4
    assert event.data["why"] == "The rota of the team."


def test_a_new_cover_is_read_by_the_clocks_of_the_schedule(
    admin_client: Client, fill: Fill, sent: dict[str, Any], ada: User
) -> None:
    admin_client.post(ADD, sent)
    row = OnCallSchedule.objects.get()
    assert row.covers.get().starts_at == datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    second = {
        "covers-1-person": ada.pk,
        "covers-1-starts_at": "2026-07-01T18:00",
        "covers-1-ends_at": "2026-07-02T08:00",
    }
    page = f"/admin/catalog/oncallschedule/{row.pk}/change/"
    answer = admin_client.post(page, fill(page, **{"covers-TOTAL_FORMS": "2", **second}))
    assert answer.status_code == 302, errors(answer)
    assert row.covers.order_by("starts_at")[0].starts_at == datetime(2026, 7, 1, 16, 0, tzinfo=UTC)


def test_two_people_change_places(admin_client: Client, fill: Fill, sent: dict[str, Any], ben: User) -> None:
    admin_client.post(ADD, sent)
    page = f"/admin/catalog/oncallschedule/{OnCallSchedule.objects.get().pk}/change/"
    swapped = fill(page, **{"people-0-position": "2", "people-1-position": "1"})
    answer = admin_client.post(page, swapped)
    assert answer.status_code == 302, errors(answer)
    assert OnCallPerson.objects.get(position=1).person == ben


def test_somebody_without_a_number_takes_the_turn_after_the_others(
    admin_client: Client, sent: dict[str, Any], ada: User, ben: User
) -> None:
    answer = admin_client.post(ADD, {**sent, "people-0-position": "", "people-1-position": "1"})
    assert answer.status_code == 302, errors(answer)
    assert [row.person for row in OnCallPerson.objects.order_by("position")] == [ben, ada]


def test_a_form_sent_as_it_came_changes_nothing(admin_client: Client, fill: Fill, sent: dict[str, Any]) -> None:
    admin_client.post(ADD, sent)
    page = f"/admin/catalog/oncallschedule/{OnCallSchedule.objects.get().pk}/change/"
    before = Event.objects.count()
    assert admin_client.post(page, fill(page)).status_code == 302
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    ("field", "message", "given"),
    [
        ("name", "required", {"name": ""}),
        ("zone", "There is no time zone “Berlin”.", {"zone": "Berlin"}),
        ("zone", "Is it Europe/Berlin?", {"zone": "europe/berlin"}),
        ("zone", "There is no time zone", {"zone": "../../etc/passwd"}),
        ("turn", "Give from 1 hour to 56 days.", {"turn": "30m"}),
        ("turn", "Give from 1 hour to 56 days.", {"turn": "57d"}),
        ("turn", "Write a duration", {"turn": "weekly"}),
        ("first_handover", "", {"first_handover": "soon"}),
        ("first_handover", "between 2000 and 2100", {"first_handover": "9999-12-31T23:59"}),
        ("first_handover", "between 2000 and 2100", {"first_handover": "0001-01-01T00:00"}),
        ("covers-0-ends_at", "between 2000 and 2100", {"covers-0-ends_at": "9999-12-31T23:59"}),
        # Clocks in Berlin go from 2:00 to 3:00 on that day.
        ("first_handover", "may not exist", {"first_handover": "2026-03-29T02:30"}),
        ("people-1-position", "this would be 2", {"people-1-position": "3"}),
        ("people-1-position", "this would be 2", {"people-1-position": "1"}),
        ("people", "Nobody would ever be on call", {"people-TOTAL_FORMS": "0"}),
        ("people-0-person", "not one of the available choices", {"people-0-person": "0"}),
        ("covers-0-ends_at", "after it begins", {"covers-0-ends_at": "2026-11-18T18:00"}),
        ("covers-0-ends_at", "required", {"covers-0-ends_at": ""}),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    admin_client: Client, sent: dict[str, Any], field: str, message: str, given: dict[str, Any]
) -> None:
    said = errors(admin_client.post(ADD, {**sent, **given}))
    assert message in said[field][0]
    assert not OnCallSchedule.objects.exists()


def test_covers_at_the_same_time_are_refused(admin_client: Client, sent: dict[str, Any], ada: User) -> None:
    second = {
        "covers-TOTAL_FORMS": "2",
        "covers-1-person": ada.pk,
        "covers-1-starts_at": "2026-11-19T07:00",
        "covers-1-ends_at": "2026-11-19T12:00",
    }
    said = errors(admin_client.post(ADD, {**sent, **second}))
    assert "Ben Okafor covers at that time already" in said["covers-1-starts_at"][0]
    following = {**sent, **second, "covers-1-starts_at": "2026-11-19T08:00"}
    assert admin_client.post(ADD, following).status_code == 302


def test_who_has_left_is_not_chosen_and_stays_only_until_it_is_mended(
    admin_client: Client, fill: Fill, sent: dict[str, Any], ben: User
) -> None:
    User.objects.filter(pk=ben.pk).update(is_active=False)
    said = errors(admin_client.post(ADD, sent))
    assert "not in the directory any more" in said["people-1-person"][0]
    User.objects.filter(pk=ben.pk).update(is_active=True)
    admin_client.post(ADD, sent)
    User.objects.filter(pk=ben.pk).update(is_active=False)
    page = f"/admin/catalog/oncallschedule/{OnCallSchedule.objects.get().pk}/change/"
    assert admin_client.post(page, fill(page, turn="14d")).status_code == 302
    assert OnCallSchedule.objects.get().turn == timedelta(days=14)


def test_the_page_and_the_list_say_who_is_on_call_and_who_is_next(
    admin_client: Client, sent: dict[str, Any], moment: Clock, ben: User
) -> None:
    admin_client.post(ADD, sent)
    moment.forward(datetime(2026, 11, 20, 12, 0, tzinfo=UTC) - moment.time)
    said = "Ada Lindqvist until 2026-11-23 09:00, then Ben Okafor (Europe/Berlin)"
    page = reverse("admin:catalog_oncallschedule_change", args=[OnCallSchedule.objects.get().pk])
    assert f"On call now: {said}." in admin_client.get(page).content.decode()
    listed = reverse("admin:catalog_oncallschedule_changelist")
    assert said in admin_client.get(listed).content.decode()
    User.objects.filter(pk=ben.pk).update(is_active=False)
    then = "Ada Lindqvist until 2026-11-23 09:00, then nobody (Ben Okafor has left) (Europe/Berlin)"
    assert then in admin_client.get(listed).text


def test_a_schedule_is_deleted_with_its_parts_and_the_page_names_them(
    admin_client: Client, sent: dict[str, Any]
) -> None:
    admin_client.post(ADD, sent)
    page = f"/admin/catalog/oncallschedule/{OnCallSchedule.objects.get().pk}/delete/"
    assert "1. Ada Lindqvist" in admin_client.get(page).content.decode()
    assert admin_client.post(page, {"post": "yes", "why": "Another rota."}).status_code == 302
    assert [model.objects.count() for model in (OnCallSchedule, OnCallPerson, OnCallCover)] == [0, 0, 0]
    event = Event.objects.get(action="catalog.deleted", subject_kind="on-call schedule")
    assert len(event.data["history"]) == 4
