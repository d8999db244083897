"""The database refuses two names that a reader would take for the same, whoever writes them."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from catalog.models import AccessPolicy, ApproverGroup, Environment, PermissionSet, Role, Sensitivity

pytestmark = pytest.mark.django_db

TWINS = ("PRODUCTION", "Ｐroduction", " Production ", "Produc\u200btion", "Production\u3164", "Produc\u00adtion")


def _roles(name: str, number: int) -> Any:
    return Role.objects.create(name=name, slug=f"r{number}", description="x")


def _environments(name: str, number: int) -> Any:
    return Environment.objects.create(name=name, slug=f"e{number}", sensitivity=Sensitivity.STAGING)


def _approver_groups(name: str, number: int) -> Any:
    return ApproverGroup.objects.create(name=name)


def _policies(name: str, number: int) -> Any:
    role, _ = Role.objects.get_or_create(slug="r", defaults={"name": "Any role"})
    environment, _ = Environment.objects.get_or_create(slug="e", defaults={"name": "Anywhere", "sensitivity": 1})
    arn = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef"
    permission_set, _ = PermissionSet.objects.get_or_create(arn=arn)
    return AccessPolicy.objects.create(name=name, role=role, environment=environment, permission_set=permission_set)


@pytest.mark.parametrize("make", [_roles, _environments, _approver_groups, _policies])
@pytest.mark.parametrize("twin", TWINS, ids=ascii)
def test_a_second_row_by_a_name_that_looks_the_same_is_refused(make: Any, twin: str) -> None:
    make("Production", 1)

    with pytest.raises(IntegrityError), transaction.atomic():
        make(twin, 2)


@pytest.mark.parametrize("make", [_roles, _environments, _approver_groups, _policies])
def test_names_that_differ_stand_side_by_side(make: Any) -> None:
    make("Production", 1)
    make("Production EU", 2)
    make("Straße", 3)

    with pytest.raises(IntegrityError), transaction.atomic():
        make("STRASSE", 4)

    make("Radio \u3392", 5)
    with pytest.raises(IntegrityError), transaction.atomic():
        make("radio MHz", 6)


def test_a_renamed_row_gives_its_name_free() -> None:
    role = _roles("Production Support", 1)
    role.name = "Support"
    role.save()

    assert _roles("production support", 2).pk


def test_rows_made_in_bulk_are_held_to_it_too() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Role.objects.bulk_create([Role(name="Auditor", slug="a"), Role(name="auditor", slug="b")])


def test_the_likeness_is_no_part_of_the_history() -> None:
    assert "likeness" not in {field.name for field in Role.history.model._meta.fields}
