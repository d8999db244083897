"""A catalog that cannot work says so: in `manage.py check --database`, and to the admin who saved it."""

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from catalog import problems
from catalog.models import AccessPolicy, Account, ApprovalStage, ApproverGroup, DirectoryGroup, PermissionSet
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, arn, person, signed_in


@pytest.fixture(autouse=True)
def _people(catalog: Catalog) -> None:
    """One who asks, and two who decide and do not ask."""
    leads = DirectoryGroup.objects.create(object_id="c0000000-0000-4000-8000-000000000001", name="Leads")
    catalog.approver_group.directory_groups.set([leads])
    person("Erin", catalog.group.object_id)
    person("Lea", leads.object_id)
    person("Lou", leads.object_id)


def ids(policy: AccessPolicy) -> set[str]:
    return {problem.id for problem in problems.found(policy.pk)}


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


def _short_grants(catalog: Catalog) -> None:
    PermissionSet.objects.update(session_duration=timedelta(hours=9))


def _nobody_is_eligible(catalog: Catalog) -> None:
    User.objects.filter(name="Erin").update(is_active=False)


def _the_approvers_left(catalog: Catalog) -> None:
    User.objects.filter(name__in=["Lea", "Lou"]).update(is_active=False)


def _too_few_approvers(catalog: Catalog) -> None:
    ApprovalStage.objects.update(approvals_needed=3)


def _the_same_people_twice(catalog: Catalog) -> None:
    again = ApproverGroup.objects.create(name="Again")
    again.directory_groups.set(catalog.approver_group.directory_groups.all())
    ApprovalStage.objects.create(policy=catalog.policy, position=2, approver_group=again, approvals_needed=2)


def _an_asker_without_others(catalog: Catalog) -> None:
    User.objects.get(name="Lea").directory_groups.add(catalog.group)
    User.objects.filter(name="Lou").update(is_active=False)


def _a_crowd_is_told(catalog: Catalog) -> None:
    for number in range(problems.MOST_TOLD):
        person(f"P{number}", catalog.approver_group.directory_groups.get().object_id)


def _the_management_account(catalog: Catalog) -> None:
    Account.objects.update(is_management=True)


def _everything_allowed(catalog: Catalog) -> None:
    PermissionSet.objects.update(managed_policies=["arn:aws:iam::aws:policy/AdministratorAccess"])


def _closed_to_nobody(catalog: Catalog) -> None:
    catalog.policy.closed_to.add(DirectoryGroup.objects.create(object_id=str(uuid4()), name="Contractors"))


def _overlap(catalog: Catalog) -> None:
    second = AccessPolicy.objects.create(
        name="Second",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=catalog.permission_set,
        automatic_approval="always",
    )
    second.requestable_by.add(catalog.group)


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
        (_short_grants, "catalog.W010"),
        (_nobody_is_eligible, "catalog.W011"),
        (_the_approvers_left, "catalog.W012"),
        (_too_few_approvers, "catalog.W012"),
        (_the_same_people_twice, "catalog.W012"),
        (_an_asker_without_others, "catalog.W013"),
        (_a_crowd_is_told, "catalog.W014"),
        (_overlap, "catalog.W015"),
        (_the_management_account, "catalog.W016"),
        (_everything_allowed, "catalog.W017"),
        (_closed_to_nobody, "catalog.W019"),
    ],
    ids=lambda value: getattr(value, "__name__", value).strip("_"),
)
def test_each_problem_has_its_id(catalog: Catalog, spoil: Any, expected: str) -> None:
    spoil(catalog)
    assert ids(catalog.policy) == {expected}
    assert expected in {message.id for message in run_checks(databases=["default"])}


def test_a_policy_that_is_closed_to_people_who_left_says_so_by_name(catalog: Catalog) -> None:
    _closed_to_nobody(catalog)
    gone = catalog.policy.closed_to.get()
    carl = person("Carl", gone.object_id)
    assert ids(catalog.policy) == set()
    User.objects.filter(pk=carl.pk).update(is_active=False)
    (problem,) = problems.found(catalog.policy.pk)
    assert problem.text.startswith("Nobody whom the portal knows is in Contractors")
    assert not problem.is_blocking


def test_a_policy_that_is_not_in_force_has_no_problem(catalog: Catalog) -> None:
    AccessPolicy.objects.update(is_in_force=False, ticket_pattern="(")
    assert ids(catalog.policy) == set()


def test_the_policys_own_page_and_the_list_and_the_front_page_show_it(catalog: Catalog, admin_client: Client) -> None:
    _short_grants(catalog)
    said = "Sessions of Support last 9 hours, and “Payments support” grants at most 8 hours"
    for page in (f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/", "/catalog/problems/", "/admin/"):
        assert said in admin_client.get(page).content.decode(), page


def test_a_warning_keeps_nobody_from_saving(catalog: Catalog, admin_client: Client, fill: Fill) -> None:
    _short_grants(catalog)
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    response = admin_client.post(page, fill(page, longest_duration="4h"), follow=True)
    assert "grants at most 4 hours" in response.content.decode()
    assert AccessPolicy.objects.get().longest_duration == timedelta(hours=4)


def test_the_list_is_not_for_everybody(catalog: Catalog) -> None:
    assert signed_in(person("Ben")).get("/catalog/problems/").status_code == 403


def test_the_command_lists_what_blocks_first(catalog: Catalog) -> None:
    _short_grants(catalog)
    _the_approvers_left(catalog)
    output = StringIO()
    call_command("catalog", "problems", stdout=output)
    lines = output.getvalue().splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["catalog.W012 problem", "catalog.W010 warning"]
    assert lines[-1] == "Problems: 1, warnings: 1."


def test_more_policies_ask_the_database_no_more(catalog: Catalog, django_assert_num_queries: Any) -> None:
    def copies(many: int) -> None:
        for _ in range(many):
            count = AccessPolicy.objects.count()
            made = AccessPolicy.objects.create(
                name=f"Copy {count}",
                role=catalog.role,
                environment=catalog.environment,
                permission_set=catalog.permission_set,
            )
            made.requestable_by.add(catalog.group)
            ApprovalStage.objects.create(policy=made, approver_group=catalog.approver_group)

    copies(1)
    with django_assert_num_queries(18):
        problems.found()
    copies(10)
    with django_assert_num_queries(18):
        problems.found()
