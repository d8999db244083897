"""What an admin saves or deletes is one change: rows, versions and event together, or nothing."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from auditlog import integrity
from auditlog.models import ChainHead, Event
from catalog.models import AccessPolicy, ApprovalStage, ApproverGroup, DirectoryGroup, Role
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, errors, signed_in
from tests.flush import unprotected

ROLE = {"name": "Auditor", "slug": "auditor", "description": "Reads everything.", "is_offered": "on"}


def newest() -> Event:
    event = Event.objects.order_by("number").last()
    assert event is not None
    return event


def test_a_new_role_is_recorded_with_who_what_and_why(admin_client: Client, admin_person: User, fill: Fill) -> None:
    sent = fill("/admin/catalog/role/add/", **ROLE, why="For the yearly audit")
    response = admin_client.post("/admin/catalog/role/add/", sent)
    assert response.status_code == 302, errors(response)
    role = Role.objects.get()
    event = newest()
    assert (event.action, event.subject_kind, event.subject_id) == ("catalog.created", "role", str(role.pk))
    assert event.actor == f"person:{admin_person.object_id}"
    assert event.data["changes"]["name"] == [None, "Auditor"]
    assert event.data["why"] == "For the yearly audit"
    version = role.history.get()
    assert version.history_user_id == f"person:{admin_person.object_id}"
    assert version.history_change_reason == "For the yearly audit"


def test_a_change_says_old_and_new(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    response = admin_client.post(page, fill(page, longest_duration="4h"))
    assert response.status_code == 302, errors(response)
    assert newest().action == "catalog.changed"
    assert newest().data["changes"] == {"longest_duration": ["8h", "4h"]}


def test_a_change_of_who_may_ask_is_recorded_with_its_versions(
    admin_client: Client, catalog: Catalog, fill: Fill
) -> None:
    other = DirectoryGroup.objects.create(object_id="b0000000-0000-4000-8000-000000000009", name="Data")
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    admin_client.post(page, fill(page, requestable_by=[other.pk]))
    event = newest()
    old, new = event.data["changes"]["requestable_by"]
    assert old == [f"Payments engineers ({catalog.group.object_id})"]
    assert new == ["Data (b0000000-0000-4000-8000-000000000009)"]
    newest_version = catalog.policy.history.order_by("-history_id").first()
    assert newest_version.pk in [row["history_id"] for row in event.data["history"]]
    assert [row.directorygroup_id for row in newest_version.requestable_by.all()] == [other.pk]


def test_the_stages_of_a_policy_are_part_of_its_change(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    versions_before = catalog.policy.history.count()
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    sent = fill(page) | {
        "stages-TOTAL_FORMS": "2",
        "stages-1-policy": catalog.policy.pk,
        "stages-1-position": "2",
        "stages-1-approver_group": catalog.approver_group.pk,
        "stages-1-approvals_needed": "2",
    }
    response = admin_client.post(page, sent)
    assert response.status_code == 302, errors(response)
    event = newest()
    leads = f"Payments leads [Payments engineers ({catalog.group.object_id})]"
    assert event.data["changes"] == {
        "approval stages": [[f"1. 1 of {leads}"], [f"1. 1 of {leads}", f"2. 2 of {leads}"]]
    }
    models = [row["model"] for row in event.data["history"]]
    assert "catalog.HistoricalApprovalStage" in models
    assert catalog.policy.history.count() == versions_before + 1, "the version of a policy stands for its stages, too"


def test_a_new_stage_without_a_number_comes_after_the_others(
    admin_client: Client, catalog: Catalog, fill: Fill
) -> None:
    security, board = (ApproverGroup.objects.create(name=name) for name in ("Security", "Board"))
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    offered = admin_client.get(page).context["inline_admin_formsets"][0].formset.empty_form
    assert offered["position"].value() is None
    added: dict[str, Any] = {"stages-TOTAL_FORMS": "3"}
    for number, group in enumerate((security, board), start=1):
        added |= {f"stages-{number}-approver_group": group.pk, f"stages-{number}-approvals_needed": "1"}
    response = admin_client.post(page, fill(page) | added)
    assert response.status_code == 302, errors(response)
    stages = catalog.policy.stages.all()
    assert [str(stage) for stage in stages] == ["1. 1 of Payments leads", "2. 1 of Security", "3. 1 of Board"]


def test_two_stages_can_change_places(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    security = ApproverGroup.objects.create(name="Security")
    second = ApprovalStage.objects.create(policy=catalog.policy, position=2, approver_group=security)
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    response = admin_client.post(page, fill(page) | {"stages-0-position": "2", "stages-1-position": "1"})
    assert response.status_code == 302, errors(response)
    second.refresh_from_db()
    catalog.stage.refresh_from_db()
    assert (second.position, catalog.stage.position) == (1, 2)
    assert ApprovalStage.history.filter(position__gt=2).count() == 0


def test_a_stage_can_be_taken_away(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    ApprovalStage.objects.create(policy=catalog.policy, position=2, approver_group=catalog.approver_group)
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    response = admin_client.post(page, fill(page) | {"stages-0-DELETE": "on", "stages-1-position": "1"})
    assert response.status_code == 302, errors(response)
    assert [stage.position for stage in catalog.policy.stages.all()] == [1]
    assert len(newest().data["changes"]["approval stages"][1]) == 1


def test_a_form_sent_as_it_came_writes_nothing(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    before = (Event.objects.count(), catalog.policy.history.count())
    response = admin_client.post(page, fill(page, why="Just looking"), follow=True)
    assert (Event.objects.count(), catalog.policy.history.count()) == before
    assert "Nothing was different" in response.content.decode()
    assert "was changed successfully" not in response.content.decode()


def test_a_deletion_is_recorded_and_keeps_its_history(admin_client: Client, catalog: Catalog) -> None:
    pk = catalog.policy.pk
    response = admin_client.post(f"/admin/catalog/accesspolicy/{pk}/delete/", {"post": "yes", "why": "Replaced"})
    assert response.status_code == 302
    assert not AccessPolicy.objects.exists()
    event = newest()
    assert (event.action, event.subject_id, event.data["object"]) == ("catalog.deleted", str(pk), "Payments support")
    leads = f"Payments leads [Payments engineers ({catalog.group.object_id})]"
    assert event.data["changes"]["approval stages"] == [[f"1. 1 of {leads}"], None]
    assert event.data["why"] == "Replaced"
    last = AccessPolicy.history.filter(id=pk).order_by("-history_id").first()
    assert (last.history_type, last.history_change_reason) == ("-", "Replaced")
    stage = ApprovalStage.history.filter(policy_id=pk).order_by("-history_id").first()
    assert stage.history_type == "-"
    assert stage.history_user_id


def test_if_the_event_cannot_be_written_the_change_does_not_happen(
    catalog: Catalog, admin_person: User, fill: Fill
) -> None:
    client = signed_in(admin_person)
    client.raise_request_exception = False
    page = f"/admin/catalog/role/{catalog.role.pk}/change/"
    sent = fill(page, name="Something else")
    versions = catalog.role.history.count()
    with unprotected():
        # A ledger without its head cannot be appended to.
        ChainHead.objects.all().delete()
    assert client.post(page, sent).status_code == 500
    catalog.role.refresh_from_db()
    assert catalog.role.name == "Production Support"
    assert catalog.role.history.count() == versions


def test_a_deletion_of_what_is_used_is_refused_with_what_uses_it(admin_client: Client, catalog: Catalog) -> None:
    for row in (catalog.role, catalog.environment, catalog.permission_set, catalog.approver_group, catalog.group):
        page = f"/admin/catalog/{row._meta.model_name}/{row.pk}/delete/"
        shown = admin_client.get(page).content.decode()
        assert "cannot be deleted" in shown
        assert "Payments" in shown
        admin_client.post(page, {"post": "yes"})
        assert type(row).objects.filter(pk=row.pk).exists(), row


def test_a_group_that_people_are_in_cannot_be_deleted(admin_client: Client, admin_person: User) -> None:
    group = admin_person.directory_groups.get()
    page = f"/admin/catalog/directorygroup/{group.pk}/delete/"
    assert "1 person: Ada Admin" in admin_client.get(page).content.decode()
    admin_client.post(page, {"post": "yes"})
    admin_person.refresh_groups()
    assert admin_person.is_staff


def test_a_row_that_somebody_else_changed_meanwhile_is_not_overwritten(
    admin_client: Client, catalog: Catalog, fill: Fill
) -> None:
    page = f"/admin/catalog/role/{catalog.role.pk}/change/"
    mine, theirs = fill(page, description="Mine."), fill(page, description="Theirs.")
    assert admin_client.post(page, theirs).status_code == 302
    said = errors(admin_client.post(page, mine))
    assert "Somebody else has changed this" in said["__all__"][0]
    catalog.role.refresh_from_db()
    assert catalog.role.description == "Theirs."


def test_the_ledger_vouches_for_what_was_changed(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    admin_client.post(page, fill(page, departments="Payments\nData", ticket_pattern=r"PAY-\d{1,6}"))
    result = integrity.verify([])
    assert result.whole, result.problem


def test_nothing_is_kept_in_a_log_that_could_be_edited(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/role/{catalog.role.pk}/change/"
    admin_client.post(page, fill(page, description="New."))
    admin_client.post(f"/admin/catalog/accesspolicy/{catalog.policy.pk}/delete/", {"post": "yes"})
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("page", ["role", "environment", "account", "permissionset", "approvergroup", "accesspolicy"])
def test_every_form_asks_why(admin_client: Client, page: str) -> None:
    assert 'name="why"' in admin_client.get(f"/admin/catalog/{page}/add/").content.decode()
