"""An account that AWS lists no longer may come back: where it is then is as sensitive as where any other is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from catalog import joining
from catalog.effects import effects
from catalog.membership import Now
from catalog.models import Account, AccountRule, Environment, Sensitivity
from catalog.snapshots import snapshot, touches_sensitive
from tests.catalog.conftest import Catalog, person

PRODUCTION = ("Production",)


pytestmark = pytest.mark.usefixtures("production_is_sensitive")


@pytest.fixture
def sandbox(catalog: Catalog) -> Environment:
    return Environment.objects.create(name="Sandbox", slug="sandbox", sensitivity=Sensitivity.SANDBOX)


def vanished(environment: Environment | None, **columns: Any) -> Account:
    return Account.objects.create(
        account_id="222222222222", name="Ledger", environment=environment, vanished_at=timezone.now(), **columns
    )


def of(change: Callable[[], object]) -> tuple[list[str], tuple[str, ...]]:
    before = snapshot()
    change()
    after = snapshot()
    return [effect.text for effect in effects(before, after, Now())], touches_sensitive(before, after)


def test_it_leaves_a_sensitive_environment_only_with_a_second_admin(catalog: Catalog, sandbox: Environment) -> None:
    row = vanished(catalog.environment)
    said, touched = of(lambda: Account.objects.filter(pk=row.pk).update(environment=sandbox))
    alone = "in Sandbox one admin alone decides who may ask, and on what terms"
    assert said == [
        "Ledger (222222222222, vanished) leaves Production: nobody could ask for it there if AWS lists it again.",
        f"Ledger (222222222222, vanished) has been in Production, and {alone}.",
    ]
    assert touched == (*PRODUCTION, "Sandbox")


def test_it_joins_a_sensitive_environment_only_with_a_second_admin(catalog: Catalog, sandbox: Environment) -> None:
    row = vanished(sandbox)
    said, touched = of(lambda: Account.objects.filter(pk=row.pk).update(environment=catalog.environment))
    assert said == [
        "Ledger (222222222222, vanished) joins Production: it can be asked for there once AWS lists it again."
    ]
    assert touched == PRODUCTION


@pytest.mark.parametrize("changed", [{"name": "Play"}, {"put_by": "rule"}])
def test_what_approvers_are_shown_of_it_and_who_moves_it_count(catalog: Catalog, changed: dict[str, str]) -> None:
    row = vanished(catalog.environment)
    assert of(lambda: Account.objects.filter(pk=row.pk).update(**changed))[1] == PRODUCTION


def test_a_rule_that_would_bring_it_says_when(catalog: Catalog) -> None:
    row = vanished(None, ou_path="Workloads/Production", put_by="hand")
    AccountRule.objects.create(environment=catalog.environment, ou_path="Workloads/Production")
    said, touched = of(lambda: Account.objects.filter(pk=row.pk).update(put_by="rule"))
    assert said == ["Ledger (222222222222, vanished) joins Production by a rule once AWS lists it again."]
    assert touched == PRODUCTION
    assert joining.moves() == []


def test_an_environment_that_has_only_vanished_accounts_is_open_to_nobody(catalog: Catalog) -> None:
    for name in ("Ben", "Chiara", "Daniel"):
        person(name, catalog.group.object_id)
    said, _ = of(lambda: Account.objects.update(vanished_at=timezone.now()))
    assert "3 people (Ben, Chiara and Daniel) lose the right to ask for Production Support in Production." in said


def test_of_an_account_that_goes_both_ways_only_the_new_way_is_said(catalog: Catalog, sandbox: Environment) -> None:
    Account.objects.create(account_id="222222222222", name="Ledger", ou_path="Workloads")
    rule = AccountRule.objects.create(environment=catalog.environment, ou_path="Workloads")
    said, _ = of(lambda: AccountRule.objects.filter(pk=rule.pk).update(environment=sandbox))
    assert said == [
        "Ledger (222222222222) joins Sandbox by a rule when the inventory is next read, within ten minutes."
    ]
