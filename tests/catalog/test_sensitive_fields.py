"""Of every field that an admin can give it is said here whether, in a sensitive environment, a second one is asked."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from catalog.admin.base import CatalogAdmin
from catalog.effects import effects
from catalog.membership import Now
from catalog.models import (
    AccessPolicy,
    Account,
    AccountRule,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    InventoryLook,
    OnCallCover,
    OnCallPerson,
    OnCallSchedule,
    PermissionSet,
    Role,
    Sensitivity,
)
from catalog.snapshots import snapshot, touches_sensitive
from tests.catalog.conftest import Catalog, Fill, arn, person

NEXT_WEEK: Final = timezone.now() + timedelta(days=7)
# What is new in each field: a value, or what makes one, and with it the columns that must go along.
SENSITIVE: Final[dict[Any, dict[str, Any]]] = {
    Role: {"name": "Support", "slug": "support", "is_offered": False},
    Environment: {"name": "Playground", "slug": "play", "sensitivity": Sensitivity.SANDBOX},
    AccountRule: {"ou_path": "Elsewhere", "tag_key": "team", "tag_value": "web"},
    Account: {"name": "Play", "environment": None, "put_by": "rule"},
    PermissionSet: {"name": "Viewer", "session_duration": timedelta(hours=9)},
    ApproverGroup: {"name": "Leads"},
    AccessPolicy: {
        "name": "Anything",
        "is_in_force": False,
        "role": lambda: Role.objects.create(name="Other", slug="other"),
        "environment": lambda: Environment.objects.create(name="Bank", slug="bank", sensitivity=1),
        "account_tags": {"data": "personal"},
        "permission_set": lambda: PermissionSet.objects.create(arn=arn(7), name="Admin"),
        "departments": ["Payments"],
        "default_duration": timedelta(minutes=30),
        "longest_duration": timedelta(hours=9),
        "accounts_per_request": 9,
        "ticket_pattern": "X",
        "tickets_checked": True,
        "least_reason": 40,
        "automatic_approval": "always",
        "automatic_up_to": timedelta(hours=2),
        "on_call_group": lambda: DirectoryGroup.objects.create(object_id="role:duty", name="Duty"),
        "on_call_schedule": lambda: OnCallSchedule.objects.create(name="Other", first_handover=timezone.now()),
        "newcomers_agree": True,
        "step_up_context": "c2",
        "step_up_for": "deciding",
        "step_up_longest_age": timedelta(minutes=2),
    },
    ApprovalStage: {
        "position": 2,
        "approver_group": lambda: ApproverGroup.objects.create(name="Others"),
        "approvals_needed": 2,
        "escalates_after": timedelta(hours=9),
        "escalation_group": lambda: ApproverGroup.objects.create(name="Others"),
    },
    OnCallSchedule: {"name": "Turns", "zone": "Asia/Tokyo", "first_handover": NEXT_WEEK, "turn": timedelta(hours=9)},
    OnCallPerson: {"position": 3, "person": lambda: person("Olga")},
    OnCallCover: {"person": lambda: person("Olga"), "starts_at": timezone.now(), "ends_at": NEXT_WEEK},
}
# Links, of which the rows of other tables tell.
LINKS: Final[dict[Any, dict[str, Callable[[Catalog, DirectoryGroup], None]]]] = {
    ApproverGroup: {"directory_groups": lambda catalog, group: catalog.approver_group.directory_groups.add(group)},
    AccessPolicy: {
        "requestable_by": lambda catalog, group: catalog.policy.requestable_by.add(group),
        "closed_to": lambda catalog, group: catalog.policy.closed_to.add(group),
    },
}
# They explain to readers, and nothing goes by them: one admin changes them alone.
EXPLAINS: Final[dict[Any, dict[str, Any]]] = {
    Role: {"description": "Looks."},
    Environment: {"description": "What customers use."},
    Account: {"email": "root@example.com"},
    PermissionSet: {"description": "Reads."},
    ApproverGroup: {"description": "By day."},
    DirectoryGroup: {"name": "Payments"},
}
# They are given once, and the forms refuse another value.
GIVEN_ONCE: Final[dict[Any, frozenset[str]]] = {
    Account: frozenset({"account_id"}),
    PermissionSet: frozenset({"arn"}),
    ApproverGroup: frozenset({"is_requesters_manager"}),
    DirectoryGroup: frozenset({"object_id"}),
}


pytestmark = pytest.mark.usefixtures("production_is_sensitive")


@pytest.fixture
def whole(catalog: Catalog) -> Catalog:
    """A catalog in which every field says something."""
    now = timezone.now()
    rota = OnCallSchedule.objects.create(name="Rota", zone="UTC", first_handover=now)
    for position, name in enumerate(("Ben", "Daniel"), start=1):
        OnCallPerson.objects.create(schedule=rota, position=position, person=person(name))
    OnCallCover.objects.create(
        schedule=rota, person=person("Chiara"), starts_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=2)
    )
    AccountRule.objects.create(environment=catalog.environment, ou_path="Workloads", tag_key="a", tag_value="b")
    step_up = {"step_up_context": "c1", "step_up_for": "asking", "step_up_longest_age": timedelta(hours=1)}
    on_call = {"automatic_approval": "on_call", "on_call_schedule": rota, "automatic_up_to": timedelta(hours=1)}
    AccessPolicy.objects.update(**step_up, **on_call)
    security = ApproverGroup.objects.create(name="Security")
    ApprovalStage.objects.update(escalates_after=timedelta(hours=1), escalation_group=security)
    return catalog


def touched(change: Callable[[], object]) -> tuple[str, ...]:
    before = snapshot()
    change()
    return touches_sensitive(before, snapshot())


def change(model: Any, field: str, value: Any) -> None:
    new = {field: value() if callable(value) else value}
    if model is AccessPolicy and field == "automatic_approval":
        new |= {"on_call_schedule": None, "automatic_up_to": None}
    if field == "on_call_group":
        new["on_call_schedule"] = None
    model.objects.filter(pk=model.objects.earliest("pk").pk).update(**new)


def forms() -> dict[Any, set[str]]:
    """The fields that forms of the admin have, beside what they ask of each change."""
    found: dict[Any, set[str]] = {}
    for model, of_model in admin.site._registry.items():
        if isinstance(of_model, CatalogAdmin):
            for form, about in [(of_model.form, model), *((part.form, part.model) for part in of_model.inlines)]:
                found[about] = {*form._meta.fields}
    return found


def test_every_field_that_can_be_given_is_named_here() -> None:
    named = {
        model: {*SENSITIVE.get(model, ()), *LINKS.get(model, ()), *EXPLAINS.get(model, ()), *GIVEN_ONCE.get(model, ())}
        for model in (*SENSITIVE, *EXPLAINS)
    }
    assert named == forms()


@pytest.mark.parametrize(
    ("model", "field"),
    [(model, field) for model, fields in SENSITIVE.items() for field in fields],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_a_second_admin_is_asked(whole: Catalog, model: Any, field: str) -> None:
    assert "Production" in touched(lambda: change(model, field, SENSITIVE[model][field]))


def test_a_second_admin_is_asked_about_groups(whole: Catalog) -> None:
    for model, fields in LINKS.items():
        for field, link in fields.items():
            group = DirectoryGroup.objects.create(object_id=f"role:{field}", name=field)
            assert touched(partial(link, whole, group)) == ("Production",), (model, field)


def test_one_admin_changes_alone_what_only_explains(whole: Catalog) -> None:
    for model, fields in EXPLAINS.items():
        for field, value in fields.items():
            assert touched(partial(change, model, field, value)) == (), field


@pytest.mark.parametrize("model", [Role, Environment])
def test_that_links_lead_elsewhere_is_said(catalog: Catalog, model: Any) -> None:
    name, old = model.objects.values_list("name", "slug").get()
    before = snapshot()
    model.objects.update(slug="other")
    said = [effect.text for effect in effects(before, snapshot(), Now())]
    assert said == [f"Links to {name} go by “other” instead of “{old}”: those that people kept do not lead there."]


@pytest.mark.parametrize("seen_in", ["the inventory", "an earlier one, and it has vanished"])
def test_what_aws_says_of_a_mirrored_row_is_not_given_here(
    catalog: Catalog, admin_client: Client, fill: Fill, seen_in: str
) -> None:
    rows: tuple[tuple[Any, str], ...] = (
        (catalog.permission_set, catalog.permission_set.arn),
        (catalog.account, catalog.account.account_id),
    )
    for row, key in rows:
        page = f"/admin/catalog/{row._meta.model_name}/{row.pk}/change/"
        assert "name" in fill(page), "what no inventory has read can be given by hand"
        if seen_in == "the inventory":
            InventoryLook.objects.create(key=key, at=timezone.now())
        else:
            type(row).objects.update(vanished_at=timezone.now())
        sent, before = fill(page), type(row).objects.filter(pk=row.pk).values().get()
        assert not {"name", "email", "description", "session_duration"} & {*sent}
        admin_client.post(page, {**sent, "name": "Mine", "email": "me@example.com", "session_duration": "9h"})
        assert type(row).objects.filter(pk=row.pk).values().get() == before
