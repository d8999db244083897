"""Accounts join environments by organisational unit and by tag, and never a less sensitive one than before."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client

from auditlog.models import Event
from catalog import joining
from catalog.models import Account, AccountRule, Environment, Sensitivity
from tests.catalog.conftest import Catalog, Fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def production() -> Environment:
    return Environment.objects.create(name="Production", slug="production", sensitivity=Sensitivity.PRODUCTION)


@pytest.fixture
def sandbox() -> Environment:
    return Environment.objects.create(name="Sandbox", slug="sandbox", sensitivity=Sensitivity.SANDBOX)


def account(ou_path: str = "Workloads/Production", **values: Any) -> Account:
    number = 200000000000 + Account.objects.count()
    return Account.objects.create(account_id=str(number), name="Ledger", ou_path=ou_path, **values)


def where(row: Account) -> Environment | None:
    return Account.objects.get(pk=row.pk).environment


def rule(environment: Environment, ou_path: str = "", key: str = "", value: str = "") -> AccountRule:
    return AccountRule.objects.create(environment=environment, ou_path=ou_path, tag_key=key, tag_value=value)


def test_an_account_joins_by_its_unit_and_those_below_it(production: Environment) -> None:
    rule(production, "Workloads/Production")
    inside, below = account(), account("Workloads/Production/Payments")
    beside, above = account("Workloads/Production-old"), account("Workloads")
    assert len(joining.apply()) == 2
    assert [where(row) for row in (inside, below, beside, above)] == [production, production, None, None]
    assert joining.apply() == [], "a second time changes nothing"


def test_an_account_joins_by_a_tag_and_by_both(production: Environment, sandbox: Environment) -> None:
    rule(production, "Workloads", "environment", "production")
    rule(sandbox, key="owner", value="")
    both, tagged, unread = account(tags={"environment": "production"}), account("", tags={"owner": ""}), account()
    other = account(tags={"environment": "Production"})
    joining.apply()
    assert [where(row) for row in (both, tagged, unread, other)] == [production, sandbox, None, None]


def test_what_an_admin_has_put_somewhere_stays_there(
    production: Environment, sandbox: Environment, admin_client: Client, fill: Fill
) -> None:
    rule(production, "Workloads/Production")
    before, kept_out = account(environment=sandbox), account()
    joining.apply()
    page = f"/admin/catalog/account/{kept_out.pk}/change/"
    assert admin_client.post(page, fill(page, environment="")).status_code == 302
    joining.apply()
    assert (where(before), where(kept_out)) == (sandbox, None)


def test_an_account_that_no_rule_claims_any_more_leaves(production: Environment) -> None:
    claim = rule(production, "Workloads/Production")
    row = account()
    joining.apply()
    claim.delete()
    joining.apply()
    assert where(row) is None
    assert Account.objects.get(pk=row.pk).put_by is None


def test_an_account_that_two_environments_claim_joins_neither_and_that_is_said(
    production: Environment, sandbox: Environment
) -> None:
    rule(production, "Workloads/Production")
    row = account(tags={"environment": "sandbox"})
    joining.apply()
    rule(sandbox, key="environment", value="sandbox")
    joining.apply()
    assert where(row) is None
    said = f"Rules of Production and Sandbox both claim {row}: it is in neither. Change one of them."
    assert joining.problems() == [(row, said)]
    assert "catalog.W030" in {message.id for message in run_checks(databases=["default"])}


def test_a_tag_in_aws_never_moves_an_account_to_where_less_is_asked(
    production: Environment, sandbox: Environment
) -> None:
    rule(production, key="environment", value="production")
    rule(sandbox, key="environment", value="sandbox")
    row = account(tags={"environment": "production"})
    joining.apply()
    for tags in ({}, {"environment": "sandbox"}):
        Account.objects.filter(pk=row.pk).update(tags=tags)
        joining.apply()
        assert where(row) is None, tags
    assert "by hand" in joining.problems()[0][1]
    Account.objects.filter(pk=row.pk).update(tags={"environment": "production"})
    joining.apply()
    assert where(row) == production


def test_an_account_that_vanished_stays_as_it_was(production: Environment) -> None:
    claim = rule(production, "Workloads/Production")
    row = account()
    joining.apply()
    claim.delete()
    Account.objects.update(vanished_at="2026-11-16T09:00Z")
    joining.apply()
    assert where(row) == production


def test_a_move_is_recorded_with_its_version(production: Environment) -> None:
    rule(production, "Workloads/Production")
    account()
    joining.apply()
    event = Event.objects.latest("number")
    assert (event.action, event.actor) == ("catalog.changed", "system:inventory")
    assert "By a rule of the environment." in event.canonical
    assert '"environment":[null,"Production"]' in event.canonical


def rules(fill: Fill, page: str, **values: str) -> dict[str, Any]:
    given = {f"account_rules-0-{name}": value for name, value in values.items()}
    return fill(page, **{"account_rules-TOTAL_FORMS": "1", **given})


def test_an_admin_writes_rules_and_reads_at_once_whom_they_move(
    catalog: Catalog, admin_client: Client, fill: Fill
) -> None:
    row = account()
    page = f"/admin/catalog/environment/{catalog.environment.pk}/change/"
    sent = rules(fill, page, ou_path=" Root/Workloads / Production/ ")
    answer = admin_client.post(page, sent, follow=True)
    assert AccountRule.objects.get().ou_path == "Workloads/Production"
    assert f"By the rules {row} joined Production." in answer.content.decode()
    assert where(row) == catalog.environment


def test_what_is_claimed_in_vain_is_among_the_problems_of_the_catalog(
    production: Environment, sandbox: Environment, admin_client: Client
) -> None:
    rule(production, "Workloads")
    rule(sandbox, "Workloads")
    row = account()
    joining.apply()
    for page in ("/catalog/problems/", "/admin/"):
        body = admin_client.get(page).content.decode()
        assert f"both claim {row}" in body
        assert f"/admin/catalog/account/{row.pk}/change/" in body


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tag_value": "x"}, "Name the tag that has this value."),
        ({"ou_path": " / "}, "Name an organisational unit, a tag, or both."),
    ],
)
def test_a_rule_that_says_nothing_is_refused(
    catalog: Catalog, admin_client: Client, fill: Fill, given: dict[str, str], said: str
) -> None:
    page = f"/admin/catalog/environment/{catalog.environment.pk}/change/"
    answer = admin_client.post(page, rules(fill, page, **given))
    assert said in answer.content.decode()
    assert not AccountRule.objects.exists()
