"""A policy that has tickets checked: what the admin may save, what is amiss without a ticket system, how it is told."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from catalog import answers, effects, problems
from catalog.membership import Now
from catalog.models import AccessPolicy, DirectoryGroup
from catalog.snapshots import snapshot
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, errors, person


@pytest.fixture(autouse=True)
def _people(catalog: Catalog) -> None:
    leads = DirectoryGroup.objects.create(object_id="c0000000-0000-4000-8000-000000000001", name="Leads")
    catalog.approver_group.directory_groups.set([leads])
    for name, group in (("Erin", catalog.group), ("Lea", leads), ("Lou", leads)):
        person(name, group.object_id)


def sent(admin_client: Client, fill: Fill, catalog: Catalog, **changed: Any) -> Any:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    return admin_client.post(page, fill(page, **changed))


def test_the_box_wants_a_pattern_and_a_ticket_system(
    admin_client: Client, fill: Fill, catalog: Catalog, settings: Settings
) -> None:
    said = errors(sent(admin_client, fill, catalog, tickets_checked="on"))
    assert said["ticket_pattern"] == ["Say which tickets there are: only what has their form is checked."]
    settings.TICKET_SYSTEM = ""
    said = errors(sent(admin_client, fill, catalog, tickets_checked="on", ticket_pattern="INC-[0-9]+"))
    assert said["tickets_checked"] == ["No ticket system is connected: set TICKET_WEBHOOK_URL first."]


def test_who_left_the_box_empty_keeps_it_null(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    sent(admin_client, fill, catalog, ticket_pattern="INC-[0-9]+")
    assert AccessPolicy.objects.get().tickets_checked is None


def test_a_policy_whose_tickets_nobody_can_check_is_a_problem_that_blocks(catalog: Catalog, settings: Settings) -> None:
    AccessPolicy.objects.update(tickets_checked=True, ticket_pattern="INC-[0-9]+")
    assert problems.found(catalog.policy.pk) == []
    settings.TICKET_SYSTEM = ""
    (problem,) = problems.found(catalog.policy.pk)
    assert (problem.id, problem.is_blocking) == ("catalog.W051", True)
    assert "catalog.W051" in {message.id for message in run_checks(databases=["default"])}


def test_it_is_explained_that_nobody_can_ask_where_tickets_cannot_be_checked(
    catalog: Catalog, settings: Settings
) -> None:
    AccessPolicy.objects.update(tickets_checked=True, ticket_pattern="INC-[0-9]+")
    role, environment = catalog.policy.role, catalog.policy.environment
    erin = User.objects.get(name="Erin")

    def may_ask() -> tuple[bool, int]:
        (reached,) = answers.why(erin.pk, None, role=role, environment=environment).reached
        return reached.may_ask, answers.who_can_ask(role, environment, None).count

    assert may_ask() == (True, 1)
    settings.TICKET_SYSTEM = ""
    assert may_ask() == (False, 0)


def test_a_check_that_comes_is_stricter_for_those_who_ask(catalog: Catalog) -> None:
    AccessPolicy.objects.update(ticket_pattern="INC-[0-9]+")
    before = snapshot()
    AccessPolicy.objects.update(tickets_checked=True)
    found = {(str(each.kind), each.text) for each in effects.effects(before, snapshot(), Now())}
    text = (
        "Production Support in Production, for 1 person: the check of the ticket is demanded instead of not demanded, "
        "by “Payments support”."
    )
    assert ("stricter", text) in found


def test_an_explanation_tells_which_policy_wants_it(catalog: Catalog, admin_client: Client) -> None:
    AccessPolicy.objects.update(tickets_checked=True, ticket_pattern="INC-[0-9]+")
    asked = {"question": "who", "role": "production-support", "environment": "production"}
    page = " ".join(admin_client.get(reverse("explain"), asked).content.decode().split())
    assert (
        'such as <code>INC-4711</code>, checked at the ticket system <span class="rule">by “Payments support”' in page
    )
