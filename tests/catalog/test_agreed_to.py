"""A second admin agrees to what is behind the names that they are shown, and not only to the names."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import (
    AccessPolicy,
    ApproverGroup,
    DirectoryGroup,
    OnCallPerson,
    OnCallSchedule,
    PermissionSet,
    Proposal,
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
