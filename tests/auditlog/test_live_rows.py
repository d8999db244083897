"""Rows of today that somebody changed past the portal: each differs from its newest history row, and is named."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from auditlog import checkpoints, history, integrity, live_rows
from catalog.models import ApproverGroup, DirectoryGroup, PermissionSet, Role

pytestmark = pytest.mark.django_db


def _problem() -> str:
    return integrity.verify([checkpoints.public_key()]).problem


def _group(number: int = 1) -> DirectoryGroup:
    return DirectoryGroup.objects.create(object_id=str(UUID(int=number)), name=f"Group {number}")


@pytest.fixture
def role() -> Role:
    return Role.objects.create(name="DevOps Engineer", slug="devops-engineer", description="Builds and runs.")


def test_rows_that_the_portal_wrote_are_whole(role: Role) -> None:
    role.name = "Production Support"
    role.save()
    approvers = ApproverGroup.objects.create(name="Payments owners")
    approvers.directory_groups.set([_group(1), _group(2)])
    _group(3).delete()
    result = integrity.verify([checkpoints.public_key()])
    assert (result.whole, result.live_rows, result.problem) == (True, 4, "")


def test_a_row_that_was_altered_is_named_with_its_field(role: Role) -> None:
    Role.objects.filter(pk=role.pk).update(description="Does everything.")
    assert _problem() == (
        f"Row {role.pk} of catalog.Role was altered: description is not what its newest history row says."
    )


def test_a_duration_that_was_altered_is_named() -> None:
    row = PermissionSet.objects.create(
        name="Support",
        arn="arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef",
        session_duration=timedelta(hours=1),
    )
    assert _problem() == ""
    PermissionSet.objects.update(session_duration=timedelta(hours=12))
    assert _problem().startswith(f"Row {row.pk} of catalog.PermissionSet was altered: session_duration ")


def test_members_that_were_added_are_named() -> None:
    approvers = ApproverGroup.objects.create(name="Payments owners")
    approvers.directory_groups.add(_group(1))
    link = ApproverGroup.directory_groups.through
    link.objects.create(approvergroup_id=approvers.pk, directorygroup_id=_group(2).pk)
    said = f"Row {approvers.pk} of catalog.ApproverGroup was altered: directory_groups is not what"
    assert _problem().startswith(said)
    link.objects.all().delete()
    assert _problem().startswith(said)


def test_a_row_without_history_is_named() -> None:
    (row,) = DirectoryGroup.objects.bulk_create([DirectoryGroup(object_id=str(UUID(int=1)), name="Payments")])
    assert _problem() == f"Row {row.pk} of catalog.DirectoryGroup has no history."


def test_a_row_that_was_put_back_after_its_deletion_is_named() -> None:
    row = _group()
    pk = row.pk
    row.delete()
    DirectoryGroup.objects.bulk_create([DirectoryGroup(pk=pk, object_id=row.object_id, name=row.name)])
    assert _problem() == (
        f"Row {pk} of catalog.DirectoryGroup is there, although its newest history row says that it was deleted."
    )


def test_a_row_that_was_removed_is_named(role: Role) -> None:
    pk = role.pk
    Role.objects.filter(pk=pk)._raw_delete(using="default")
    assert _problem() == f"Row {pk} of catalog.Role is gone, and no history row says so."


def test_a_made_up_version_is_named_when_it_says_something_else(role: Role) -> None:
    version = role.history.get()
    version.pk, version.name = None, "Forged"
    version.save(force_insert=True)
    assert _problem().startswith(f"Row {role.pk} of catalog.Role was altered: name ")


def test_what_is_written_while_the_rows_are_read_is_no_difference(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    read = live_rows._batches

    def overtaken(model: type[models.Model]) -> list[list[models.Model]]:
        batches = list(read(model))
        for row in batches[0] if model is Role and batches else ():
            Role.objects.get(pk=row.pk).save()
            fresh = Role.objects.get(pk=row.pk)
            fresh.name = "Production Support"
            fresh.save()
        return batches

    monkeypatch.setattr(live_rows, "_batches", overtaken)
    assert _problem() == ""
    role.delete()
    assert _problem() == ""


def test_many_rows_are_read_by_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        _group(number)
    with CaptureQueriesContext(connection) as few:
        assert live_rows.first_difference() == (7, "")
    monkeypatch.setattr(live_rows, "_BATCH", 3)
    with CaptureQueriesContext(connection) as more:
        assert live_rows.first_difference() == (7, "")
    assert len(more) > len(few)
    last = DirectoryGroup.objects.order_by("pk").last()
    assert last is not None
    DirectoryGroup.objects.filter(pk=last.pk).update(name="Forged")
    assert live_rows.first_difference()[1].startswith(f"Row {last.pk} of catalog.DirectoryGroup was altered: name ")


def test_every_model_with_history_is_held_to_it() -> None:
    names = {model.__name__ for model in history.tracked()}
    assert names >= {"AccessRequest", "Decision", "Grant", "Assignment", "AccessPolicy", "ApproverGroup", "Role"}
