"""The requester's manager in the catalog: kept in one group, asked once, explained for now and then, and missed."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.ledger import record
from catalog import answers, changes, effects, problems
from catalog.membership import Now
from catalog.models import AccessPolicy, ApprovalStage, ApproverGroup, DirectoryGroup
from catalog.snapshots import snapshot
from jitportal.models import User
from jitportal.people import replace_manager, subject_of
from tests.catalog.conftest import Catalog, Fill, errors, person
from tests.conftest import Clock

TEST = Actor.system("test")
ADD = "/admin/catalog/approvergroup/add/"


@pytest.fixture
def erin(catalog: Catalog) -> User:
    """One who may ask for support in Production."""
    return person("Erin", catalog.group.object_id)


@pytest.fixture
def ana(catalog: Catalog) -> User:
    return person("Ana Ruiz")


@pytest.fixture
def by_manager(catalog: Catalog) -> ApproverGroup:
    """The policy's one stage is the requester's manager."""
    group = ApproverGroup(name="Line manager", is_requesters_manager=True)
    with changes.recorded(group, actor=TEST):
        group.save()
    with changes.recorded(catalog.policy, actor=TEST):
        catalog.policy.save()
        catalog.stage.approver_group = group
        catalog.stage.save()
    return group


def manages(manager: User | None, report: User) -> None:
    with transaction.atomic():
        changed = replace_manager(report, manager.object_id if manager else "")
        record(TEST, Action.PERSON_CHANGED, subject_of(report), {"person": report.name, "changes": changed})


def stage(fill: Fill, catalog: Catalog, **changed: object) -> dict[str, object]:
    return fill(f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/", **changed)


def test_an_admin_makes_the_group_and_no_second_one(admin_client: Client, fill: Fill) -> None:
    sent = fill(ADD, name="Line manager", is_requesters_manager="on", directory_groups=[])
    assert admin_client.post(ADD, sent).status_code == 302
    group = ApproverGroup.objects.get(name="Line manager")
    assert group.is_requesters_manager is True
    assert "the requester’s manager" in admin_client.get("/admin/catalog/approvergroup/").content.decode()
    sent = fill(ADD, name="Boss", is_requesters_manager="on", directory_groups=[])
    said = errors(admin_client.post(ADD, sent))
    assert said["is_requesters_manager"] == ["There is one already: “Line manager”. Name that in stages."]
    with pytest.raises(IntegrityError), transaction.atomic():
        ApproverGroup.objects.create(name="Boss", is_requesters_manager=True)


def test_the_manager_is_drawn_from_no_group_and_other_groups_from_some(
    admin_client: Client, fill: Fill, catalog: Catalog
) -> None:
    both = fill(ADD, name="Line manager", is_requesters_manager="on", directory_groups=[catalog.group.pk])
    assert "drawn from no group" in errors(admin_client.post(ADD, both))["directory_groups"][0]
    neither = fill(ADD, name="Leads", directory_groups=[])
    assert errors(admin_client.post(ADD, neither))["directory_groups"] == [
        "Name a directory group: nobody would be in it."
    ]


def test_a_group_does_not_become_the_manager_nor_the_manager_a_group(
    admin_client: Client, fill: Fill, catalog: Catalog, by_manager: ApproverGroup
) -> None:
    page = f"/admin/catalog/approvergroup/{by_manager.pk}/change/"
    fixed = ["It cannot be changed: name another approver group in the stages."]
    said = errors(admin_client.post(page, fill(page, is_requesters_manager=None)))
    assert said["is_requesters_manager"] == fixed
    admin_client.post(page, fill(page, description="Asked first."))
    by_manager.refresh_from_db()
    assert (by_manager.is_requesters_manager, by_manager.description) == (True, "Asked first.")
    page = f"/admin/catalog/approvergroup/{catalog.approver_group.pk}/change/"
    assert errors(admin_client.post(page, fill(page, is_requesters_manager="on")))["is_requesters_manager"] == fixed
    admin_client.post(page, fill(page, description="Decides."))
    catalog.approver_group.refresh_from_db()
    assert (catalog.approver_group.is_requesters_manager, catalog.approver_group.description) == (None, "Decides.")


def test_a_stage_asks_one_manager_once_and_never_escalates_to_them(
    admin_client: Client, fill: Fill, catalog: Catalog, by_manager: ApproverGroup
) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    two = stage(fill, catalog, **{"stages-0-approvals_needed": "2"})
    assert errors(admin_client.post(page, two))["stages-0-approvals_needed"] == ["Everybody has one manager: give 1."]
    again = {"stages-TOTAL_FORMS": "2", "stages-1-position": "2", "stages-1-approver_group": str(by_manager.pk)}
    twice = stage(fill, catalog, **again, **{"stages-1-approvals_needed": "1"})
    assert errors(admin_client.post(page, twice))["stages-1-approver_group"] == [
        "The requester’s manager decides at another stage, and everybody once."
    ]
    leads = {"stages-0-approver_group": str(catalog.approver_group.pk), "stages-0-escalates_after": "4h"}
    late = stage(fill, catalog, **leads, **{"stages-0-escalation_group": str(by_manager.pk)})
    assert "choose another" in errors(admin_client.post(page, late))["stages-0-escalation_group"][0]


def test_a_policy_decided_by_the_manager_has_no_problem_if_everybody_has_one(
    catalog: Catalog, by_manager: ApproverGroup, erin: User, ana: User
) -> None:
    manages(ana, erin)
    assert problems.found(catalog.policy.pk) == []


def test_who_would_be_refused_for_want_of_a_manager_is_named_as_a_problem(
    catalog: Catalog, by_manager: ApproverGroup, erin: User, ana: User
) -> None:
    (problem,) = problems.found(catalog.policy.pk)
    assert problem.id == "catalog.W050"
    assert "asks the requester’s manager, and would refuse Erin: the directory names nobody" in problem.text
    manages(ana, erin)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert [each.id for each in problems.found(catalog.policy.pk)] == ["catalog.W050"]


@pytest.mark.parametrize("mark", ["user_name", "principal_id"])
def test_whose_manager_is_another_account_of_theirs_counts_as_without_one(
    catalog: Catalog, by_manager: ApproverGroup, erin: User, ana: User, mark: str
) -> None:
    manages(ana, erin)
    assert problems.found(catalog.policy.pk) == []
    User.objects.filter(pk=erin.pk).update(principal_id="p-1", user_name="erin@example.com")
    same = {"user_name": "ERIN@example.com", "principal_id": "p-1"}
    User.objects.filter(pk=ana.pk).update(**{mark: same[mark]})
    (problem,) = problems.found(catalog.policy.pk)
    assert "would refuse Erin: the directory" in problem.text
    assert not answers.why(erin.pk, None).reached[0].may_ask


def test_the_manager_named_at_two_stages_is_a_problem_whoever_made_it_so(
    catalog: Catalog, by_manager: ApproverGroup, erin: User, ana: User
) -> None:
    manages(ana, erin)
    ApprovalStage.objects.create(policy=catalog.policy, position=2, approver_group=by_manager)
    assert "catalog.W012" in {each.id for each in problems.found(catalog.policy.pk)}


def test_why_somebody_can_ask_names_their_manager(
    catalog: Catalog, by_manager: ApproverGroup, erin: User, ana: User, admin_client: Client
) -> None:
    manages(ana, erin)
    asked = {"question": "why", "person": "Erin", "role": "production-support", "environment": "production"}
    page = admin_client.get(reverse("explain"), asked).content.decode()
    assert "the requester’s manager: <bdi>Ana Ruiz could decide</bdi>" in page
    said = StringIO()
    call_command("explain", "why", person="Erin", stdout=said)
    assert "the requester’s manager, by “Payments support”: Ana Ruiz could decide\n" in said.getvalue()


def test_why_somebody_cannot_says_what_is_wrong_with_their_manager(
    catalog: Catalog, by_manager: ApproverGroup, erin: User
) -> None:
    (reached,) = answers.why(erin.pk, None).reached
    assert not reached.may_ask
    assert "the directory names no manager" in reached.refusals[0].reason


def test_who_can_ask_does_not_guess_whose_manager_it_is(
    catalog: Catalog, by_manager: ApproverGroup, erin: User
) -> None:
    (crowd,) = answers.who_can_ask(catalog.role, catalog.environment, None).crowds
    assert crowd.can_ask
    assert crowd.deciding[0].is_open


def test_who_can_ask_counts_nobody_who_has_no_manager_that_could_decide(
    catalog: Catalog, by_manager: ApproverGroup, erin: User, ana: User, admin_client: Client, moment: Clock
) -> None:
    moment.forward(timezone.now() + timedelta(days=1) - moment.time)
    max_ = person("Max", catalog.group.object_id)
    manages(ana, max_)
    then = moment.forward(timedelta(hours=12))
    moment.forward(timedelta(hours=12))
    manages(None, max_)
    manages(ana, erin)
    for at, name in ((None, "Erin"), (then, "Max")):
        who = answers.who_can_ask(catalog.role, catalog.environment, at)
        assert (who.count, [each.person.name for each in who.listed]) == (1, [name])
        assert [(crowd.count, crowd.without_manager) for crowd in who.crowds] == [(2, 1)]
    said = "1 of them is refused: the directory names no manager of theirs that could decide."
    asked = {"question": "who", "role": "production-support", "environment": "production"}
    page = admin_client.get(reverse("explain"), asked).content.decode()
    assert "1 person can ask for" in page
    assert said in page
    told = StringIO()
    call_command("explain", "who", role="production-support", environment="production", stdout=told)
    assert said in told.getvalue()


def test_who_can_ask_counts_all_where_somebody_else_decides(
    catalog: Catalog, by_manager: ApproverGroup, erin: User
) -> None:
    AccessPolicy.objects.update(automatic_approval="up_to", automatic_up_to=timedelta(minutes=30))
    who = answers.who_can_ask(catalog.role, catalog.environment, None)
    assert (who.count, who.crowds[0].without_manager) == (1, 0)


def test_a_past_date_is_answered_by_the_manager_of_then(
    catalog: Catalog, by_manager: ApproverGroup, erin: User, ana: User, moment: Clock
) -> None:
    moment.forward(timezone.now() + timedelta(days=1) - moment.time)
    moments = []
    for manager in (ana, person("Lou"), None):
        manages(manager, erin)
        moments.append(moment.forward(timedelta(hours=12)))
        moment.forward(timedelta(hours=12))
    found = [answers.why(erin.pk, at).reached[0] for at in (*moments, None)]
    assert [list(each.deciding[0].names.values()) for each in found] == [["Ana Ruiz"], ["Lou"], [], []]
    assert [each.may_ask for each in found] == [True, True, False, False]


def test_what_a_change_to_the_manager_does_to_people_counts_those_without_one(
    catalog: Catalog, erin: User, ana: User
) -> None:
    leads = DirectoryGroup.objects.create(object_id="c0000000-0000-4000-8000-000000000001", name="Leads")
    catalog.approver_group.directory_groups.set([leads])
    person("Lou", leads.object_id)
    manages(ana, person("Max", catalog.group.object_id))
    before = snapshot()
    group = ApproverGroup.objects.create(name="Line manager", is_requesters_manager=True)
    ApprovalStage.objects.filter(policy=catalog.policy).update(approver_group=group)
    texts = [each.text for each in effects.effects(before, snapshot(), Now())]
    assert "Erin loses the right to ask for Production Support in Production." in texts
    assert any("the requester’s manager instead of 1 of Payments leads" in text for text in texts)


def test_a_policy_keeps_its_versions_when_the_column_comes(catalog: Catalog) -> None:
    assert ApproverGroup.objects.get(pk=catalog.approver_group.pk).is_requesters_manager is None
    assert AccessPolicy.objects.get().stages.get().asked == "1 of Payments leads"
