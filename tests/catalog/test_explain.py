"""Who can ask for what, why somebody can or cannot, who would decide: with the rule and the group that make it so."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from catalog import answers
from catalog.models import AccessPolicy, Account, ApprovalStage, ApproverGroup, DirectoryGroup, PermissionSet, Role
from jitportal.models import User
from tests.catalog.conftest import Catalog, arn, person, signed_in


@pytest.fixture
def leads(catalog: Catalog) -> DirectoryGroup:
    """A group of its own for those who decide, with two people in it."""
    group = DirectoryGroup.objects.create(object_id="c0000000-0000-4000-8000-000000000001", name="Leads")
    catalog.approver_group.directory_groups.set([group])
    person("Lea", group.object_id)
    person("Lou", group.object_id)
    return group


@pytest.fixture
def erin(catalog: Catalog, leads: DirectoryGroup) -> User:
    return person("Erin", catalog.group.object_id, department="Payments")


def who(catalog: Catalog) -> answers.Who:
    return answers.who_can_ask(catalog.role, catalog.environment, None)


def why(catalog: Catalog, user: User) -> answers.Reached:
    (reached,) = answers.why(user.pk, None, role=catalog.role, environment=catalog.environment).reached
    return reached


def test_those_who_can_ask_are_listed_with_the_rule_and_the_group(catalog: Catalog, erin: User) -> None:
    found = who(catalog)
    assert found.count == 1
    (listed,) = found.listed
    assert (listed.person.name, listed.because[0].policy.name) == ("Erin", "Payments support")
    assert listed.because[0].group_ids == (catalog.group.object_id,)
    assert found.groups[catalog.group.object_id] == "Payments engineers"


def test_people_of_a_department_can_ask_too(catalog: Catalog, erin: User) -> None:
    AccessPolicy.objects.update(departments=["Data"])
    person("Dora", department="Data")
    assert [(each.person.name, each.because[0].department) for each in who(catalog).listed] == [
        ("Dora", "Data"),
        ("Erin", ""),
    ]


def test_who_is_disabled_cannot_ask(catalog: Catalog, erin: User) -> None:
    User.objects.filter(pk=erin.pk).update(is_active=False)
    assert who(catalog).count == 0
    assert not why(catalog, erin).may_ask
    assert "disabled" in why(catalog, erin).refusals[0].reason


def test_those_whom_two_rules_let_in_are_counted_apart(catalog: Catalog, erin: User) -> None:
    second = AccessPolicy.objects.create(
        name="Data support",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=PermissionSet.objects.create(arn=arn(2), name="Admin"),
        departments=["Payments"],
        automatic_approval="always",
    )
    person("Dora", department="Payments")
    crowds = {tuple(policy.name for policy in crowd.policies): crowd for crowd in who(catalog).crowds}
    assert crowds[(second.name,)].can_ask
    both = crowds[("Data support", "Payments support")]
    assert (both.count, both.can_ask) == (1, False)
    assert "different permission sets" in both.refusals[0].reason
    assert who(catalog).count == 1


def test_a_person_is_told_which_groups_would_let_them_in(catalog: Catalog, erin: User) -> None:
    found = why(catalog, person("Ben"))
    assert not found.may_ask
    assert found.refusals[0].reason == "Ben is in none of the groups or departments that “Payments support” names."
    assert [policy.name for policy in found.standing.closed] == ["Payments support"]


def test_a_person_who_can_ask_is_told_by_what_and_who_would_decide(catalog: Catalog, erin: User) -> None:
    found = why(catalog, erin)
    assert found.may_ask
    assert found.standing.because[0].group_ids == (catalog.group.object_id,)
    assert [(step.count, sorted(step.names.values())) for step in found.deciding] == [(2, ["Lea", "Lou"])]


def test_nobody_would_decide_on_their_own(catalog: Catalog, leads: DirectoryGroup) -> None:
    both = person("Chiara", leads.object_id, catalog.group.object_id)
    assert [step.count for step in why(catalog, both).deciding] == [2]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda: Role.objects.update(is_offered=False), "not offered at present"),
        (lambda: Account.objects.update(environment=None), "no account to ask for in Production"),
        (lambda: ApprovalStage.objects.all().delete(), "names nobody who decides"),
        (lambda: AccessPolicy.objects.update(is_in_force=False), "No access policy offers this role"),
        (lambda: User.directory_groups.through.objects.filter(user__name__startswith="L").delete(), "Nobody could"),
    ],
)
def test_what_is_in_the_way_is_said(catalog: Catalog, erin: User, spoil: Any, reason: str) -> None:
    spoil()
    found = why(catalog, erin)
    assert not found.may_ask
    assert any(reason in refusal.reason for refusal in found.refusals)
    assert who(catalog).count == 0


def test_what_a_group_could_reach_is_what_its_members_could_ask_for_through_it(
    catalog: Catalog, erin: User, leads: DirectoryGroup
) -> None:
    (reached,) = answers.reach_of_group(catalog.group, None).reached
    assert (reached.standing.role, reached.standing.environment) == ("Production Support", "Production")
    assert reached.may_ask
    assert answers.reach_of_group(leads, None).reached == ()


def test_without_a_role_all_that_a_person_can_ask_for_is_told(catalog: Catalog, erin: User) -> None:
    assert [each.standing.role for each in answers.why(erin.pk, None).reached] == ["Production Support"]
    assert answers.why(person("Ben").pk, None).reached == ()


def get(client: Client, **asked: str) -> Any:
    return client.get("/explain/", asked)


def test_the_page_answers_each_question(catalog: Catalog, erin: User, admin_client: Client) -> None:
    page = get(admin_client, question="who", role="production-support", environment="production").content.decode()
    assert "1 person can ask for" in page
    assert "“Payments support”, as a member of Payments engineers" in page
    assert "1 of Payments leads: 2 people could decide (<bdi>Lea, Lou</bdi>)" in page
    page = get(
        admin_client, question="why", person="erin", role="production-support", environment="production"
    ).content.decode()
    assert "Can ask" in page
    page = get(admin_client, question="reach", group="Payments engineers").content.decode()
    assert "Production Support in Production" in page


def test_fresh_proof_is_part_of_the_answer(catalog: Catalog, erin: User) -> None:
    AccessPolicy.objects.update(step_up_context="c1", step_up_for="both", step_up_longest_age=timedelta(minutes=15))
    page = get(signed_in(erin), question="me").content.decode()
    assert page.count("authentication context C1, at most 15 minutes ago, by “Payments support”") == 2


def test_people_ask_about_themselves_without_the_names_of_others(catalog: Catalog, erin: User) -> None:
    page = get(signed_in(erin), question="me").content.decode()
    assert "Production Support in Production" in page
    assert "2 people could decide" in page
    assert "Lea" not in page
    page = get(signed_in(person("Ben")), question="me", role="production-support", environment="production")
    assert "You are in none of the groups or departments that “Payments support” names." in page.content.decode()


@pytest.mark.parametrize("question", ["who", "why", "reach"])
def test_people_ask_about_nobody_else(catalog: Catalog, erin: User, question: str) -> None:
    assert get(signed_in(erin), question=question, person="Lea").status_code == 403


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"question": "who"}, "role", "Choose a role."),
        ({"question": "who", "role": "nonsense", "environment": "production"}, "role", "There is no such role."),
        ({"question": "who", "role": "\x00", "environment": "production"}, "role", ""),
        ({"question": "why", "person": "nobody-of-that-name"}, "person", "There is no person"),
        ({"question": "why", "person": "L"}, "person", "Which one: Lea ("),
        ({"question": "why", "person": "\x00"}, "person", "Null characters"),
        ({"question": "why", "person": "x" * 321}, "person", "at most 320"),
        ({"question": "why", "person": "erin", "role": "production-support"}, "environment", "Choose the environment"),
        ({"question": "why", "person": "erin", "at": "yesterday"}, "at", "Give the day and the time"),
        ({"question": "why", "person": "erin", "at": "9999-01-01 00:00"}, "at", "has not come yet"),
        ({"question": "why", "person": "erin", "at": "2001-01-01 00:00"}, "at", "record does not go back to that time"),
        ({"question": "reach", "group": "nothing"}, "group", "There is no directory group"),
    ],
)
def test_a_question_that_cannot_be_understood_is_answered_at_its_field(
    catalog: Catalog, erin: User, admin_client: Client, asked: dict[str, str], field: str, message: str
) -> None:
    answer = get(admin_client, **asked)
    assert answer.status_code == 400
    assert message in answer.context["form"].errors[field][0]


def said(*words: str) -> str:
    output = StringIO()
    call_command("explain", *words, stdout=output)
    return output.getvalue()


def test_the_command_answers_as_the_page_does(catalog: Catalog, erin: User) -> None:
    printed = said("who", "--role", "production-support", "--environment", "production")
    assert "1 can ask for Production Support in Production." in printed
    assert "“Payments support”, as a member of Payments engineers" in printed
    assert "1 of Payments leads, by “Payments support”: 2 people could decide (Lea, Lou)" in printed
    assert "can ask" in said("why", "--person", "erin")
    assert "Production Support" in said("reach", "--group", "Payments engineers")
    with pytest.raises(CommandError, match="--person: There is no person"):
        said("why", "--person", "zzz")


def test_more_people_ask_the_database_no_more(
    catalog: Catalog, erin: User, admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        person(f"P{number}", catalog.group.object_id)
    with django_assert_max_num_queries(20):
        found = who(catalog)
    assert (found.count, len(found.listed)) == (61, answers.MOST_LISTED)


def test_a_stage_of_several_is_filled_by_different_people(catalog: Catalog, erin: User, leads: DirectoryGroup) -> None:
    twice = ApproverGroup.objects.create(name="The same again")
    twice.directory_groups.set([leads])
    ApprovalStage.objects.create(policy=catalog.policy, position=2, approver_group=twice)
    assert why(catalog, erin).may_ask
    ApprovalStage.objects.filter(approver_group=twice).update(approvals_needed=2)
    refused = why(catalog, erin)
    assert "each person decides once" in refused.refusals[0].reason


def test_a_stage_may_ask_more_people_than_are_named(catalog: Catalog, erin: User, leads: DirectoryGroup) -> None:
    for number in range(4):
        person(f"Max {number}", leads.object_id)
    ApprovalStage.objects.update(approvals_needed=6)
    assert why(catalog, erin).may_ask
    ApprovalStage.objects.update(approvals_needed=7)
    assert "only 6 besides the one who asks are in it" in why(catalog, erin).refusals[0].reason


def test_terms_are_the_strictest_with_their_rules(catalog: Catalog, erin: User) -> None:
    strict = AccessPolicy.objects.create(
        name="Strict",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=catalog.permission_set,
        longest_duration=timedelta(hours=2),
    )
    strict.requestable_by.add(catalog.group)
    terms = why(catalog, erin).standing.terms
    assert terms is not None
    assert (terms.longest_duration.value, terms.longest_duration.rule) == (timedelta(hours=2), "Strict")


def test_what_an_app_role_could_reach_is_told_by_its_object_id_as_it_is_written(
    catalog: Catalog, admin_client: Client
) -> None:
    row = DirectoryGroup.objects.create(object_id="role:Portal.Dev", name="Developers by role")
    catalog.policy.requestable_by.add(row)
    page = get(admin_client, question="reach", group="role:Portal.Dev").content.decode()
    assert "There is no directory group" not in page
    assert "Production Support" in page
