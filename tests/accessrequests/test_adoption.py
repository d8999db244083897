"""Standing access becomes a catalog file to edit; once it is applied, what it covers may go, and nothing by itself."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from accessrequests import adoption, drift
from accessrequests.guessing import environment_word, human, told_apart
from accessrequests.models import Finding
from accessrequests.provisioner import Provisioner
from auditlog.actor import Actor
from catalog import mirror
from catalog.ascode import document, plan
from catalog.models import (
    AccessPolicy,
    Account,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    PermissionSet,
    Proposal,
    Sensitivity,
)
from jitportal.aws.groups import AwsGroups
from jitportal.aws.inventory import AwsInventory
from jitportal.demo import organisation as company
from jitportal.demo import seed
from jitportal.demo.simulator import AssignmentKey, Group, Limits, Simulator
from jitportal.models import User
from jitportal.signin.people import take_in

OPERATOR = Actor.system("command line")
ODD = Group("Odd: #1\n- group", external_id="C0000000-0000-4000-8000-000000000077")
LOST = Group("Not from Entra")
PAYMENTS = Group("AWS-Payments", external_id=company.PAYMENTS.object_id)

Hold = Callable[..., None]


@pytest.fixture
def simulator() -> Simulator:
    """The demo's organisation with groups that were provisioned from Entra, and one that was not."""
    return Simulator(replace(company.ORGANISATION, groups=(PAYMENTS, ODD, LOST)), limits=Limits.lifted())


@pytest.fixture
def founded(db: None, aws: Provisioner) -> None:
    """The demo's company with its catalog."""
    seed.found_company()


@pytest.fixture
def unfounded(db: None, aws: Provisioner) -> None:
    """The company's people, two groups that the portal knows, and what AWS has; no catalog."""
    mirror.sync(AwsInventory(urgency=None))
    for group in (company.PAYMENTS, company.PLATFORM):
        DirectoryGroup.objects.create(object_id=group.object_id, name=group.name)
    for person in company.PEOPLE:
        take_in(seed._claims(person))


@pytest.fixture
def hold(db: None, simulator: Simulator) -> Hold:
    """Has a group or a person hold a permission set in all accounts of an environment, or in so many."""

    def hold(who: str, permission_set: str, environment: str, most: int | None = None) -> None:
        organisation = simulator.organisation
        kind, key = ("USER", organisation.user_id(who)) if "@" in who else ("GROUP", organisation.group_id(who))
        arn = PermissionSet.objects.get(name=permission_set).arn
        for account in company.ACCOUNTS[environment][:most]:
            simulator.put_assignment(AssignmentKey(account.id, arn, kind, key))

    return hold


def scanned(aws: Provisioner) -> None:
    drift.scan(aws, most_calls=10_000, most_seconds=600)


def adopted(tmp_path: Path) -> str:
    out = tmp_path / "adopted.yaml"
    call_command("adopt", "--out", str(out))
    return out.read_text(encoding="utf-8")


def test_assignments_are_so_many_roles_in_so_many_environments(
    aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for environment in ("Development", "Production"):
        hold(PAYMENTS.display_name, "DeveloperAccess", environment)
        hold(ODD.display_name, "ProductionSupport", environment)
    scanned(aws)
    text = adopted(tmp_path)
    assert "These 24 assignments are 2 roles in 2 environments." in capsys.readouterr().out
    assert "# These 24 assignments are 2 roles in 2 environments." in text
    assert "\n  Developer in Development:\n" in text
    assert "- group AWS-Payments in 6 accounts: Data Platform Development," in text
    assert "organisational_unit: Workloads/Production" in text
    # What the portal has not known is added, by the object id that Entra has provisioned.
    assert "c0000000-0000-4000-8000-000000000077" in text
    assert not AccessPolicy.objects.exists()


def test_what_is_held_in_a_part_of_an_environment_is_said_to_be_wider_once_it_is_a_policy(
    aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(PAYMENTS.display_name, "DeveloperAccess", "Production")
    hold(ODD.display_name, "ProductionSupport", "Production", most=2)
    hold(company.ADA.user_name, "DeveloperAccess", "Production", most=1)
    hold(ODD.display_name, "ProductionSupport", "Sandbox")
    scanned(aws)
    text = adopted(tmp_path)
    count = len(company.ACCOUNTS["Production"])
    assert "2 of the policies reach further than what is held" in capsys.readouterr().out
    assert text.count("TODO: by this policy it can be asked for") == 2
    assert f"in 2 of {count} accounts" in text
    assert f"Ada Lindqvist in 1 of {count} accounts" in text
    assert f"TODO: by this policy it can be asked for in all {count} accounts of Production," in text
    assert f"group AWS-Payments in {count} accounts: " in text


def test_what_is_held_in_all_of_an_environment_is_not_called_wider(
    aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(PAYMENTS.display_name, "DeveloperAccess", "Production")
    scanned(aws)
    assert "it can be asked for" not in adopted(tmp_path)
    assert "further" not in capsys.readouterr().out


def test_the_file_is_applied_once_it_says_who_decides_and_what_it_covers_may_go(
    aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(PAYMENTS.display_name, "DeveloperAccess", "Development")
    hold(ODD.display_name, "ProductionSupport", "Sandbox")
    scanned(aws)
    text = adopted(tmp_path)
    with pytest.raises(Exception, match="TODO: who decides"):
        plan.plan(document.read(text.encode(), "adopted.yaml"), OPERATOR)
    name = DirectoryGroup.objects.get(object_id=company.PAYMENTS.object_id).name
    file = document.read(text.replace("'TODO: who decides?'", f"'{name}'").encode(), "adopted.yaml")
    plan.apply(file, plan.plan(file, OPERATOR), OPERATOR)
    mirror.sync(AwsInventory(urgency=None))
    policy = AccessPolicy.objects.get(name="Developer in Development")
    assert {group.object_id for group in policy.requestable_by.all()} == {company.PAYMENTS.object_id}
    assert Account.objects.filter(environment__name="Development").count() == 6
    capsys.readouterr()
    call_command("adopt", "--candidates")
    said = capsys.readouterr().out
    assert "AWS-Payments: DeveloperAccess in Ledger Development" in said
    assert "3 people known here would lose it (Ada Lindqvist, Ben Okafor and Chiara Rossi)" in said
    assert "may ask for it instead, by “Developer in Development”." in said
    assert said.splitlines()[-1].startswith("12 could go.")
    assert Finding.objects.filter(status="open").count() == 12


def test_who_holds_it_themselves_is_named_with_the_smallest_group_that_has_them(
    aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path
) -> None:
    hold(company.ADA.user_name, "DeveloperAccess", "Sandbox")
    hold(company.BEN.user_name, "DeveloperAccess", "Sandbox")
    scanned(aws)
    text = adopted(tmp_path)
    assert "# TODO: held by people themselves: Ada Lindqvist, Ben Okafor." in text
    assert "# The smallest group that has them all is " in text
    assert "in_force: false" in text
    plan.plan(document.read(text.encode(), "adopted.yaml"), OPERATOR)


def test_what_cannot_be_placed_is_said_with_the_reason(
    aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path, simulator: Simulator
) -> None:
    hold(LOST.display_name, "DeveloperAccess", "Development")
    hold(PAYMENTS.display_name, "SecurityAuditor", "Staging")
    scanned(aws)
    Account.objects.filter(name="Ledger Staging").update(is_management=True)
    text = adopted(tmp_path)
    assert "# TODO: what is the group Not from Entra in Entra? Add its object id to directory_groups." in text
    assert "# Not placed:\n" in text
    assert "management account, which belongs in no environment." in text


def test_where_nothing_stands_nothing_is_written(
    aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("adopt", "--out", str(tmp_path / "adopted.yaml"))
    said = capsys.readouterr().out
    assert "No scan has come to its end yet" in said
    assert "No scan has found standing access." in said
    assert not (tmp_path / "adopted.yaml").exists()


def test_a_file_that_is_there_is_not_overwritten(aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path) -> None:
    hold(PAYMENTS.display_name, "DeveloperAccess", "Development")
    scanned(aws)
    (tmp_path / "adopted.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(CommandError, match="is there already"):
        adopted(tmp_path)
    assert (tmp_path / "adopted.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("name", "why"), [("a\0b", "No file can have that name"), ("x" * 5000, "File name too long")])
def test_a_name_that_no_file_can_have_is_refused_in_a_sentence(
    aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path, name: str, why: str
) -> None:
    hold(PAYMENTS.display_name, "DeveloperAccess", "Development")
    scanned(aws)
    with pytest.raises(CommandError, match=why) as said:
        call_command("adopt", "--out", str(tmp_path / name))
    assert len(str(said.value)) < 300


def test_somebody_who_may_not_ask_keeps_theirs(aws: Provisioner, founded: None, hold: Hold) -> None:
    hold(company.HUGO.user_name, "DevOpsAccess", "Development")
    hold(company.DANIEL.user_name, "DevOpsAccess", "Development")
    scanned(aws)
    found = adoption.candidates(AwsGroups())
    assert {candidate.losing for candidate in found} == {("Daniel Novak",)}
    assert {candidate.policies for candidate in found} == {("DevOps Engineer in Development",)}
    # What is not covered is proposed for the role that has it there already.
    (left,) = adoption.adoption(AwsGroups()).policies
    assert (left.role, left.environment, {held.holder for held in left.held}) == (
        "DevOps Engineer",
        "Development",
        {"Hugo Martins"},
    )


def test_one_whom_the_portal_does_not_know_is_no_candidate(aws: Provisioner, founded: None, hold: Hold) -> None:
    hold(company.DANIEL.user_name, "DevOpsAccess", "Development")
    scanned(aws)
    User.objects.filter(user_name=company.DANIEL.user_name).update(is_active=False)
    assert adoption.candidates(AwsGroups()) == []


def test_one_member_who_is_kept_from_asking_keeps_a_group_from_being_a_candidate(
    aws: Provisioner, founded: None, hold: Hold
) -> None:
    hold(PAYMENTS.display_name, "DeveloperAccess", "Development")
    scanned(aws)
    assert len(adoption.candidates(AwsGroups())) == 6
    closed = DirectoryGroup.objects.get(object_id=company.LEADS.object_id)
    AccessPolicy.objects.get(name="Developer in Development").closed_to.add(closed)
    assert adoption.candidates(AwsGroups()) == []


def test_a_group_that_is_kept_from_asking_itself_is_no_candidate_though_nobody_of_it_is_known(
    aws: Provisioner, founded: None, hold: Hold
) -> None:
    hold(PAYMENTS.display_name, "DeveloperAccess", "Development")
    scanned(aws)
    group = DirectoryGroup.objects.get(object_id=company.PAYMENTS.object_id)
    group.people.clear()
    assert len(adoption.candidates(AwsGroups())) == 6
    AccessPolicy.objects.get(name="Developer in Development").closed_to.add(group)
    assert adoption.candidates(AwsGroups()) == []


@pytest.mark.parametrize("who", [PAYMENTS.display_name, company.DANIEL.user_name])
def test_what_nobody_could_approve_is_not_to_be_asked_for_instead(
    aws: Provisioner, founded: None, hold: Hold, who: str
) -> None:
    policy = AccessPolicy.objects.get(name="DevOps Engineer in Development")
    policy.requestable_by.add(DirectoryGroup.objects.get(object_id=company.PAYMENTS.object_id))
    hold(who, "DevOpsAccess", "Development")
    scanned(aws)
    assert len(adoption.candidates(AwsGroups())) == 6
    AccessPolicy.objects.filter(pk=policy.pk).update(automatic_approval="never")
    ApprovalStage.objects.create(
        policy=policy, position=9, approver_group=ApproverGroup.objects.create(name="Nobody is in it")
    )
    assert adoption.candidates(AwsGroups()) == []


def test_where_policies_name_different_permission_sets_nothing_is_to_be_asked_for_instead(
    aws: Provisioner, founded: None, hold: Hold
) -> None:
    hold(company.DANIEL.user_name, "DevOpsAccess", "Development")
    scanned(aws)
    policy = AccessPolicy.objects.get(name="DevOps Engineer in Development")
    other = AccessPolicy.objects.create(
        name="Another for the same",
        role=policy.role,
        environment=policy.environment,
        permission_set=PermissionSet.objects.get(name="DeveloperAccess"),
        automatic_approval="always",
    )
    other.requestable_by.set(policy.requestable_by.all())
    assert adoption.candidates(AwsGroups()) == []


def test_stages_are_those_of_the_role_where_it_is_offered_already(
    aws: Provisioner, founded: None, hold: Hold, tmp_path: Path
) -> None:
    hold(PAYMENTS.display_name, "DatabaseAdministrator", "Production")
    scanned(aws)
    text = adopted(tmp_path)
    assert "  Database Administrator in Production, adopted:\n" in text
    assert "      - approver_group: Database guild\n" in text
    assert plan.plan(document.read(text.encode(), "adopted.yaml"), OPERATOR).counts["added"] == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("AWSReadOnlyAccess", "Read Only"),
        ("prod-db-admin", "Db Admin"),
        ("DevOpsProd", "DevOps"),
        ("BillingAccess", "Billing"),
        ("Production", "Production"),
        ("___", "___"),
        ("PS_DataAnalyst", "Data Analyst"),
    ],
)
def test_permission_sets_are_named_in_human_words(name: str, said: str) -> None:
    assert human(name) == said


def test_permission_sets_that_would_be_called_the_same_are_told_apart() -> None:
    assert (told_apart("ReadOnlyAccess"), told_apart("AWSReadOnly")) == ("Read Only Access", "AWS Read Only")


@pytest.mark.parametrize(
    ("ou_path", "tags", "name", "said"),
    [
        ("Workloads/Production", {}, "x", "Production"),
        ("Workloads/NonProd", {}, "x", "Staging"),
        ("Prod/Sandboxes", {}, "x", "Sandbox"),
        ("Workloads", {"Environment": "dev"}, "x-prod", "Development"),
        ("", {}, "acme_uat", "Staging"),
        ("Workloads", {}, "Products", ""),
        ("", {}, "Liveliness", ""),
    ],
)
def test_the_unit_the_tags_and_the_name_say_which_environment(
    ou_path: str, tags: dict[str, str], name: str, said: str
) -> None:
    assert environment_word(Account(name=name, ou_path=ou_path, tags=tags)) == said


@pytest.mark.parametrize("way", ["propose", "override"])
def test_what_is_sensitive_in_the_file_is_imported_as_a_second_admin_agrees_or_without_one(
    aws: Provisioner, unfounded: None, hold: Hold, tmp_path: Path, settings: Settings, way: str
) -> None:
    settings.SENSITIVE_FROM = Sensitivity.PRODUCTION
    hold(PAYMENTS.display_name, "DeveloperAccess", "Production")
    scanned(aws)
    name = DirectoryGroup.objects.get(object_id=company.PAYMENTS.object_id).name
    path = tmp_path / "adopted.yaml"
    path.write_text(adopted(tmp_path).replace("'TODO: who decides?'", f"'{name}'"), encoding="utf-8")
    why, given = "Adopted from AWS, as agreed", ["adopt", "--import", str(path)]
    if way == "propose":
        admin = User.objects.filter(directory_groups__object_id=configured.ENTRA_ADMIN_GROUP_ID).first()
        assert admin is not None
        call_command(*given, "--proposer", admin.user_name, "--why", why, "--yes")
    else:
        call_command(*given, "--override", why, "--yes")
    proposal = Proposal.objects.get()
    assert (proposal.why, proposal.status) == (why, {"propose": "waiting", "override": "overridden"}[way])
    assert AccessPolicy.objects.exists() == (way == "override")
