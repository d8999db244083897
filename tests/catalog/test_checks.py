"""A catalog that cannot work says so: in `manage.py check --database`, and to the admin who saved it."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.utils import timezone

from catalog.checks import problems_of
from catalog.models import AccessPolicy, Account, ApprovalStage, ApproverGroup, PermissionSet
from tests.catalog.conftest import Catalog, arn


def ids(policy: AccessPolicy) -> set[str]:
    return {problem.id for problem in problems_of(AccessPolicy.objects.get(pk=policy.pk))}


def test_a_sound_policy_has_no_problem(catalog: Catalog) -> None:
    assert ids(catalog.policy) == set()
    assert [message for message in run_checks(databases=["default"]) if str(message.id).startswith("catalog.")] == []


def _nobody_may_ask(catalog: Catalog) -> None:
    catalog.policy.requestable_by.clear()


def _departments_are_a_text(catalog: Catalog) -> None:
    AccessPolicy.objects.update(departments="Payments")


def _permission_set_vanished(catalog: Catalog) -> None:
    PermissionSet.objects.update(vanished_at=timezone.now())


def _nobody_decides(catalog: Catalog) -> None:
    catalog.policy.stages.all().delete()


def _stages_for_nothing(catalog: Catalog) -> None:
    AccessPolicy.objects.update(automatic_approval="always")


def _approvers_without_people(catalog: Catalog) -> None:
    empty = ApproverGroup.objects.create(name="Empty")
    ApprovalStage.objects.create(policy=catalog.policy, position=2, approver_group=empty)


def _slow_pattern(catalog: Catalog) -> None:
    AccessPolicy.objects.update(ticket_pattern=r"(a+)+")


def _disagreement(catalog: Catalog) -> None:
    AccessPolicy.objects.create(
        name="Rival",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=PermissionSet.objects.create(arn=arn(2), name="Admin"),
    )


def _no_account(catalog: Catalog) -> None:
    Account.objects.update(environment=None)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_nobody_may_ask, "catalog.W001"),
        (_departments_are_a_text, "catalog.W002"),
        (_permission_set_vanished, "catalog.W003"),
        (_nobody_decides, "catalog.W004"),
        (_stages_for_nothing, "catalog.W005"),
        (_approvers_without_people, "catalog.W006"),
        (_slow_pattern, "catalog.W007"),
        (_disagreement, "catalog.W008"),
        (_no_account, "catalog.W009"),
    ],
    ids=lambda value: getattr(value, "__name__", value).strip("_"),
)
def test_each_problem_has_its_id(catalog: Catalog, spoil: Any, expected: str) -> None:
    spoil(catalog)
    assert ids(catalog.policy) == {expected}
    assert expected in {message.id for message in run_checks(databases=["default"])}


def test_a_policy_that_is_not_in_force_has_no_problem(catalog: Catalog) -> None:
    AccessPolicy.objects.update(is_in_force=False, ticket_pattern="(")
    assert ids(catalog.policy) == set()
