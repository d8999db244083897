"""A policy that names tags is for the accounts that have them, beside those that are for any; the strictest holds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from catalog import account_tags, answers, problems
from catalog.models import AccessPolicy, Account, ApprovalStage
from catalog.offers import chosen, offers_for
from catalog.people import load
from catalog.policy import AccountChoice, evaluate
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, person, signed_in
from tests.catalog.judging import ACCOUNT, ASK, NOW, PERSON, policy

PERSONAL = frozenset({("data", "personal")})
LEAD = timedelta(days=30)
TAGGED: AccountChoice = replace(ACCOUNT, account_id="210987654321", name="Customers", tags=PERSONAL | {("a", "b")})
OPEN = policy(name="Open to all")
STRICT = policy(id=2, name="Personal data", account_tags=PERSONAL, longest_duration=timedelta(hours=1))


def judge(policies: Any, *accounts: AccountChoice) -> Any:
    ask = replace(ASK, accounts=accounts, duration=timedelta(minutes=30))
    return evaluate(policies, PERSON, ask, NOW, LEAD)


def test_a_policy_for_tagged_accounts_holds_for_those_and_for_no_others() -> None:
    assert judge((OPEN, STRICT), ACCOUNT).terms.longest_duration.rule == "Open to all"
    assert judge((OPEN, STRICT), TAGGED).terms.longest_duration.rule == "Personal data"


def test_of_several_accounts_the_strictest_terms_hold_for_all() -> None:
    judgement = judge((OPEN, STRICT), ACCOUNT, TAGGED)
    assert judgement.verdict
    assert judgement.terms.longest_duration.value == timedelta(hours=1)


def test_an_account_that_no_policy_is_for_is_refused_with_the_tags_that_it_lacks() -> None:
    judgement = judge((STRICT,), TAGGED, ACCOUNT)
    assert [refusal.field for refusal in judgement.refusals] == ["accounts"]
    assert judgement.verdict.reason == (
        "No policy lets you ask for Payments: “Personal data” is for those tagged data=personal."
    )
    assert judge((STRICT,), ACCOUNT).terms is None


def test_an_account_with_another_value_or_only_one_of_two_tags_is_not_one_of_them() -> None:
    both = replace(STRICT, account_tags=PERSONAL | {("team", "pay")})
    assert not judge((both,), TAGGED).verdict
    assert not judge((STRICT,), replace(TAGGED, tags=frozenset({("data", "Personal")}))).verdict


def test_an_account_whose_tags_are_not_known_is_refused_where_any_policy_goes_by_tags() -> None:
    unread = replace(ACCOUNT, tags=None)
    assert judge((OPEN,), unread).verdict
    refused = judge((OPEN, STRICT), unread).verdict
    assert not refused
    assert "AWS has not told the tags of Payments yet" in refused.reason
    assert refused.rule == "Personal data"


@pytest.mark.parametrize("lines", [["data"], ["=x"], ["data=x", "data=y"], ["a" * 129 + "=x"]])
def test_what_is_no_tag_is_refused(lines: list[str]) -> None:
    with pytest.raises(ValueError, match="tag"):
        account_tags.parse(lines)


# In the database.


@pytest.fixture
def erin(catalog: Catalog) -> User:
    """Who may ask; and two who decide."""
    for name in ("Lea", "Lou"):
        person(name, catalog.group.object_id)
    return person("Erin", catalog.group.object_id)


@pytest.fixture
def customers(catalog: Catalog) -> Account:
    """An account with personal data, for which a stricter policy holds, beside Payments, which has none."""
    Account.objects.filter(pk=catalog.account.pk).update(tags={})
    tags = {"data": "personal"}
    account = Account.objects.create(
        account_id="210987654321", name="Customers", environment=catalog.environment, tags=tags
    )
    strict = AccessPolicy.objects.create(
        name="Personal data",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=catalog.permission_set,
        longest_duration=timedelta(hours=1),
        account_tags=tags,
    )
    strict.requestable_by.add(catalog.group)
    ApprovalStage.objects.create(policy=strict, approver_group=catalog.approver_group, approvals_needed=2)
    return account


def test_each_part_of_the_accounts_is_offered_on_its_own_terms(
    catalog: Catalog, customers: Account, erin: User
) -> None:
    one, other = sorted(offers_for(load(erin.pk)), key=lambda offer: offer.tags)
    assert ([row.name for row in one.accounts], one.tags) == (["Payments"], "")
    assert ([row.name for row in other.accounts], other.tags) == (["Customers"], "data=personal")
    assert (one.terms.longest_duration.value, other.terms.longest_duration.value) == (
        timedelta(hours=8),
        timedelta(hours=1),
    )
    assert chosen((one, other), catalog.role, catalog.environment, [customers.account_id]) == other


def test_an_account_whose_tags_are_unread_is_not_offered_where_policies_go_by_tags(
    catalog: Catalog, customers: Account, erin: User
) -> None:
    Account.objects.filter(pk=catalog.account.pk).update(tags=None)
    (offer,) = offers_for(load(erin.pk))
    assert [row.name for row in offer.accounts] == ["Customers"]


def test_the_catalog_page_leads_to_the_form_of_each_part(catalog: Catalog, customers: Account, erin: User) -> None:
    browser = signed_in(erin)
    page = browser.get("/catalog/").content.decode()
    assert "For accounts tagged data=personal" in page
    form = browser.get(f"/requests/new/?role=production-support&environment=production&account={customers.account_id}")
    assert "Customers" in form.content.decode()
    assert 'value="123456789012"' not in form.content.decode()


def test_explain_tells_the_parts_apart(catalog: Catalog, customers: Account, erin: User) -> None:
    reached = answers.why(erin.pk, None, role=catalog.role, environment=catalog.environment).reached
    assert {
        each.standing.accounts: each.standing.terms and each.standing.terms.longest_duration.value for each in reached
    } == {
        "accounts tagged data=personal": timedelta(hours=1),
        "other accounts": timedelta(hours=8),
    }
    who = answers.who_can_ask(catalog.role, catalog.environment, None)
    assert who.count == 3
    assert {crowd.part.accounts for crowd in who.crowds} == {"accounts tagged data=personal", "other accounts"}


def test_tags_that_no_account_has_are_a_problem(catalog: Catalog, customers: Account, erin: User) -> None:
    assert "catalog.W018" not in {problem.id for problem in problems.found()}
    Account.objects.filter(pk=customers.pk).update(tags={"data": "none"})
    (problem,) = [problem for problem in problems.found() if problem.id == "catalog.W018"]
    assert problem.text == ("No account of Production is tagged data=personal, for which alone “Personal data” is.")
    assert problem.is_blocking


def test_an_admin_writes_tags_one_a_line(catalog: Catalog, admin_client: Client, fill: Fill) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    refused = admin_client.post(page, fill(page, account_tags="data"))
    assert "“data” is not a tag" in refused.content.decode()
    admin_client.post(page, fill(page, account_tags=" data = personal \nteam=pay"))
    catalog.policy.refresh_from_db()
    assert catalog.policy.account_tags == {"data": "personal", "team": "pay"}
    assert "data=personal" in admin_client.get(page).content.decode()
    admin_client.post(page, fill(page, account_tags=""))
    catalog.policy.refresh_from_db()
    assert catalog.policy.account_tags is None
