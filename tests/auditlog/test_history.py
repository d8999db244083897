"""Row versions name their actor as text, and digests vouch for them."""

import pytest
from django.db import models

from auditlog.actor import Actor
from auditlog.history import digest, latest_digest
from catalog.models import ApproverGroup, DirectoryGroup, Role
from jitportal.models import User
from tests.auditlog.conftest import ADA
from tests.flush import unprotected

pytestmark = pytest.mark.django_db


def _role() -> Role:
    role = Role(name="DevOps Engineer", slug="devops-engineer", description="Builds and runs.")
    role._history_user = ADA  # type: ignore[attr-defined]
    role._change_reason = "The first role"  # type: ignore[attr-defined]
    role.save()
    return role


def test_a_version_says_who_made_it_and_why() -> None:
    version = _role().history.get()
    assert version.history_user == version.history_user_id == f"person:{ADA.id}"
    assert version.history_change_reason == "The first role"


def test_a_person_who_is_signed_in_can_be_given_as_they_are(engineer: User) -> None:
    role = _role()
    role._history_user = engineer  # type: ignore[attr-defined]
    role.save()
    assert role.history.first().history_user == f"person:{engineer.object_id}"


def test_the_system_can_be_the_one_who_changed_it() -> None:
    role = _role()
    role._history_user = Actor.system("inventory")  # type: ignore[attr-defined]
    role.save()
    assert role.history.first().history_user == "system:inventory"


def test_a_version_without_an_actor_names_nobody() -> None:
    group = DirectoryGroup.objects.create(object_id="11111111-1111-4111-8111-111111111111", name="Payments")
    assert group.history.get().history_user is None


def test_there_is_no_foreign_key_to_the_person() -> None:
    version = Role.history.model
    assert isinstance(version._meta.get_field("history_user_id"), models.CharField)
    assert not any(field.related_model is User for field in version._meta.get_fields())


def test_the_digest_is_of_the_newest_version() -> None:
    role = _role()
    first = latest_digest(role)
    role.name = "Production Support"
    role.save()
    second = latest_digest(role)
    assert second["model"] == "catalog.HistoricalRole"
    assert second["history_id"] == role.history.first().pk
    assert first["sha256"] != second["sha256"]


def test_a_deleted_object_can_still_be_vouched_for() -> None:
    role = _role()
    pk = role.pk
    role.delete()
    entry = latest_digest(role, pk=pk)
    assert Role.history.get(pk=entry["history_id"]).history_type == "-"


def test_every_column_is_part_of_the_digest() -> None:
    version = _role().history.get()
    before = digest(version)
    for field in version._meta.concrete_fields:
        if isinstance(field, models.CharField | models.TextField):
            kept = getattr(version, field.attname)
            setattr(version, field.attname, f"{kept}!")
            assert digest(version) != before, field.attname
            setattr(version, field.attname, kept)
    assert digest(version) == before


def test_the_digest_is_the_same_when_the_row_is_read_again() -> None:
    version = _role().history.get()
    assert digest(version) == digest(type(version).objects.get(pk=version.pk))


def test_who_belongs_to_a_group_is_part_of_the_digest() -> None:
    field = ApproverGroup.history.model._history_m2m_fields[0]
    group = ApproverGroup.objects.create(name="Payments owners")
    member = DirectoryGroup.objects.create(object_id="11111111-1111-4111-8111-111111111111", name="Payments")
    alone = latest_digest(group)
    getattr(group, field.name).add(member)
    together = latest_digest(group)
    assert alone["sha256"] != together["sha256"]
    version = group.history.first()
    with unprotected():
        getattr(version, field.name).all().delete()
    assert digest(version) != together["sha256"]
