"""What somebody at the admin pages might try, and does not get."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from auditlog.models import Event
from catalog.admin.base import CatalogAdmin
from catalog.models import (
    AccessPolicy,
    Account,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    PermissionSet,
    Role,
)
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, arn, person, signed_in

EDITABLE: list[Any] = [DirectoryGroup, Role, Environment, Account, PermissionSet, ApproverGroup, AccessPolicy]


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:catalog_{model._meta.model_name}_{page}", args=args)


def rows(catalog: Catalog) -> list[Any]:
    return [
        getattr(catalog, name)
        for name in ("group", "role", "environment", "account", "permission_set", "approver_group", "policy")
    ]


@pytest.mark.parametrize("group_id", ["", settings.ENTRA_COMPLIANCE_GROUP_ID], ids=["engineer", "compliance"])
def test_whoever_is_no_admin_gets_no_page_and_changes_nothing(catalog: Catalog, group_id: str) -> None:
    client = signed_in(person("Emil", *filter(None, [group_id])))
    pages = [reverse("admin:index"), reverse("admin:autocomplete")]
    for row in rows(catalog):
        pages += [address(type(row), "changelist"), address(type(row), "add")]
        pages += [address(type(row), page, row.pk) for page in ("change", "delete", "history")]
    for page in pages:
        for response in (client.get(page), client.post(page, {"post": "yes", "name": "Forged"})):
            assert response.status_code == 403, page
            assert "password" not in response.content.decode().lower()
    assert all(type(row).objects.filter(pk=row.pk).exists() for row in rows(catalog))
    assert not Event.objects.filter(action__startswith="catalog.").exists()


def test_who_is_not_signed_in_is_sent_to_sign_in(catalog: Catalog) -> None:
    response: Any = Client().post(address(Role, "delete", catalog.role.pk), {"post": "yes"}, follow=True)
    assert response.redirect_chain[-1][0].startswith("/sign-in/")
    assert "password" not in response.content.decode().lower()
    assert Role.objects.exists()


def test_an_admin_who_leaves_the_group_is_out_at_once(admin_client: Client, admin_person: User) -> None:
    assert admin_client.get("/admin/").status_code == 200
    admin_person.directory_groups.clear()
    assert admin_client.get("/admin/").status_code == 403


@pytest.mark.parametrize("model", EDITABLE)
def test_nothing_is_deleted_in_bulk(admin_client: Client, catalog: Catalog, model: Any) -> None:
    keys = [str(key) for key in model.objects.values_list("pk", flat=True)]
    sent = {"action": "delete_selected", "_selected_action": keys, "post": "yes", "index": "0", "select_across": "1"}
    admin_client.post(address(model, "changelist"), sent)
    assert model.objects.count() == len(keys)
    assert "delete_selected" not in admin_client.get(address(model, "changelist")).content.decode()


@pytest.mark.parametrize("model", EDITABLE)
def test_no_list_is_edited_in_place(model: Any) -> None:
    shown = admin.site._registry[model]
    assert isinstance(shown, CatalogAdmin)
    assert not shown.list_editable
    assert not shown.actions


def test_nobody_goes_back_to_an_old_version(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = address(Role, "change", catalog.role.pk)
    admin_client.post(page, fill(page, name="New name"))
    oldest = Role.history.earliest("history_id")
    old = address(Role, "simple_history", catalog.role.pk, oldest.pk)
    shown = admin_client.get(old)
    assert shown.status_code == 200
    assert "Revert" not in shown.content.decode()
    versions = Role.history.count()
    for sent in (
        {"_save": "Revert", "name": "Production Support", "slug": "x", "description": "x"},
        {"_change_history": "1"},
    ):
        assert admin_client.post(old, sent).status_code == 403
    catalog.role.refresh_from_db()
    assert catalog.role.name == "New name"
    assert Role.history.count() == versions


def test_fields_that_the_form_does_not_show_are_not_taken(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    vanished = timezone.now()
    PermissionSet.objects.update(vanished_at=vanished)
    Account.objects.update(vanished_at=vanished)
    for row, forged in (
        (catalog.account, {"id": "99", "account_id": "999999999999", "vanished_at_0": "", "vanished_at": ""}),
        (catalog.permission_set, {"arn": arn(9), "vanished_at": "", "id": "99"}),
        (catalog.group, {"object_id": "b0000000-0000-4000-8000-00000000dead", "people": "1"}),
    ):
        page = address(type(row), "change", row.pk)
        response = admin_client.post(page, fill(page, name="Renamed", **forged))
        assert response.status_code == 302
        before = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        row.refresh_from_db()
        after = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        changed = {name for name in after if after[name] != before[name]}
        assert changed <= {"name", "vanished_at"}, row
    catalog.account.refresh_from_db()
    assert catalog.account.vanished_at == vanished


def test_a_stage_of_another_policy_cannot_be_taken_over(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    other = AccessPolicy.objects.create(
        name="Other", role=catalog.role, environment=catalog.environment, permission_set=catalog.permission_set
    )
    strange = ApprovalStage.objects.create(policy=other, approver_group=catalog.approver_group, approvals_needed=5)
    page = address(AccessPolicy, "change", catalog.policy.pk)
    sent = fill(page) | {
        "stages-0-id": str(strange.pk),
        "stages-0-approvals_needed": "1",
        "stages-0-policy": str(other.pk),
    }
    admin_client.post(page, sent)
    strange.refresh_from_db()
    assert (strange.policy_id, strange.approvals_needed) == (other.pk, 5)


def test_the_history_cannot_be_dated_or_signed_by_its_writer(
    admin_client: Client, admin_person: User, catalog: Catalog, fill: Fill
) -> None:
    page = address(Role, "change", catalog.role.pk)
    admin_client.post(
        page,
        fill(
            page,
            description="x",
            _history_user="person:forged",
            history_user_id="person:forged",
            history_date="2001-01-01",
        ),
    )
    newest = catalog.role.history.latest("history_id")
    assert newest.history_user_id == f"person:{admin_person.object_id}"
    assert newest.history_date.year >= 2026


def test_scripts_in_names_are_shown_as_text(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = address(Role, "change", catalog.role.pk)
    admin_client.post(page, fill(page, name="<script>alert(1)</script>", why="<img src=x onerror=alert(1)>"))
    for shown in ("changelist", "add"):
        assert "<script>alert(1)" not in admin_client.get(address(Role, shown)).content.decode()
    for shown in ("change", "history", "delete"):
        text = admin_client.get(address(Role, shown, catalog.role.pk)).content.decode()
        assert "<script>alert(1)" not in text
        assert "<img src=x" not in text


def test_djangos_own_groups_and_users_are_not_there() -> None:
    assert not admin.site.is_registered(Group)


def test_pages_carry_the_strict_policy(admin_client: Client, catalog: Catalog) -> None:
    for page in (reverse("admin:index"), address(AccessPolicy, "change", catalog.policy.pk)):
        response = admin_client.get(page)
        assert "unsafe" not in response["Content-Security-Policy"]
        assert "script-src 'self'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("model", EDITABLE)
@pytest.mark.parametrize("query", ["", "q=pay", "q=%27%22%25_%5C", "o=1.-2", "p=99"])
def test_every_list_opens_whatever_is_asked_of_it(
    admin_client: Client, catalog: Catalog, model: Any, query: str
) -> None:
    assert admin_client.get(f"{address(model, 'changelist')}?{query}").status_code in (200, 302)


def test_a_longer_catalog_asks_the_database_no_more(admin_client: Client, catalog: Catalog) -> None:
    def queries() -> dict[Any, int]:
        counts = {}
        for model in EDITABLE:
            with CaptureQueriesContext(connection) as captured:
                assert admin_client.get(address(model, "changelist")).status_code == 200
            counts[model] = len(captured)
        return counts

    queries()
    few = queries()
    for number in range(12):
        group = DirectoryGroup.objects.create(object_id=f"c0000000-0000-4000-8000-{number:012d}", name=f"G{number}")
        role = Role.objects.create(name=f"R{number}", slug=f"r{number}", description="x")
        environment = Environment.objects.create(name=f"E{number}", slug=f"e{number}", sensitivity=1)
        Account.objects.create(account_id=f"{number:012d}", name="x", environment=environment)
        approvers = ApproverGroup.objects.create(name=f"A{number}")
        approvers.directory_groups.add(group)
        policy = AccessPolicy.objects.create(
            name=f"P{number}", role=role, environment=environment, permission_set=catalog.permission_set
        )
        policy.requestable_by.add(group, catalog.group)
        ApprovalStage.objects.create(policy=policy, approver_group=approvers)
    assert queries() == few
    assert max(few.values()) <= 16


def test_a_long_history_is_shown_with_names(
    admin_client: Client, admin_person: User, catalog: Catalog, fill: Fill
) -> None:
    page = address(AccessPolicy, "change", catalog.policy.pk)
    for hours in range(2, 7):
        admin_client.post(page, fill(page, longest_duration=f"{hours}h", why=f"Step {hours}"))
    text = admin_client.get(address(AccessPolicy, "history", catalog.policy.pk)).content.decode()
    assert admin_person.name in text
    assert "Step 5" in text
