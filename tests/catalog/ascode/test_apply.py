"""Applying a file is one transaction, recorded change by change and as a whole, and lives beside the admin's edits."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from auditlog.models import ChainHead, Event
from catalog import changes
from catalog.ascode import document, plan, writer
from catalog.ascode.tree import Unreadable
from catalog.models import AccessPolicy, Account, Environment, Role, Sensitivity
from tests.catalog.ascode.conftest import HEAD, OPERATOR, Run, applied, complaints, planned
from tests.catalog.conftest import Catalog

TWO_ROLES = f"{HEAD}roles:\n  One: {{description: x}}\n  Two: {{description: x}}\n"


def test_each_change_has_its_event_and_the_file_has_one_after_them(catalog: Catalog) -> None:
    applied(TWO_ROLES, why="Two more")
    *each, whole = Event.objects.order_by("number")
    assert [(event.action, event.data["object"]) for event in each] == [
        ("catalog.created", "One"),
        ("catalog.created", "Two"),
    ]
    assert {event.data["why"] for event in each} == {"Two more (file catalog.yaml)"}
    assert (whole.action, whole.subject_id, str(whole.actor)) == ("catalog.applied", "catalog.yaml", str(OPERATOR))
    assert whole.data["sha256"] == hashlib.sha256(TWO_ROLES.encode()).hexdigest()
    assert (whole.data["added"], whole.data["changed"], whole.data["why"]) == (2, 0, "Two more")
    assert whole.sentence.startswith("command line applied the file catalog.yaml to the catalog: 2 added, 0 changed")
    assert Role.objects.get(name="One").history.get().history_change_reason == "Two more (file catalog.yaml)"


def test_a_file_that_changes_nothing_leaves_no_event(catalog: Catalog) -> None:
    applied(TWO_ROLES)
    count = Event.objects.count()
    applied(TWO_ROLES)
    assert Event.objects.count() == count


def test_whatever_breaks_in_the_middle_leaves_nothing(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    save, calls = changes.save, []

    def breaks(**options: Any) -> bool:
        calls.append(options)
        # The plan saves twice, and the second of applying it breaks.
        if len(calls) == 4:
            raise RuntimeError("the power is gone")
        return save(**options)

    monkeypatch.setattr(changes, "save", breaks)
    head = ChainHead.objects.get().number
    with pytest.raises(RuntimeError):
        applied(TWO_ROLES)
    assert not Role.objects.filter(name__in=["One", "Two"]).exists()
    assert ChainHead.objects.get().number == head


def test_what_changed_since_the_plan_was_shown_keeps_it_from_being_applied(catalog: Catalog) -> None:
    text = writer.export().replace("longest_duration: 8h", "longest_duration: 2h")
    file = document.read(text.encode(), "catalog.yaml")
    shown = plan.plan(file, OPERATOR)
    with changes.recorded(catalog.policy, actor=OPERATOR):
        catalog.policy.accounts_per_request = 3
        catalog.policy.save()
    with pytest.raises(plan.Changed):
        plan.apply(file, shown, OPERATOR)
    catalog.policy.refresh_from_db()
    assert (catalog.policy.accounts_per_request, catalog.policy.managed_by_file) == (3, None)


def test_what_the_file_does_not_name_stays(catalog: Catalog) -> None:
    applied(TWO_ROLES)
    catalog.role.refresh_from_db()
    assert (catalog.role.name, catalog.role.managed_by_file) == ("Production Support", None)
    assert Role.objects.get(name="One").managed_by_file == "catalog.yaml"


def test_what_the_file_names_no_longer_is_released(catalog: Catalog) -> None:
    applied(TWO_ROLES)
    shown = applied(f"{HEAD}roles:\n  One: {{description: x}}\n")
    assert {verb for verb, count in shown.counts.items() if count} == {"released"}
    assert Role.objects.get(name="Two").managed_by_file is None
    assert Role.objects.get(name="One").managed_by_file == "catalog.yaml"


def test_pruning_deletes_what_the_file_names_no_longer_and_nothing_else(catalog: Catalog) -> None:
    applied(TWO_ROLES)
    applied(f"{HEAD}roles:\n  One: {{description: x}}\n", prune=True)
    assert set(Role.objects.values_list("name", flat=True)) == {"Production Support", "One"}


def test_pruning_what_is_in_use_is_refused_with_what_uses_it(catalog: Catalog) -> None:
    applied(f"{HEAD}roles:\n  Production Support: {{description: x}}\n")
    file = document.read(HEAD.encode(), "catalog.yaml")
    with pytest.raises(Unreadable, match="is used by 1 access policy: Payments support"):
        plan.plan(file, OPERATOR, prune=True)


def test_two_files_cannot_manage_one_object(catalog: Catalog) -> None:
    applied(TWO_ROLES, "one.yaml")
    (first, second) = complaints(TWO_ROLES, "two.yaml")
    assert first.startswith("3:3: The role “One” is managed by one.yaml; take it out there first")
    assert "“Two”" in second


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("platfrom.yaml", "No file of the name “platfrom.yaml” manages anything. Did you mean “platform.yaml”?"),
        ("zzz", "No file of the name “zzz” manages anything; these do: payments.yaml, platform.yaml."),
    ],
)
def test_a_file_that_manages_nothing_is_not_released(catalog: Catalog, run: Run, given: str, said: str) -> None:
    applied(f"{HEAD}roles:\n  One:\n    description: x\n", "platform.yaml")
    applied(f"{HEAD}roles:\n  Two:\n    description: x\n", "payments.yaml")
    with pytest.raises(CommandError) as refused:
        run("release", given, "--yes")
    assert str(refused.value) == said


def test_a_file_is_not_released_where_none_manages_anything(catalog: Catalog, run: Run) -> None:
    with pytest.raises(CommandError, match=r"No file of the name “one\.yaml” manages anything; none does\."):
        run("release", "one.yaml", "--yes")


def test_a_file_is_released_by_its_name(catalog: Catalog, run: Run) -> None:
    applied(TWO_ROLES, "one.yaml")
    code, said = run("release", "one.yaml", "--yes")
    assert (code, said.endswith("2 released.\nNobody gains or loses anything by it.\nApplied.\n")) == (0, True)
    assert not Role.objects.exclude(managed_by_file=None).exists()
    applied(TWO_ROLES, "two.yaml")


def test_a_policy_is_renamed_and_stays_the_same(catalog: Catalog) -> None:
    text = writer.export().replace(
        "  Payments support:\n", "  Support of Payments:\n    renamed_from: Payments support\n"
    )
    shown = applied(text)
    catalog.policy.refresh_from_db()
    assert catalog.policy.name == "Support of Payments"
    assert shown.counts["added"] == 0
    assert not planned(text).changes


def test_a_role_is_the_same_by_its_slug(catalog: Catalog) -> None:
    applied(f"{HEAD}roles:\n  Support: {{slug: production-support, description: x}}\n")
    catalog.role.refresh_from_db()
    assert catalog.role.name == "Support"


def test_accounts_that_are_listed_are_all_that_stand_there_by_hand(catalog: Catalog) -> None:
    other = Account.objects.create(account_id="222222222222", name="Other")
    by_rule = Account.objects.create(
        account_id="333333333333", name="Third", environment=catalog.environment, put_by=Account.PutBy.RULE
    )
    listing = "environments:\n  Production:\n    sensitivity: production\n    accounts: [{}]\n"
    applied(HEAD + listing.format("'222222222222'"))
    for account in (other, by_rule, catalog.account):
        account.refresh_from_db()
    assert (other.environment, other.put_by, other.managed_by_file) == (catalog.environment, "hand", "catalog.yaml")
    assert (by_rule.environment, by_rule.managed_by_file) == (catalog.environment, None)
    assert catalog.account.environment is None
    applied(HEAD + listing.format(""))
    other.refresh_from_db()
    assert (other.environment, other.put_by, other.managed_by_file) == (None, None, None)


def test_an_environment_without_the_key_keeps_its_accounts(catalog: Catalog) -> None:
    applied(f"{HEAD}environments:\n  Production:\n    sensitivity: production\n")
    catalog.account.refresh_from_db()
    assert catalog.account.environment == catalog.environment


def test_an_account_that_is_kept_out_is_in_no_environment_whatever_rules_say(catalog: Catalog) -> None:
    applied(f"{HEAD}accounts_kept_out: ['123456789012']\n")
    catalog.account.refresh_from_db()
    assert (catalog.account.environment, catalog.account.put_by) == (None, "hand")
    assert "accounts_kept_out:\n  - '123456789012'\n" in writer.export()


def test_an_account_moves_from_one_environment_of_the_file_to_another(catalog: Catalog) -> None:
    Environment.objects.create(name="Staging", slug="staging", sensitivity=Sensitivity.STAGING)
    both = (
        "environments:\n  Production:\n    sensitivity: production\n    accounts: [{}]\n"
        "  Staging:\n    sensitivity: staging\n    accounts: [{}]\n"
    )
    applied(HEAD + both.format("'123456789012'", ""))
    applied(HEAD + both.format("", "'123456789012'"))
    catalog.account.refresh_from_db()
    assert catalog.account.environment is not None
    assert (catalog.account.environment.name, catalog.account.put_by) == ("Staging", "hand")


def test_stages_change_places_and_go(catalog: Catalog) -> None:
    applied(writer.export().replace("policies:", "  Second: {directory_groups: [Payments engineers]}\n\npolicies:"))
    one = "      - approver_group: Payments leads\n        approvals_needed: 1\n"
    two = one.replace("Payments leads", "Second")
    text = writer.export()
    for stages in (one + two, two + one, two):
        applied(text.replace(one, stages))
        found = [f"{s.position} {s.approver_group}" for s in AccessPolicy.objects.get().stages.order_by("position")]
        assert found == [f"{n} {name}" for n, name in enumerate(_groups(stages), start=1)]


def _groups(stages: str) -> list[str]:
    return [line.split(": ")[1] for line in stages.splitlines() if "approver_group" in line]


def test_nobody_can_be_asked_without_a_terminal(catalog: Catalog, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(TWO_ROLES, encoding="utf-8")
    with pytest.raises(CommandError, match="--yes"):
        run("apply", str(path))
    assert not Role.objects.filter(name="One").exists()
    code, said = run("apply", str(path), "--yes", "--as", "roles of the platform", "--why", "Agreed")
    assert (code, said.splitlines()[-1]) == (0, "Applied.")
    assert Role.objects.get(name="One").managed_by_file == "roles of the platform"
