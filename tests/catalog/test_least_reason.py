"""A policy may ask for a longer reason than the portal does: the longest counts, and names its policy."""

import pytest
from django.test import Client

from catalog.models import AccessPolicy
from tests.catalog.conftest import Catalog, Fill, errors, person
from tests.catalog.judging import ask, judge, policy
from tests.catalog.test_explain import said

LONG = "Replay the messages of last night. "


def reason(length: int) -> str:
    """A reason of so many characters."""
    return (LONG * 20)[: length - 1] + "x"


def test_a_reason_shorter_than_the_policy_asks_is_refused_by_its_name() -> None:
    judgement = judge(policy(least_reason=40), of=ask(reason=reason(39)))
    assert [(refusal.field, refusal.rule) for refusal in judgement.refusals] == [("reason", "Payments support")]
    assert "“Payments support” asks for a reason of at least 40 characters; yours has 39." in judgement.verdict.reason
    assert judge(policy(least_reason=40), of=ask(reason=reason(40))).verdict


def test_blanks_do_not_make_a_reason_longer() -> None:
    padded = f"  Payments are{' ' * 40}\n stuck. "
    assert "yours has 19" in judge(policy(least_reason=20), of=ask(reason=padded)).verdict.reason


def test_of_several_policies_the_longest_counts_and_is_named() -> None:
    judgement = judge(
        policy(least_reason=20),
        policy(id=2, name="Thorough", least_reason=60),
        policy(id=3, name="Easy"),
        of=ask(reason=reason(59)),
    )
    assert judgement.verdict.rule == "Thorough"
    assert judgement.terms is not None
    assert judgement.terms.least_reason.value == 60


def test_without_a_policy_that_asks_for_more_the_portals_own_least_holds() -> None:
    terms = judge(policy()).terms
    assert terms is not None
    assert (terms.least_reason.value, terms.least_reason.rule) == (10, "")


@pytest.mark.parametrize("given", ["0", "-1", "10", "501", "99999999999", "many"])
def test_the_admin_takes_no_length_that_asks_nothing_or_too_much(
    admin_client: Client, fill: Fill, catalog: Catalog, given: str
) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    assert errors(admin_client.post(page, fill(page, least_reason=given)))["least_reason"]


def test_a_length_is_kept_with_the_policy_and_told_by_the_explanation(
    admin_client: Client, fill: Fill, catalog: Catalog
) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    assert admin_client.post(page, fill(page, least_reason="40")).status_code == 302
    assert AccessPolicy.objects.get(pk=catalog.policy.pk).least_reason == 40
    person("Erin Engineer", catalog.group.object_id)
    told = said("who", "--role", "production-support", "--environment", "production")
    assert "a reason of at least 40 characters, by “Payments support”" in told
