"""A policy may approve at once what somebody asks who is on call, by a schedule or by a group of the directory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from catalog import problems, wording
from catalog.automatic import When
from catalog.models import AccessPolicy, DirectoryGroup, OnCallCover, OnCallPerson, OnCallSchedule
from catalog.on_call import OnCall, Schedule
from jitportal.models import User
from jitportal.people import groups_in_use
from tests.catalog.conftest import Catalog, Fill, errors, person, signed_in
from tests.catalog.judging import ASK, NOW, PAYMENTS, ask, judge, policy
from tests.catalog.judging import person as somebody
from tests.catalog.test_explain import said
from tests.conftest import Clock

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
# NOW is in the first turn, which is that of the person who asks.
ROTA = Schedule(4, "Payments on call", "UTC", NOW - timedelta(days=1), WEEK, (1, 2))
OVER = NOW + timedelta(days=6)
BY_ROTA = policy(automatic=When(on_call=OnCall(ROTA.name, schedule=ROTA)))
BY_GROUP = policy(automatic=When(on_call=OnCall("Rota", group_id="rota")))


def test_whoever_has_the_turn_is_approved_at_once_and_others_are_not() -> None:
    assert judge(BY_ROTA).at_once
    assert not judge(BY_ROTA, by=somebody(user_id=2)).at_once
    assert not judge(BY_ROTA, now=NOW + WEEK).at_once
    assert judge(BY_ROTA, by=somebody(user_id=2), now=NOW + WEEK).at_once


def test_the_members_of_the_group_are_approved_at_once_and_others_are_not() -> None:
    assert judge(BY_GROUP, by=somebody(groups=frozenset({PAYMENTS, "rota"}))).at_once
    judgement = judge(BY_GROUP)
    assert judgement.verdict
    assert [stage.approver_group for stage in judgement.stages] == ["Leads", "Security"]


def test_who_is_on_call_does_not_get_more_than_the_terms_allow() -> None:
    judgement = judge(BY_ROTA, of=ask(duration=9 * HOUR, ticket="none"))
    assert {refusal.field for refusal in judgement.refusals} == {"duration", "ticket"}


def test_who_has_left_gets_nothing_whoever_has_the_turn() -> None:
    assert not judge(BY_ROTA, by=somebody(is_active=False)).verdict


def test_a_limit_holds_on_call_too() -> None:
    both = policy(automatic=When(up_to=HOUR, on_call=OnCall(ROTA.name, schedule=ROTA)))
    assert judge(both, of=ask(duration=HOUR)).at_once
    beyond = judge(both, of=ask(duration=2 * HOUR))
    assert not beyond.at_once
    assert beyond.outcome is not None
    assert wording.why(beyond.outcome) == "longer than 1 hour"
    short_but_off_duty = judge(both, of=ask(duration=HOUR), by=somebody(user_id=2)).outcome
    assert short_but_off_duty is not None
    assert wording.why(short_but_off_duty) == "not on call by the schedule Payments on call"


def test_access_that_begins_later_is_approved_at_once_only_if_the_turn_is_theirs_then_too() -> None:
    tomorrow, next_week = ask(start=NOW + timedelta(days=1)), ask(start=NOW + WEEK)
    assert judge(BY_ROTA, of=tomorrow).at_once
    assert not judge(BY_ROTA, of=next_week).at_once
    # Nor does it help to have the turn only then.
    assert not judge(BY_ROTA, of=next_week, by=somebody(user_id=2)).at_once


def test_a_group_says_nothing_of_who_will_be_on_call() -> None:
    member = somebody(groups=frozenset({PAYMENTS, "rota"}))
    assert not judge(BY_GROUP, of=ask(start=NOW + HOUR), by=member).at_once
    assert judge(BY_GROUP, of=ask(start=NOW - timedelta(minutes=1)), by=member).at_once


def test_an_ask_that_was_made_before_counts_by_what_said_that_they_were_on_call_then() -> None:
    kept = replace(ASK, made_at=NOW, on_call_by=frozenset({"schedule:4"}))
    assert judge(BY_ROTA, of=kept, now=NOW + HOUR).at_once
    assert not judge(BY_ROTA, of=replace(kept, on_call_by=frozenset({"schedule:5", "group:rota"})), now=NOW).at_once
    assert not judge(BY_ROTA, of=replace(kept, on_call_by=frozenset()), now=NOW).at_once
    # And it has to be their turn still when it begins.
    assert judge(BY_ROTA, of=replace(kept, begins=NOW + HOUR), now=NOW + HOUR).at_once
    assert not judge(BY_ROTA, of=replace(kept, begins=NOW + WEEK), now=NOW + WEEK).at_once


@pytest.mark.parametrize(
    ("begins", "now", "at_once"),
    [
        (None, OVER - HOUR, True),
        (None, OVER + HOUR, False),
        (OVER - HOUR, OVER, True),
        (OVER - HOUR, OVER + HOUR, False),
    ],
)
def test_a_start_that_was_kept_waiting_for_more_than_an_hour_takes_who_is_on_call_by_then(
    begins: datetime | None, now: datetime, at_once: bool
) -> None:
    kept = replace(ASK, made_at=NOW, begins=begins, on_call_by=frozenset({"schedule:4"}))
    assert judge(BY_ROTA, of=kept, now=now).at_once is at_once


def test_of_several_policies_all_must_approve_and_the_strictest_is_named() -> None:
    short = policy(id=2, name="Short", version=3, automatic=When(up_to=HOUR))
    outcome = judge(short, BY_ROTA, of=ask(duration=HOUR)).outcome
    assert outcome is not None
    assert (outcome.at_once, outcome.rule) == (True, "Payments support")
    assert wording.why(outcome) == "on call by the schedule Payments on call, within 1 hour"
    longer = judge(short, BY_ROTA, of=ask(duration=2 * HOUR)).outcome
    assert longer is not None
    assert (longer.at_once, longer.rule, longer.version) == (False, "Short", 3)


def test_where_it_cannot_be_worked_out_people_decide() -> None:
    naive = replace(ROTA, first_handover=datetime(2026, 11, 1))  # noqa: DTZ001 - it is what is wrong
    judgement = judge(policy(automatic=When(on_call=OnCall(ROTA.name, schedule=naive))))
    assert judgement.verdict
    assert not judgement.at_once
    assert judgement.stages


def test_before_the_ask_both_ways_are_told() -> None:
    terms = judge(policy(automatic=When(up_to=4 * HOUR, on_call=OnCall("Rota", group_id="rota")))).terms
    assert terms is not None
    told = "At once up to 4 hours while on call in the group Rota; else 1 of Leads, then 1 of Security"
    assert wording.deciders(terms) == told


# In the admin.


@pytest.fixture
def erin(catalog: Catalog) -> User:
    return person("Erin Engineer", catalog.group.object_id)


@pytest.fixture
def rota(erin: User) -> OnCallSchedule:
    """A schedule of Erin, and of Olaf who asks for nothing; the first turn began a day ago."""
    row = OnCallSchedule.objects.create(
        name="Payments on call", zone="UTC", first_handover=datetime.now(UTC) - timedelta(days=1)
    )
    OnCallPerson.objects.create(schedule=row, position=1, person=erin)
    OnCallPerson.objects.create(schedule=row, position=2, person=person("Olaf"))
    return row


def by_rota(row: OnCallSchedule) -> None:
    AccessPolicy.objects.update(automatic_approval="on_call", on_call_schedule=row)


def test_the_choice_is_kept_with_its_schedule_and_listed(
    admin_client: Client, fill: Fill, catalog: Catalog, rota: OnCallSchedule
) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    answer = admin_client.post(page, fill(page, automatic_approval="on_call", on_call_schedule=rota.pk))
    assert answer.status_code == 302, errors(answer)
    assert AccessPolicy.objects.get(pk=catalog.policy.pk).on_call_schedule == rota
    listed = admin_client.get("/admin/catalog/accesspolicy/").content.decode()
    assert "at once while on call (Payments on call); else 1 of Payments leads" in listed


@pytest.mark.parametrize(
    ("field", "message", "given"),
    [
        ("on_call_schedule", "Say by which schedule", {"automatic_approval": "on_call"}),
        ("on_call_group", "keep one", {"automatic_approval": "on_call", "on_call_schedule": 1, "on_call_group": 1}),
        ("on_call_schedule", "leave this empty", {"on_call_schedule": 1}),
        ("on_call_group", "leave this empty", {"automatic_approval": "always", "on_call_group": 1}),
        (
            "automatic_up_to",
            "this limits nothing",
            {"automatic_approval": "on_call", "on_call_schedule": 1, "automatic_up_to": "8h"},
        ),
        (
            "stages",
            "Nobody would decide",
            {"automatic_approval": "on_call", "on_call_schedule": 1, "stages-0-DELETE": "on"},
        ),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    admin_client: Client,
    fill: Fill,
    catalog: Catalog,
    rota: OnCallSchedule,
    field: str,
    message: str,
    given: dict[str, Any],
) -> None:
    keys = {"on_call_schedule": rota.pk, "on_call_group": catalog.group.pk}
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    told = errors(admin_client.post(page, fill(page, **{**given, **{key: keys[key] for key in given if key in keys}})))
    assert message in told[field][0]
    assert set(told) == {field}


@pytest.mark.parametrize("choice", ["never", "always", "on_call"])
def test_the_database_keeps_the_choice_and_what_it_names_together(
    catalog: Catalog, rota: OnCallSchedule, choice: str
) -> None:
    both = {"on_call_schedule": rota, "on_call_group": catalog.group}
    wrong = both if choice == "on_call" else {"on_call_schedule": rota}
    for named in (wrong, {} if choice == "on_call" else {"on_call_group": catalog.group}):
        with pytest.raises(IntegrityError), transaction.atomic():
            AccessPolicy.objects.filter(pk=catalog.policy.pk).update(automatic_approval=choice, **named)


def test_a_schedule_or_group_that_a_policy_names_is_not_deleted(
    admin_client: Client, catalog: Catalog, rota: OnCallSchedule
) -> None:
    by_rota(rota)
    admin_client.post(f"/admin/catalog/oncallschedule/{rota.pk}/delete/", {"post": "yes"})
    assert OnCallSchedule.objects.filter(pk=rota.pk).exists()


def test_an_on_call_group_is_one_of_those_that_are_looked_up(catalog: Catalog) -> None:
    group = DirectoryGroup.objects.create(object_id="d0000000-0000-4000-8000-00000000000a", name="Rota")
    assert group.object_id not in groups_in_use()
    AccessPolicy.objects.update(automatic_approval="on_call", on_call_group=group)
    assert group.object_id in groups_in_use()


# What is amiss.


def found(catalog: Catalog) -> dict[str, str]:
    return {each.id: each.text for each in problems.found(catalog.policy.pk) if each.id > "catalog.W040"}


def test_a_sound_schedule_is_no_problem(catalog: Catalog, rota: OnCallSchedule) -> None:
    by_rota(rota)
    assert found(catalog) == {}


def test_a_schedule_without_people_is_one(catalog: Catalog, rota: OnCallSchedule) -> None:
    by_rota(rota)
    rota.people.all().delete()
    assert "Nobody takes turns" in found(catalog)["catalog.W041"]
    assert {each.kind for each in problems.found() if each.id == "catalog.W041"} == {"oncallschedule"}


def test_somebody_who_left_and_still_takes_turns_is_one(catalog: Catalog, rota: OnCallSchedule) -> None:
    by_rota(rota)
    User.objects.filter(name="Olaf").update(is_active=False)
    assert "Olaf has left and still takes turns" in found(catalog)["catalog.W042"]


def test_a_cover_of_somebody_who_left_is_one_until_it_is_over(catalog: Catalog, rota: OnCallSchedule) -> None:
    by_rota(rota)
    gone = person("Gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    now = datetime.now(UTC)
    OnCallCover.objects.create(schedule=rota, person=gone, starts_at=now - 2 * HOUR, ends_at=now - HOUR)
    assert found(catalog) == {}
    OnCallCover.objects.create(schedule=rota, person=gone, starts_at=now - HOUR, ends_at=now + HOUR)
    assert "Gone has left and still has a cover" in found(catalog)["catalog.W042"]


def test_a_time_zone_that_is_not_known_is_one(catalog: Catalog, rota: OnCallSchedule) -> None:
    by_rota(rota)
    OnCallSchedule.objects.update(zone="Mars/Olympus")
    assert "Mars/Olympus" in found(catalog)["catalog.W044"]


def test_an_on_call_group_that_nobody_is_in_is_one(catalog: Catalog, erin: User) -> None:
    group = DirectoryGroup.objects.create(object_id="d0000000-0000-4000-8000-00000000000a", name="Rota")
    AccessPolicy.objects.update(automatic_approval="on_call", on_call_group=group)
    assert "Nobody whom the portal knows is in Rota" in found(catalog)["catalog.W043"]
    erin.directory_groups.add(group)
    assert found(catalog) == {}


# What the explanation tells.


def test_the_explanation_says_who_is_on_call_and_whether_it_is_they(
    catalog: Catalog, rota: OnCallSchedule, erin: User
) -> None:
    by_rota(rota)
    told = said("why", "--person", "erin")
    assert "approved at once while on call by the schedule Payments on call, by “Payments support”" in told
    assert "on call: yes, by the schedule Payments on call: Erin Engineer until " in told
    other = person("Una Unasked", catalog.group.object_id)
    assert "on call: no, by the schedule" in said("why", "--person", other.user_name)
    assert "on call: by the schedule" in said("who", "--role", "production-support", "--environment", "production")


def test_the_page_tells_people_of_themselves_and_admins_of_all(
    catalog: Catalog, rota: OnCallSchedule, erin: User, admin_client: Client
) -> None:
    by_rota(rota)
    mine = signed_in(erin).get("/explain/?question=me").content.decode()
    assert "yes, by the schedule Payments on call" in mine
    assert "Olaf" not in mine
    about_erin = admin_client.get("/explain/", {"question": "why", "person": erin.user_name}).content.decode()
    assert "then Olaf (UTC)" in about_erin


def test_the_catalog_tells_whether_you_are_on_call(
    catalog: Catalog, rota: OnCallSchedule, erin: User, moment: Clock
) -> None:
    by_rota(rota)
    client = signed_in(erin)
    assert "You are not on call now." in client.get("/catalog/").text
    moment.forward(rota.first_handover + HOUR - moment.time)
    client = signed_in(erin)
    assert "You are on call now." in client.get("/catalog/").text
