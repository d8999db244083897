"""What the catalog offers to a person is what a judgement would allow them, no more and no less."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import people
from catalog.models import (
    AccessPolicy,
    Account,
    ApprovalStage,
    DirectoryGroup,
    Environment,
    PermissionSet,
    Role,
)
from catalog.offers import choices_of, offers_for, policies_in_force
from catalog.policy import Ask, evaluate
from jitportal.models import User
from tests.catalog.conftest import Catalog, arn, person

LEAD = timedelta(days=30)


@pytest.fixture
def engineer(catalog: Catalog) -> User:
    return person("Erin", catalog.group.object_id, department="Payments")


def best_ask_is_allowed(catalog: Catalog, user: User) -> bool:
    """Whether the least that can be asked for in the catalog's one role and environment is allowed."""
    ask = Ask(
        role_id=catalog.role.pk,
        environment_id=catalog.environment.pk,
        accounts=choices_of(Account.objects.filter(environment=catalog.environment, vanished_at=None)[:1]),
        duration=timedelta(minutes=5),
        reason="Payments are stuck.",
        ticket="",
        start=None,
    )
    rows = policies_in_force(catalog.role.pk, catalog.environment.pk)
    return bool(evaluate(rows, people.load(user.pk), ask, timezone.now(), LEAD).verdict)


def _as_it_is(catalog: Catalog, user: User) -> None:
    """Changes nothing."""


def _out_of_force(catalog: Catalog, user: User) -> None:
    AccessPolicy.objects.update(is_in_force=False)


def _by_department_alone(catalog: Catalog, user: User) -> None:
    catalog.policy.requestable_by.clear()
    AccessPolicy.objects.update(departments=["Payments"])


def _departments_are_a_text(catalog: Catalog, user: User) -> None:
    catalog.policy.requestable_by.clear()
    AccessPolicy.objects.update(departments="P")
    User.objects.update(department="P")


def _departments_are_anything(catalog: Catalog, user: User) -> None:
    catalog.policy.requestable_by.clear()
    AccessPolicy.objects.update(departments=[["Payments"], 1, None, {"Payments": 1}])


def _nobody_may_ask(catalog: Catalog, user: User) -> None:
    catalog.policy.requestable_by.clear()


def _another_group(catalog: Catalog, user: User) -> None:
    user.directory_groups.clear()


def _disabled(catalog: Catalog, user: User) -> None:
    User.objects.update(is_active=False)


def _not_offered(catalog: Catalog, user: User) -> None:
    Role.objects.update(is_offered=False)


def _permission_set_vanished(catalog: Catalog, user: User) -> None:
    PermissionSet.objects.update(vanished_at=timezone.now())


def _no_stage(catalog: Catalog, user: User) -> None:
    ApprovalStage.objects.all().delete()


def _automatic(catalog: Catalog, user: User) -> None:
    ApprovalStage.objects.all().delete()
    AccessPolicy.objects.update(automatic_approval="always")


def _accounts_vanished(catalog: Catalog, user: User) -> None:
    Account.objects.update(vanished_at=timezone.now())


def _accounts_elsewhere(catalog: Catalog, user: User) -> None:
    Account.objects.update(environment=None)


def _rival(catalog: Catalog, *group: Any) -> None:
    other = AccessPolicy.objects.create(
        name="Rival",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=PermissionSet.objects.create(arn=arn(2), name="Admin"),
        automatic_approval="always",
    )
    other.requestable_by.set(group)


def _policies_disagree(catalog: Catalog, user: User) -> None:
    _rival(catalog, catalog.group)


def _policies_for_others_disagree(catalog: Catalog, user: User) -> None:
    _rival(catalog)


@pytest.mark.parametrize(
    ("change", "offered"),
    [
        (_as_it_is, True),
        (_by_department_alone, True),
        (_automatic, True),
        (_policies_for_others_disagree, True),
        (_out_of_force, False),
        (_departments_are_a_text, False),
        (_departments_are_anything, False),
        (_nobody_may_ask, False),
        (_another_group, False),
        (_disabled, False),
        (_not_offered, False),
        (_permission_set_vanished, False),
        (_no_stage, False),
        (_accounts_vanished, False),
        (_accounts_elsewhere, False),
        (_policies_disagree, False),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).strip("_"),
)
def test_something_is_offered_exactly_if_it_can_be_had(
    catalog: Catalog, engineer: User, change: Callable[[Catalog, User], None], offered: bool
) -> None:
    change(catalog, engineer)
    assert bool(offers_for(people.load(engineer.pk))) is offered
    assert best_ask_is_allowed(catalog, engineer) is offered


def test_an_offer_shows_the_terms_that_a_judgement_holds_to(catalog: Catalog, engineer: User) -> None:
    strict = AccessPolicy.objects.create(
        name="Strict",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=catalog.permission_set,
        longest_duration=timedelta(hours=2),
    )
    strict.requestable_by.add(catalog.group)
    (offer,) = offers_for(people.load(engineer.pk))
    assert (offer.terms.longest_duration.value, offer.terms.longest_duration.rule) == (timedelta(hours=2), "Strict")
    assert offer.accounts == (catalog.account,)


def test_only_accounts_that_aws_still_lists_are_offered(catalog: Catalog, engineer: User) -> None:
    Account.objects.create(
        account_id="210987654321", name="Gone", environment=catalog.environment, vanished_at=timezone.now()
    )
    (offer,) = offers_for(people.load(engineer.pk))
    assert [account.name for account in offer.accounts] == ["Payments"]


def test_a_policy_stands_with_its_newest_version(catalog: Catalog, engineer: User) -> None:
    catalog.policy.longest_duration = timedelta(hours=3)
    catalog.policy.save()
    (policy,) = policies_in_force()
    assert policy.version == catalog.policy.history.latest("history_id").history_id


def test_more_offers_ask_the_database_no_more(catalog: Catalog, engineer: User) -> None:
    def queries() -> int:
        asker = people.load(engineer.pk)
        with CaptureQueriesContext(connection) as captured:
            offers_for(asker)
        return len(captured)

    few = queries()
    for number in range(10):
        environment = Environment.objects.create(name=f"E{number}", slug=f"e{number}", sensitivity=1)
        Account.objects.create(account_id=f"{number:012d}", name="x", environment=environment)
        policy = AccessPolicy.objects.create(
            name=f"P{number}", role=catalog.role, environment=environment, permission_set=catalog.permission_set
        )
        policy.requestable_by.add(DirectoryGroup.objects.get(pk=catalog.group.pk))
        ApprovalStage.objects.create(policy=policy, approver_group=catalog.approver_group)
    assert len(offers_for(people.load(engineer.pk))) == 11
    assert queries() == few
