"""A policy may approve asks up to a duration at once; of longer ones its stages decide."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from catalog import problems, wording
from catalog.automatic import When
from catalog.models import AccessPolicy
from tests.catalog.conftest import Catalog, Fill, errors, person
from tests.catalog.judging import ask, judge, policy
from tests.catalog.test_explain import said

HOUR = timedelta(hours=1)
UP_TO_AN_HOUR = policy(automatic=When(up_to=HOUR))


@pytest.mark.parametrize(("minutes", "at_once"), [(1, True), (60, True), (61, False), (480, False)])
def test_what_is_within_the_limit_is_approved_at_once_and_of_more_people_decide(minutes: int, at_once: bool) -> None:
    judgement = judge(UP_TO_AN_HOUR, of=ask(duration=timedelta(minutes=minutes)))
    assert judgement.verdict
    assert judgement.at_once is at_once
    assert [stage.approver_group for stage in judgement.stages] == ([] if at_once else ["Leads", "Security"])


def test_an_extension_counts_with_the_time_that_it_extends() -> None:
    half = timedelta(minutes=30)
    assert judge(UP_TO_AN_HOUR, of=ask(duration=half, already=half)).at_once
    assert not judge(UP_TO_AN_HOUR, of=ask(duration=half, already=half + timedelta(seconds=1))).at_once


def test_of_several_policies_the_least_limit_decides_and_is_named() -> None:
    shorter = policy(id=2, version=9, name="Shorter", automatic=When(up_to=HOUR / 2))
    always = policy(id=3, name="Always", automatic=When(), stages=())
    for duration, at_once in ((HOUR / 2, True), (HOUR, False)):
        outcome = judge(always, UP_TO_AN_HOUR, shorter, of=ask(duration=duration)).outcome
        assert outcome is not None
        assert (outcome.at_once, outcome.rule, outcome.version) == (at_once, "Shorter", 9)


def test_a_policy_by_which_people_always_decide_outweighs_any_limit() -> None:
    judgement = judge(UP_TO_AN_HOUR, policy(id=2, name="People"), of=ask(duration=HOUR / 2))
    assert judgement.outcome is not None
    assert (judgement.outcome.at_once, judgement.outcome.rule) == (False, "People")


def test_without_stages_nothing_is_allowed_for_nobody_would_decide_on_more() -> None:
    bare = policy(automatic=When(up_to=HOUR), stages=())
    assert "names nobody who decides" in judge(bare, of=ask(duration=HOUR)).verdict.reason


def test_before_the_ask_both_ways_are_told() -> None:
    terms = judge(UP_TO_AN_HOUR).terms
    assert terms is not None
    assert wording.deciders(terms) == "At once up to 1 hour; else 1 of Leads, then 1 of Security"


@pytest.mark.parametrize(
    ("field", "message", "given"),
    [
        ("automatic_up_to", "Say up to which duration", {"automatic_approval": "up_to"}),
        ("automatic_up_to", "longer than none", {"automatic_approval": "up_to", "automatic_up_to": "0h"}),
        ("automatic_up_to", "nothing would come", {"automatic_approval": "up_to", "automatic_up_to": "8h"}),
        ("automatic_up_to", "nothing would come", {"automatic_approval": "up_to", "automatic_up_to": "3d"}),
        ("automatic_up_to", "Write a duration", {"automatic_approval": "up_to", "automatic_up_to": "soon"}),
        ("automatic_up_to", "leave this empty", {"automatic_up_to": "1h"}),
        ("automatic_up_to", "leave this empty", {"automatic_approval": "always", "automatic_up_to": "1h"}),
        (
            "stages",
            "Nobody would decide",
            {"automatic_approval": "up_to", "automatic_up_to": "1h", "stages-0-DELETE": "on"},
        ),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_at_its_field(
    admin_client: Client, fill: Fill, catalog: Catalog, field: str, message: str, given: dict[str, Any]
) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    told = errors(admin_client.post(page, fill(page, **given)))
    assert message in told[field][0]
    assert set(told) == {field}


def test_a_limit_is_kept_and_explained(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    sent = fill(page, automatic_approval="up_to", automatic_up_to="90m")
    assert admin_client.post(page, sent).status_code == 302
    assert AccessPolicy.objects.get(pk=catalog.policy.pk).automatic_up_to == timedelta(minutes=90)
    person("Erin Engineer", catalog.group.object_id)
    told = said("who", "--role", "production-support", "--environment", "production")
    assert "approved at once up to 1 hour 30 minutes, by “Payments support”" in told
    listed = admin_client.get("/admin/catalog/accesspolicy/").content.decode()
    assert "at once up to 1 hour 30 minutes; else 1 of Payments leads" in listed


@pytest.mark.parametrize(
    "wrong",
    [
        {"automatic_approval": "up_to"},
        {"automatic_approval": "up_to", "automatic_up_to": timedelta(0)},
        {"automatic_approval": "never", "automatic_up_to": HOUR},
    ],
)
def test_the_database_keeps_the_choice_and_the_limit_together(catalog: Catalog, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessPolicy.objects.filter(pk=catalog.policy.pk).update(**wrong)


def test_a_limit_that_the_longest_duration_has_come_down_to_is_a_problem(catalog: Catalog) -> None:
    AccessPolicy.objects.update(automatic_approval="up_to", automatic_up_to=8 * HOUR)
    found = [problem.text for problem in problems.found(catalog.policy.pk) if problem.id == "catalog.W040"]
    assert found == ["“Payments support” approves all it allows at once, up to 8 hours: nothing comes to its stages."]
