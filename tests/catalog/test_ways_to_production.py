"""Every way into the catalog that changes something in Production waits for a second admin."""

import pytest
from django.test import Client

from catalog.models import Account, ApproverGroup, DirectoryGroup, Environment, Sensitivity
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, signed_in, text
from tests.catalog.proposing import accept, hours, of_policy, proposed

pytestmark = pytest.mark.usefixtures("production_is_sensitive", "enough_people")


def test_a_directory_group_for_approvers_waits(browser: Client, catalog: Catalog, fill: Fill) -> None:
    group = DirectoryGroup.objects.create(object_id="b0000000-0000-4000-8000-000000000009", name="Data")
    page = f"/admin/catalog/approvergroup/{catalog.approver_group.pk}/change/"
    proposed(browser, page, fill(page, directory_groups=[catalog.group.pk, group.pk]))
    assert catalog.approver_group.directory_groups.count() == 1


def test_who_may_ask_waits_though_it_is_a_link_alone(browser: Client, catalog: Catalog, fill: Fill) -> None:
    group = DirectoryGroup.objects.create(object_id="b0000000-0000-4000-8000-000000000009", name="Data")
    proposed(browser, of_policy(catalog), fill(of_policy(catalog), requestable_by=[catalog.group.pk, group.pk]))
    assert catalog.policy.requestable_by.count() == 1


def test_a_stage_waits_though_it_is_a_part_alone(browser: Client, catalog: Catalog, fill: Fill) -> None:
    proposed(browser, of_policy(catalog), fill(of_policy(catalog)) | {"stages-0-approvals_needed": "2"})
    catalog.stage.refresh_from_db()
    assert catalog.stage.approvals_needed == 1


def test_a_role_that_is_offered_again_waits(browser: Client, catalog: Catalog, fill: Fill) -> None:
    type(catalog.role).objects.update(is_offered=False)
    page = f"/admin/catalog/role/{catalog.role.pk}/change/"
    proposed(browser, page, fill(page, is_offered="on"))
    catalog.role.refresh_from_db()
    assert not catalog.role.is_offered


def test_how_long_sessions_live_waits(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/permissionset/{catalog.permission_set.pk}/change/"
    proposed(browser, page, fill(page, session_duration="4h"))
    catalog.permission_set.refresh_from_db()
    assert catalog.permission_set.session_duration.total_seconds() == 3600


@pytest.mark.parametrize("way", ["in", "out"])
def test_an_account_that_moves_waits(browser: Client, catalog: Catalog, fill: Fill, way: str) -> None:
    sandbox = Environment.objects.create(name="Sandbox", slug="sandbox", sensitivity=Sensitivity.SANDBOX)
    here = catalog.environment if way == "out" else sandbox
    Account.objects.update(environment=here)
    page = f"/admin/catalog/account/{catalog.account.pk}/change/"
    to = sandbox if way == "out" else catalog.environment
    proposed(browser, page, fill(page, environment=to.pk))
    catalog.account.refresh_from_db()
    assert catalog.account.environment == here


def test_an_account_that_has_been_there_waits_wherever_it_goes(
    browser: Client, second: User, catalog: Catalog, fill: Fill
) -> None:
    sandbox = Environment.objects.create(name="Sandbox", slug="sandbox", sensitivity=Sensitivity.SANDBOX)
    page = f"/admin/catalog/account/{catalog.account.pk}/change/"
    accept(second, proposed(browser, page, fill(page, environment=None)))
    proposal = proposed(browser, page, fill(page, environment=sandbox.pk))
    catalog.account.refresh_from_db()
    assert (catalog.account.environment, proposal.environments) == (None, ["Sandbox"])
    shown = text(signed_in(second).get(f"/catalog/proposals/{proposal.pk}/"))
    assert "Payments (123456789012) has been in Production, and in Sandbox one admin alone decides" in shown
    accept(second, proposal)
    catalog.account.refresh_from_db()
    assert catalog.account.environment == sandbox


def test_an_account_that_has_been_there_waits_though_its_row_was_made_anew(
    browser: Client, catalog: Catalog, fill: Fill
) -> None:
    sandbox = Environment.objects.create(name="Sandbox", slug="sandbox", sensitivity=Sensitivity.SANDBOX)
    catalog.account.delete()
    page = "/admin/catalog/account/add/"
    sent = {"account_id": "123456789012", "name": "Play", "environment": sandbox.pk}
    proposed(browser, page, fill(page) | sent)
    assert not Account.objects.exists()


def test_an_account_that_was_nowhere_joins_a_sandbox_at_once(
    admin_client: Client, catalog: Catalog, fill: Fill
) -> None:
    sandbox = Environment.objects.create(name="Sandbox", slug="sandbox", sensitivity=Sensitivity.SANDBOX)
    account = Account.objects.create(account_id="222222222222", name="Play")
    page = f"/admin/catalog/account/{account.pk}/change/"
    assert admin_client.post(page, fill(page, environment=sandbox.pk)).status_code == 302
    account.refresh_from_db()
    assert account.environment == sandbox


def test_a_new_account_there_waits(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = "/admin/catalog/account/add/"
    sent = {"account_id": "222222222222", "name": "Ledger", "environment": catalog.environment.pk}
    for added in ({}, {"_popup": "1"}):
        proposed(browser, page, {**fill(page), **sent, **added})
    assert Account.objects.count() == 1


def test_a_rule_by_which_accounts_join_waits(browser: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/environment/{catalog.environment.pk}/change/"
    rule = {"account_rules-TOTAL_FORMS": "1", "account_rules-0-ou_path": "Workloads/Production"}
    proposed(browser, page, fill(page) | rule)
    assert not catalog.environment.account_rules.exists()


@pytest.mark.parametrize("changed", [{"sensitivity": "1"}, {"name": "Playground"}])
def test_what_an_environment_is_taken_for_waits(
    browser: Client, catalog: Catalog, fill: Fill, changed: dict[str, str]
) -> None:
    page = f"/admin/catalog/environment/{catalog.environment.pk}/change/"
    proposed(browser, page, fill(page, **changed))
    catalog.environment.refresh_from_db()
    assert (catalog.environment.name, catalog.environment.sensitivity) == ("Production", Sensitivity.PRODUCTION)


def test_an_old_version_is_not_a_way_round(browser: Client, catalog: Catalog, fill: Fill) -> None:
    version = catalog.policy.history.latest("history_id").pk
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/history/{version}/"
    assert browser.post(page, fill(of_policy(catalog), longest_duration="12h")).status_code == 403
    assert hours(catalog) == 8


def test_a_group_that_decides_nowhere_sensitive_is_saved_at_once(browser: Client, fill: Fill) -> None:
    page = "/admin/catalog/approvergroup/add/"
    group = DirectoryGroup.objects.create(object_id="b0000000-0000-4000-8000-000000000009", name="Data")
    assert browser.post(page, fill(page, name="Data leads", directory_groups=[group.pk])).status_code == 302
    assert ApproverGroup.objects.filter(name="Data leads").exists()
