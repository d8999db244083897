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


def apply() -> list[Account]:
    """With tags that AWS tells as they are in the rows, empty if they were not read."""
    return joining.apply(lambda account_id: Account.objects.get(account_id=account_id).tags or {})


def where(row: Account) -> Environment | None:
    return Account.objects.get(pk=row.pk).environment


def rule(environment: Environment, ou_path: str = "", key: str = "", value: str = "") -> AccountRule:
    return AccountRule.objects.create(environment=environment, ou_path=ou_path, tag_key=key, tag_value=value)


def test_an_account_joins_by_its_unit_and_those_below_it(production: Environment) -> None:
    rule(production, "Workloads/Production")
    inside, below = account(), account("Workloads/Production/Payments")
    beside, above = account("Workloads/Production-old"), account("Workloads")
    assert len(apply()) == 2
    assert [where(row) for row in (inside, below, beside, above)] == [production, production, None, None]
    assert apply() == [], "a second time changes nothing"


def test_an_account_joins_by_a_tag_and_by_both(production: Environment, sandbox: Environment) -> None:
    rule(production, "Workloads", "environment", "production")
    rule(sandbox, key="owner", value="")
    both, tagged, unread = account(tags={"environment": "production"}), account("", tags={"owner": ""}), account()
    other = account(tags={"environment": "Production"})
    apply()
    assert [where(row) for row in (both, tagged, unread, other)] == [production, sandbox, None, None]


def test_what_an_admin_has_put_somewhere_stays_there(
    production: Environment, sandbox: Environment, admin_client: Client, fill: Fill
) -> None:
    rule(production, "Workloads/Production")
    before, kept_out = account(environment=sandbox), account()
    apply()
    page = f"/admin/catalog/account/{kept_out.pk}/change/"
    assert admin_client.post(page, fill(page, environment="")).status_code == 302
    apply()
    assert (where(before), where(kept_out)) == (sandbox, None)


def test_an_account_that_no_rule_claims_any_more_leaves(production: Environment) -> None:
    claim = rule(production, "Workloads/Production")
    row = account()
    apply()
    claim.delete()
    apply()
    assert where(row) is None
    assert Account.objects.get(pk=row.pk).put_by is None


def test_an_account_that_two_environments_claim_joins_neither_and_that_is_said(
    production: Environment, sandbox: Environment
) -> None:
    rule(production, "Workloads/Production")
    row = account(tags={"environment": "sandbox"})
    apply()
    rule(sandbox, key="environment", value="sandbox")
    apply()
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
    apply()
    for tags in ({}, {"environment": "sandbox"}):
        Account.objects.filter(pk=row.pk).update(tags=tags)
        apply()
        assert where(row) is None, tags
    assert "by hand" in joining.problems()[0][1]
    Account.objects.filter(pk=row.pk).update(tags={"environment": "production"})
    apply()
    assert where(row) == production


def test_nor_to_other_people_of_the_same_sensitivity(production: Environment) -> None:
    other = Environment.objects.create(name="Web", slug="web", sensitivity=Sensitivity.PRODUCTION)
    rule(production, key="team", value="payments")
    rule(other, key="team", value="web")
    row = account(tags={"team": "payments"})
    apply()
    Account.objects.filter(pk=row.pk).update(tags={"team": "web"})
    apply()
    assert where(row) is None
    Account.objects.filter(pk=row.pk).update(tags={"team": "payments"})
    apply()
    assert where(row) == production


def test_an_account_may_become_more_sensitive(production: Environment, sandbox: Environment) -> None:
    claim = rule(sandbox, "Workloads")
    row = account()
    apply()
    AccountRule.objects.filter(pk=claim.pk).update(environment=production)
    apply()
    assert where(row) == production


def test_an_account_whose_row_is_made_anew_has_been_where_it_was(production: Environment, sandbox: Environment) -> None:
    rule(sandbox, "Workloads")
    row = account(environment=production)
    account_id = row.account_id
    row.delete()
    again = Account.objects.create(account_id=account_id, name="Ledger", ou_path="Workloads")
    apply()
    assert where(again) is None


def test_tags_are_read_anew_before_an_account_joins(production: Environment, sandbox: Environment) -> None:
    rule(sandbox, "Workloads")
    rule(production, key="environment", value="production")
    unread, stale, gone = account(), account(tags={}), account(tags={})
    now = {unread.account_id: {"environment": "production"}, stale.account_id: {"environment": "production"}}
    joining.apply(now.get)
    assert [where(row) for row in (unread, stale, gone)] == [None, None, None]
    assert len(joining.problems()) == 0, "nothing was read of two of them, and what two claim was not written"
    assert {row.account_id for row, _ in joining.moves()} == {unread.account_id, stale.account_id, gone.account_id}


def test_no_rule_takes_the_management_account(sandbox: Environment) -> None:
    rule(sandbox, "Workloads")
    row = account(is_management=True)
    apply()
    assert where(row) is None
    assert "management account" in joining.problems()[0][1]


def test_an_admin_keeps_an_account_out_that_was_never_anywhere(
    sandbox: Environment, admin_client: Client, fill: Fill
) -> None:
    rule(sandbox, "Workloads")
    row = account()
    page = f"/admin/catalog/account/{row.pk}/change/"
    assert admin_client.post(page, fill(page, put_by="hand", why="Keep it out.")).status_code == 302
    apply()
    assert where(row) is None
    assert admin_client.post(page, fill(page, put_by="rule")).status_code == 302
    apply()
    assert where(row) == sandbox


def test_an_account_that_is_saved_for_something_else_is_moved_as_before(
    sandbox: Environment, admin_client: Client, fill: Fill
) -> None:
    for row in (account(), account(environment=sandbox), account(put_by="rule")):
        before = row.put_by
        page = f"/admin/catalog/account/{row.pk}/change/"
        assert admin_client.post(page, fill(page, name="Ledger again")).status_code == 302
        row.refresh_from_db()
        assert (row.name, row.put_by) == ("Ledger again", before)


def test_what_an_admin_decides_while_accounts_are_moved_is_not_undone(sandbox: Environment) -> None:
    rule(sandbox, "Workloads", "team", "web")
    row = account(tags={"team": "web"})

    def meanwhile(account_id: str) -> dict[str, str]:
        Account.objects.filter(account_id=account_id).update(put_by="hand")
        return {"team": "web"}

    assert joining.apply(meanwhile) == []
    assert where(row) is None


def test_an_account_that_vanished_stays_as_it_was(production: Environment) -> None:
    claim = rule(production, "Workloads/Production")
    row = account()
    apply()
    claim.delete()
    Account.objects.update(vanished_at="2026-11-16T09:00Z")
    apply()
    assert where(row) == production


def test_a_move_is_recorded_with_its_version(production: Environment) -> None:
    rule(production, "Workloads/Production")
    account()
    apply()
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
    assert f"within ten minutes, {row} joins Production." in answer.content.decode()
    assert where(row) is None, "moving many would keep everybody waiting who has something to record"
    apply()
    assert where(row) == catalog.environment


def test_a_unit_in_which_aws_lists_nothing_is_said_at_once_and_among_the_problems(
    catalog: Catalog, admin_client: Client, fill: Fill
) -> None:
    page = f"/admin/catalog/environment/{catalog.environment.pk}/change/"
    admin_client.post(page, rules(fill, page, ou_path="Workloads/Prodution"))
    assert "in which AWS lists no account" not in admin_client.get(page).content.decode(), "nothing was read yet"
    account()
    answer = admin_client.post(page, fill(page, description="Where customers are."), follow=True)
    said = "names the organisational unit “Workloads/Prodution”, in which AWS lists no account. "
    assert f"{said}Did you mean “Workloads/Production”?" in answer.content.decode()
    assert said in admin_client.get("/catalog/problems/").content.decode()


def test_what_is_claimed_in_vain_is_among_the_problems_of_the_catalog(
    production: Environment, sandbox: Environment, admin_client: Client
) -> None:
    rule(production, "Workloads")
    rule(sandbox, "Workloads")
    row = account()
    apply()
    for page in ("/catalog/problems/", "/admin/"):
        body = admin_client.get(page).content.decode()
        assert f"both claim {row}" in body
        assert f"/admin/catalog/account/{row.pk}/change/" in body


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tag_value": "x"}, "Name the tag that has this value."),
        ({"ou_path": " / "}, "Name an organisational unit, a tag, or both."),
        ({"ou_path": "Work\u202eload\x1b[2J"}, "invisible character (U+202E)"),
        ({"tag_key": "env\u200b", "tag_value": "production"}, "invisible character (U+200B)"),
        ({"tag_key": "env", "tag_value": "\x1b[2J"}, "invisible character (U+001B)"),
    ],
)
def test_a_rule_that_says_nothing_or_hides_something_is_refused(
    catalog: Catalog, admin_client: Client, fill: Fill, given: dict[str, str], said: str
) -> None:
    page = f"/admin/catalog/environment/{catalog.environment.pk}/change/"
    answer = admin_client.post(page, rules(fill, page, **given))
    assert said in answer.content.decode()
    assert not AccountRule.objects.exists()
