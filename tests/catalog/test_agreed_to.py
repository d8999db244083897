"""A second admin agrees to what is behind the names that they are shown, and not only to the names."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import (
    AccessPolicy,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    OnCallCover,
    OnCallPerson,
    OnCallSchedule,
    PermissionSet,
    Proposal,
    Sensitivity,
)
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, arn, person, signed_in, text
from tests.catalog.proposing import of_policy, proposed

pytestmark = pytest.mark.usefixtures("production_is_sensitive", "enough_people")


@pytest.fixture
def other(second: User) -> Client:
    """The browser of the admin who is asked."""
    return signed_in(second)


def shown_to(other: Client, proposal: Proposal) -> tuple[str, str]:
    """The page of the proposal, and the digest by which what it says is agreed to."""
    page = other.get(f"/catalog/proposals/{proposal.pk}/")
    return text(page), page.context["preview"].digest


def words(other: Client, proposal: Proposal) -> str:
    """What the page of the proposal says of what it does, without what only programs read."""
    preview = other.get(f"/catalog/proposals/{proposal.pk}/").context["preview"]
    return str(preview.told())


def accepted(other: Client, proposal: Proposal, digest: str) -> bool:
    """Whether it was put in force by somebody who was shown it before."""
    other.post(f"/catalog/proposals/{proposal.pk}/accept/", {"shown": digest})
    proposal.refresh_from_db()
    return proposal.status == "accepted"


def crew(name: str) -> DirectoryGroup:
    """A directory group of three."""
    group = DirectoryGroup.objects.create(object_id=str(uuid4()), name=name)
    for number in range(3):
        person(f"{name} {number}", group.object_id)
    return group


def leads(*groups: DirectoryGroup) -> ApproverGroup:
    group = ApproverGroup.objects.create(name="New leads")
    group.directory_groups.set(groups)
    return group


def test_another_crew_behind_an_approver_group_is_not_what_was_agreed_to(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    group = leads(crew("Duty"))
    sent = fill(of_policy(catalog)) | {"stages-0-approver_group": group.pk}
    proposal = proposed(browser, of_policy(catalog), sent)
    _, digest = shown_to(other, proposal)
    page = f"/admin/catalog/approvergroup/{group.pk}/change/"
    # Nothing in force names the group yet, so one admin may change it.
    assert browser.post(page, fill(page, directory_groups=[crew("Friends").pk])).status_code == 302
    assert not accepted(other, proposal, digest)
    assert catalog.policy.stages.get().approver_group == catalog.approver_group


def rota(name: str, *people: str) -> OnCallSchedule:
    """A schedule by which these people, made for it, take turns since yesterday."""
    began = timezone.now() - timedelta(days=1)
    schedule = OnCallSchedule.objects.create(name=name, zone="UTC", first_handover=began)
    for position, each in enumerate(people, start=1):
        OnCallPerson.objects.create(schedule=schedule, position=position, person=person(each))
    return schedule


@pytest.fixture
def another_rota(browser: Client, catalog: Catalog, fill: Fill) -> tuple[Proposal, OnCallSchedule]:
    """The proposal that another schedule says who is on call in Production; and that schedule, of Mia and Nils."""
    AccessPolicy.objects.update(automatic_approval="on_call", on_call_schedule=rota("Day", "Olga"))
    schedule = rota("Night", "Mia", "Nils")
    return proposed(browser, of_policy(catalog), fill(of_policy(catalog), on_call_schedule=schedule.pk)), schedule


def test_who_takes_turns_by_another_schedule_is_shown(
    other: Client, another_rota: tuple[Proposal, OnCallSchedule]
) -> None:
    proposal, schedule = another_rota
    first, second = schedule.people.values_list("person__user_name", flat=True)
    begins = timezone.now() + timedelta(hours=1)
    cover = OnCallCover.objects.create(
        schedule=schedule, person=person("Pia"), starts_at=begins, ends_at=begins + timedelta(hours=1)
    )
    shown, _ = shown_to(other, proposal)
    assert "On call by the schedule Night: Mia until " in shown
    assert f"on (UTC): Mia ({first}), then Nils ({second}); covers: Pia ({cover.person.user_name}) from " in shown


def test_who_takes_turns_by_a_schedule_of_a_sandbox_is_shown_where_production_comes_to_count_on_it(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    sandbox = Environment.objects.create(name="Sandbox", slug="sandbox", sensitivity=Sensitivity.SANDBOX)
    schedule = rota("Play", "Mia")
    on_call = {"automatic_approval": "on_call", "on_call_schedule": schedule}
    policy = AccessPolicy.objects.create(
        name="Play", role=catalog.role, environment=sandbox, permission_set=catalog.permission_set, **on_call
    )
    policy.requestable_by.add(catalog.group)
    sent = fill(of_policy(catalog), automatic_approval="on_call", on_call_schedule=schedule.pk)
    shown, _ = shown_to(other, proposed(browser, of_policy(catalog), sent))
    assert "On call by the schedule Play: Mia." in shown


@pytest.mark.parametrize(
    "change",
    [
        lambda schedule: schedule.people.filter(position=2).update(person=person("Nils")),
        lambda schedule: schedule.people.filter(position=2).delete(),
        lambda schedule: OnCallPerson.objects.create(schedule=schedule, position=3, person=person("Pia")),
        lambda schedule: OnCallSchedule.objects.filter(pk=schedule.pk).update(turn=timedelta(days=1)),
        lambda schedule: OnCallSchedule.objects.filter(pk=schedule.pk).update(zone="Asia/Tokyo"),
        lambda schedule: OnCallSchedule.objects.filter(pk=schedule.pk).update(
            first_handover=schedule.first_handover - timedelta(hours=1)
        ),
        lambda schedule: OnCallCover.objects.create(
            schedule=schedule,
            person=person("Pia"),
            starts_at=timezone.now() + timedelta(days=1),
            ends_at=timezone.now() + timedelta(days=2),
        ),
    ],
    ids=["a namesake", "one less", "one more", "length", "zone", "handover", "cover"],
)
def test_another_schedule_behind_a_name_shows_another_page(
    other: Client, another_rota: tuple[Proposal, OnCallSchedule], change: Callable[[OnCallSchedule], object]
) -> None:
    proposal, schedule = another_rota
    before = words(other, proposal)
    change(schedule)
    assert words(other, proposal) != before


def test_somebody_else_in_an_on_call_schedule_is_not_what_was_agreed_to(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    now = timezone.now()
    schedule = OnCallSchedule.objects.create(
        name="Night", zone="UTC", first_handover=now - timedelta(days=1), turn=timedelta(days=7)
    )
    OnCallPerson.objects.create(schedule=schedule, position=1, person=person("Good"))
    sent = fill(of_policy(catalog), automatic_approval="on_call", on_call_schedule=schedule.pk)
    proposal = proposed(browser, of_policy(catalog), sent)
    _, digest = shown_to(other, proposal)
    page = f"/admin/catalog/oncallschedule/{schedule.pk}/change/"
    assert browser.post(page, fill(page) | {"people-0-person": person("Bad").pk}).status_code == 302
    assert not accepted(other, proposal, digest)


def test_who_is_behind_a_group_that_decides_from_then_on_is_shown(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    page, friends = "/admin/catalog/approvergroup/add/", crew("Friends")
    # It decides nothing yet, so one admin makes it alone.
    assert browser.post(page, fill(page, name="Leads of Payments", directory_groups=[friends.pk])).status_code == 302
    group = ApproverGroup.objects.get(name="Leads of Payments")
    sent = fill(of_policy(catalog)) | {"stages-0-approver_group": group.pk}
    shown, _ = shown_to(other, proposed(browser, of_policy(catalog), sent))
    people = f"the directory group Friends ({friends.object_id}): 3 people (Friends 0, Friends 1 and Friends 2)"
    assert f"Those who decide as Leads of Payments are the members of {people}." in shown
    assert f"1. 1 of Leads of Payments [Friends ({friends.object_id})]" in shown


def test_who_is_behind_a_group_to_which_a_stage_escalates_is_shown(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    friends = crew("Friends")
    escalation = {"stages-0-escalation_group": leads(friends).pk, "stages-0-escalates_after": "1h"}
    shown, _ = shown_to(other, proposed(browser, of_policy(catalog), fill(of_policy(catalog)) | escalation))
    assert f"the members of the directory group Friends ({friends.object_id}): 3 people" in shown
    assert f"after 1h also New leads [Friends ({friends.object_id})]" in shown


def test_who_is_behind_the_groups_of_a_draft_is_shown_when_it_comes_into_force(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    friends = crew("Friends")
    catalog.policy.stages.update(approver_group=leads(friends))
    AccessPolicy.objects.update(is_in_force=False)
    shown, _ = shown_to(other, proposed(browser, of_policy(catalog), fill(of_policy(catalog), is_in_force="on")))
    assert f"the members of the directory group Friends ({friends.object_id}): 3 people" in shown


def test_who_is_behind_the_groups_of_an_environment_is_shown_when_it_becomes_sensitive(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    catalog.environment.sensitivity = Sensitivity.SANDBOX
    catalog.environment.save()
    page = f"/admin/catalog/environment/{catalog.environment.pk}/change/"
    sent = fill(page, sensitivity=str(Sensitivity.PRODUCTION.value))
    shown, _ = shown_to(other, proposed(browser, page, sent))
    behind = f"the directory group Payments engineers ({catalog.group.object_id}): 3 people (Ben, Chiara and Daniel)"
    assert f"Those who decide as Payments leads are the members of {behind}." in shown


def test_other_groups_behind_a_name_show_another_page(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    group = leads(crew("Duty"))
    sent = fill(of_policy(catalog)) | {"stages-0-approver_group": group.pk}
    proposal = proposed(browser, of_policy(catalog), sent)
    twin = crew("Duty")
    told = [words(other, proposal)]
    for groups in ([twin], [twin, crew("Friends")], []):
        group.directory_groups.set(groups)
        told.append(words(other, proposal))
    assert len({*told}) == len(told)


def test_what_is_as_it_was_shown_is_accepted(browser: Client, other: Client, catalog: Catalog, fill: Fill) -> None:
    group = leads(crew("Duty"))
    sent = fill(of_policy(catalog)) | {"stages-0-approver_group": group.pk}
    proposal = proposed(browser, of_policy(catalog), sent)
    assert accepted(other, proposal, shown_to(other, proposal)[1])
    assert catalog.policy.stages.get().approver_group == group


def test_a_group_of_the_same_name_is_told_from_the_other(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    twin = crew(catalog.group.name)
    sent = fill(of_policy(catalog), requestable_by=[catalog.group.pk, twin.pk])
    shown, _ = shown_to(other, proposed(browser, of_policy(catalog), sent))
    assert twin.object_id in shown


def test_a_policy_that_comes_into_force_is_shown_whole(
    browser: Client, other: Client, catalog: Catalog, fill: Fill
) -> None:
    page = of_policy(catalog)
    AccessPolicy.objects.filter(pk=catalog.policy.pk).update(is_in_force=False)
    powerful = PermissionSet.objects.create(arn=arn(7), name="AdministratorAccess")
    # Of what is not in force one admin decides alone.
    assert browser.post(page, fill(page, permission_set=powerful.pk, longest_duration="7d")).status_code == 302
    shown, _ = shown_to(other, proposed(browser, page, fill(page, is_in_force="on")))
    assert f"AdministratorAccess ({powerful.arn})" in shown
    assert "Longest duration" in shown
    assert "7d" in shown
