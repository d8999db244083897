"""A file that touches a sensitive environment is put in force by a second admin, or without one for all to see."""

from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from auditlog.models import Event
from catalog.ascode import writer
from catalog.models import AccessPolicy, Account, Environment, PermissionSet, Proposal, Sensitivity
from jitportal.models import User
from tests.catalog.ascode.conftest import Run, agreed, hours
from tests.catalog.conftest import Catalog, arn, person, signed_in

WHY = "Shorter, as agreed with the team"


pytestmark = pytest.mark.usefixtures("production_is_sensitive")


@pytest.fixture
def file(catalog: Catalog, tmp_path: Path) -> str:
    """A file that shortens access to Production."""
    person("Ada", catalog.group.object_id)
    path = tmp_path / "catalog.yaml"
    path.write_text(writer.export().replace("longest_duration: 8h", "longest_duration: 2h"), encoding="utf-8")
    return str(path)


@pytest.fixture
def proposal(file: str, run: Run, admin_person: User) -> Proposal:
    code, said = run("apply", file, "--proposer", admin_person.user_name, "--why", WHY, "--yes")
    proposal = Proposal.objects.get()
    assert (code, reverse("proposal", args=[proposal.pk]) in said) == (0, True), said
    assert "It is yours now" in agreed(signed_in(admin_person), proposal, "confirm")
    return proposal


def test_it_is_not_applied_without_saying_how_a_second_admin_agrees(catalog: Catalog, file: str, run: Run) -> None:
    with pytest.raises(CommandError, match="It touches Production, where a second admin must agree"):
        run("apply", file, "--yes")
    assert hours(catalog) == 8


def test_the_plan_says_that_a_second_admin_must_agree(catalog: Catalog, file: str, run: Run) -> None:
    code, said = run("plan", file)
    assert (code, said.splitlines()[-1]) == (2, "A second admin must agree to all of it: it touches Production.")


def test_a_file_that_puts_an_account_of_production_into_a_sandbox_needs_a_second_admin(
    catalog: Catalog, tmp_path: Path, run: Run
) -> None:
    sandbox = Environment.objects.create(name="Sandbox", slug="sandbox", sensitivity=Sensitivity.SANDBOX)
    path = tmp_path / "catalog.yaml"
    Account.objects.update(environment=sandbox)
    path.write_text(writer.export(), encoding="utf-8")
    Account.objects.update(environment=None)
    code, said = run("plan", str(path))
    assert (code, said.splitlines()[-1]) == (2, "A second admin must agree to all of it: it touches Sandbox.")


def test_the_plan_of_what_is_not_sensitive_asks_for_no_second_admin(
    catalog: Catalog, file: str, run: Run, settings: Settings
) -> None:
    settings.SENSITIVE_FROM = None
    code, said = run("plan", file)
    assert (code, "second admin" in said) == (2, False), said


def test_only_an_admin_proposes(catalog: Catalog, file: str, run: Run) -> None:
    engineer = person("Ben")
    with pytest.raises(CommandError, match="is no admin of the portal"):
        run("apply", file, "--yes", "--proposer", engineer.user_name, "--why", WHY)
    assert not Proposal.objects.exists()


def test_nothing_changes_until_another_admin_accepts_it(catalog: Catalog, proposal: Proposal) -> None:
    assert hours(catalog) == 8
    other = signed_in(person("Ines", configured.ENTRA_ADMIN_GROUP_ID))
    page = other.get(reverse("proposal", args=[proposal.pk])).content.decode()
    assert "apply the catalog file catalog.yaml" in page
    assert "access policy “Payments support”: Longest duration" in page
    agreed(other, proposal, "accept")
    assert proposal.status == "accepted"
    assert hours(catalog) == 2
    applied = Event.objects.get(action="catalog.applied")
    assert (applied.actor_name, applied.data["proposed_by"]) == ("Ines", "Ada Admin")
    assert catalog.policy.managed_by_file == "catalog.yaml"


def test_the_proposer_does_not_accept_it(admin_client: Client, catalog: Catalog, proposal: Proposal) -> None:
    assert "It is your own" in agreed(admin_client, proposal, "accept")
    assert proposal.status == "waiting"
    assert hours(catalog) == 8


def test_a_text_that_was_altered_past_the_portal_is_not_applied(catalog: Catalog, proposal: Proposal) -> None:
    text = dict(proposal.payload)["text"].replace("longest_duration: 2h", "longest_duration: 7d")
    Proposal.objects.update(payload=[["text", text], ["prune", ""]])
    other = signed_in(person("Ines", configured.ENTRA_ADMIN_GROUP_ID))
    assert "it was altered past the portal" in agreed(other, proposal, "accept")
    assert proposal.status == "waiting"
    assert hours(catalog) == 8


@pytest.mark.parametrize("altered", [{"object_name": "other.yaml"}, {"why": "Something that nobody has said"}])
def test_a_name_or_a_reason_that_was_altered_past_the_portal_is_not_applied(
    catalog: Catalog, proposal: Proposal, altered: dict[str, str]
) -> None:
    Proposal.objects.update(**altered)
    other = signed_in(person("Ines", configured.ENTRA_ADMIN_GROUP_ID))
    assert "it was altered past the portal" in agreed(other, proposal, "accept")
    assert proposal.status == "waiting"
    assert hours(catalog) == 8


def test_a_file_that_can_no_longer_be_applied_is_outdated(catalog: Catalog, proposal: Proposal) -> None:
    for row in (catalog.role, catalog.policy):
        row.managed_by_file = "another.yaml"
        row.save()
    other = signed_in(person("Ines", configured.ENTRA_ADMIN_GROUP_ID))
    page = other.get(reverse("proposal", args=[proposal.pk])).content.decode()
    assert "The role “Production Support” is managed by another.yaml" in page
    assert "(and 1 more)" in page
    assert "“Payments support” is managed" not in page
    agreed(other, proposal, "accept")
    assert proposal.status == "outdated"
    assert hours(catalog) == 8


def helpers(catalog: Catalog, tmp_path: Path, permission_set: str) -> str:
    """A file that adds a policy with this permission set."""
    for name in ("Ada", "Ben", "Chiara"):
        person(name, catalog.group.object_id)
    path = tmp_path / "more.yaml"
    path.write_text(
        f"""version: 1
directory_groups:
  Payments engineers: {catalog.group.object_id}
roles:
  Helper:
    description: Helps.
policies:
  Helpers:
    role: Helper
    environment: Production
    permission_set: {permission_set}
    requestable_by: [Payments engineers]
    default_duration: 1h
    longest_duration: 7d
    stages:
      - approver_group: Payments leads
""",
        encoding="utf-8",
    )
    return str(path)


def test_a_name_that_means_something_else_by_now_is_not_what_was_agreed_to(
    catalog: Catalog, run: Run, tmp_path: Path, admin_person: User
) -> None:
    shown = PermissionSet.objects.create(arn=arn(6), name="ReadOnly")
    another = PermissionSet.objects.create(arn=arn(7), name="AdministratorAccess")
    file = helpers(catalog, tmp_path, "ReadOnly")
    run("apply", file, "--proposer", admin_person.user_name, "--why", WHY, "--yes")
    proposal = Proposal.objects.get()
    agreed(signed_in(admin_person), proposal, "confirm")
    other = signed_in(person("Ines", configured.ENTRA_ADMIN_GROUP_ID))
    page = reverse("proposal", args=[proposal.pk])
    digest = other.get(page).context["preview"].digest
    PermissionSet.objects.filter(pk=shown.pk).update(name="ReadOnly of old")
    PermissionSet.objects.filter(pk=another.pk).update(name="ReadOnly")
    assert "It does something else by now" in agreed(other, proposal, "accept", shown=digest)
    assert proposal.status == "waiting"
    assert not AccessPolicy.objects.filter(name="Helpers").exists()


def test_an_override_is_applied_at_once_and_shown_to_all_admins(
    catalog: Catalog, file: str, run: Run, admin_client: Client
) -> None:
    code, said = run("apply", file, "--yes", "--override", "The auditor is waiting for it")
    assert (code, said.splitlines()[-1]) == (0, "Applied, without a second admin. All admins are shown that.")
    assert hours(catalog) == 2
    assert Proposal.objects.get().status == "overridden"
    actions = list(Event.objects.order_by("number").values_list("action", flat=True))
    assert actions[-2:] == ["catalog.applied", "catalog.overridden"]
    assert b"catalog.yaml" in admin_client.get(reverse("proposals")).content


@pytest.mark.parametrize("reads_along", [True, False])
def test_in_a_terminal_the_words_are_all_and_elsewhere_the_log_has_the_alarm(
    catalog: Catalog,
    file: str,
    run: Run,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    reads_along: bool,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: reads_along)
    run("apply", file, "--yes", "--override", "The auditor is waiting for it")
    assert ("catalog_overridden" in caplog.text) != reads_along


def test_an_override_says_why(catalog: Catalog, file: str, run: Run) -> None:
    with pytest.raises(CommandError, match="Say why"):
        run("apply", file, "--yes", "--override", "now")
    assert hours(catalog) == 8


def test_what_a_file_adds_is_shown_field_by_field(
    catalog: Catalog, run: Run, tmp_path: Path, admin_person: User
) -> None:
    powerful = PermissionSet.objects.create(arn=arn(7), name="AdministratorAccess")
    file = helpers(catalog, tmp_path, powerful.name)
    run("apply", file, "--proposer", admin_person.user_name, "--why", WHY, "--yes")
    other = signed_in(person("Ines", configured.ENTRA_ADMIN_GROUP_ID))
    page = other.get(reverse("proposal", args=[Proposal.objects.get().pk])).content.decode()
    assert f"AdministratorAccess ({powerful.arn})" in page
    assert "access policy “Helpers”: Longest duration" in page
