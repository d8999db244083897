"""What a catalog cannot be is refused as the admin would refuse it, at its line and column, all at once."""

from uuid import uuid4

import pytest

from catalog.ascode import writer
from catalog.models import Account, Environment, PermissionSet, Sensitivity
from tests.catalog.ascode.conftest import HEAD, complaints, planned
from tests.catalog.conftest import Catalog, arn

POLICY = """\
version: 1
policies:
  New:
    role: Production Support
    environment: Production
    permission_set: Support
    stages:
      - approver_group: Payments leads
"""


def only(text: str | bytes) -> str:
    (said,) = complaints(text)
    return said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 1\nrolls: {}\n", "2:1: The file has no “rolls”. Did you mean “roles”?"),
        ("version: 1\nroles: {A: {descripton: x}}\n", "2:13: “A” has no “descripton”. Did you mean “description”?"),
        ("version: 1\nroles: {A: {}}\nzzz: 1\n", "3:1: The file has no “zzz”. It may have version, directory_groups"),
        (
            POLICY + "        aprovals_needed: 2\n",
            "9:9: A stage has no “aprovals_needed”. Did you mean “approvals_needed”?",
        ),
        ("roles: {}\n", "1:1: Begin the file with version: 1"),
        ("version: 2\n", "1:10: Begin the file with version: 1"),
        ("- a\n", "1:1: The file has keys with values"),
        ("version: 1\nroles: [A]\n", "2:8: Under roles stands each role by its name."),
        ("version: 1\nroles: {A: {description: [x]}}\n", "2:26: Give one value for description"),
        (POLICY.replace("stages:", "requestable_by: x\n    stages:"), "7:21: Give requestable_by as a list"),
        (POLICY.split("    stages:", maxsplit=1)[0] + "    stages: {a: b}\n", "7:13: Give stages as a list"),
    ],
)
def test_what_has_another_shape_is_refused_with_what_was_meant(catalog: Catalog, text: str, said: str) -> None:
    assert complaints(text)[0].startswith(said)


@pytest.mark.parametrize(
    ("key", "given", "place", "said"),
    [
        (
            "role",
            "Production Suport",
            "4:11",
            "has no role “Production Suport”. Did you mean “Production Support”?",
        ),
        ("environment", "Prod", "5:18", "The catalog has no environment “Prod”."),
        ("permission_set", "Zzz", "6:21", "If it is new in AWS, run manage.py sync_inventory."),
        ("default_duration", "soon", "7:23", "default_duration: Write a duration such as 8h"),
        ("longest_duration", "8d", "7:23", "longest_duration: Give at most 7 days."),
        ("accounts_per_request", "0", "7:27", "accounts_per_request: Give a number from 1 to 50."),
        ("automatic_approval", "sometimes", "7:25", "“sometimes” is none of never, always"),
        ("in_force", "perhaps", "7:15", "“perhaps” is neither true nor false"),
        ("step_up_context", "c1", "3:3", "step_up_for: Say this, too"),
        ("ticket_pattern", "'(a+)+'", "7:21", "ticket_pattern:"),
    ],
)
def test_a_policy_is_judged_by_the_rules_of_the_admin(
    catalog: Catalog, key: str, given: str, place: str, said: str
) -> None:
    lines = [line for line in POLICY.splitlines() if not line.startswith(f"    {key}:")]
    at = {"role": 3, "environment": 4, "permission_set": 5}.get(key, 6)
    lines.insert(at, f"    {key}: {given}")
    told = complaints("\n".join(lines))
    assert any(each.startswith(f"{place}: access policy “New”") and said in each for each in told), told


def test_everything_that_is_wrong_is_said_at_once_and_in_order(catalog: Catalog) -> None:
    text = POLICY.replace("Payments leads", "Nobody").replace("  New:\n", "  New:\n    default_duration: x\n")
    told = complaints(text + "  Other:\n    role: Nothing\n    environment: Production\n    permission_set: Support\n")
    assert [each.split(" ")[0] for each in told] == ["4:23:", "9:25:", "10:3:", "11:11:"]
    assert "Nobody would decide" in told[2]


MANY_KINDS = """\
version: 1
policies:
  New:
    longest: 2h
    in_force: [no]
    role: Production Support
    environment: Production
    permission_set: Support
    stages:
      - approver_group: Nobody
        approvals: 2
        approvals_needed: 99
  Other:
    role: Nothing
    environment: Production
    permission_set: Support
accounts_kept_out: ['1', [x]]
"""


def test_a_wrong_key_or_shape_hides_nothing_else_that_is_wrong(catalog: Catalog) -> None:
    told = complaints(MANY_KINDS)
    places = ["4:5:", "5:15:", "10:25:", "11:9:", "12:27:", "13:3:", "14:11:", "17:21:", "17:26:"]
    assert [each.split(" ")[0] for each in told] == places, told


def test_of_an_object_with_a_wrong_key_only_what_is_given_is_judged(catalog: Catalog) -> None:
    assert only(POLICY.replace("role:", "rol:")).startswith("4:5: “New” has no “rol”.")


def test_stages_are_judged_at_their_lines(catalog: Catalog) -> None:
    assert only(POLICY + "        approvals_needed: 99\n").startswith(
        "9:27: access policy “New”, stage 1, approvals_needed"
    )


def test_what_is_wrong_with_an_object_is_not_said_again_where_it_is_named(catalog: Catalog) -> None:
    text = POLICY.replace("role: Production Support", "role: Broken")
    assert only(text + "roles:\n  Broken:\n    slug: 'no slug'\n    description: x\n").startswith(
        "11:11: role “Broken”, slug"
    )


def test_two_environments_cannot_claim_one_account(catalog: Catalog) -> None:
    text = (
        HEAD
        + "environments:\n"
        + "".join(f"  {name}:\n    sensitivity: sandbox\n    accounts: ['1234-5678-9012']\n" for name in ("One", "Two"))
    )
    assert only(text) == "8:16: Account 123456789012 is claimed at line 5 already; keep one."


def test_an_account_is_not_claimed_and_kept_out(catalog: Catalog) -> None:
    text = (
        "environments: {One: {sensitivity: sandbox, accounts: ['123456789012']}}\naccounts_kept_out: ['123456789012']\n"
    )
    assert "already; keep one" in only(HEAD + text)


@pytest.mark.parametrize("given", ["123", "12345678901a", "1234567890123", "１２３４５６７８９０１２", "012345678901x"])
def test_an_account_id_is_12_digits(catalog: Catalog, given: str) -> None:
    said = only(f"{HEAD}environments: {{One: {{sensitivity: sandbox, accounts: ['{given}']}}}}\n")
    assert said.endswith(f"“{given}”: An AWS account id is 12 digits.")


def test_an_account_id_that_is_not_quoted_keeps_its_zeros(catalog: Catalog) -> None:
    Account.objects.create(account_id="001234567890", name="Old")
    assert planned(f"{HEAD}environments: {{One: {{sensitivity: sandbox, accounts: [001234567890]}}}}\n").changes


def test_an_account_that_the_inventory_does_not_know_is_refused(catalog: Catalog) -> None:
    said = only(f"{HEAD}environments: {{One: {{sensitivity: sandbox, accounts: ['999999999999']}}}}\n")
    assert "run manage.py sync_inventory" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "arn:aws-cn:sso:::permissionSet/ssoins-0123456789abcdef/ps-0000000000000001",
            "another partition of AWS, aws-cn",
        ),
        (
            "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000001",
            "not of our Identity Center instance",
        ),
        (arn(99), "The catalog has no permission set"),
    ],
)
def test_a_permission_set_is_of_our_instance(catalog: Catalog, given: str, said: str) -> None:
    assert said in complaints(POLICY.replace("permission_set: Support", f"permission_set: '{given}'"))[0]


def test_a_name_that_two_permission_sets_have_is_refused_with_their_arns(catalog: Catalog) -> None:
    PermissionSet.objects.create(arn=arn(2), name="Support")
    assert f"give one of {arn(1)}, {arn(2)}" in complaints(POLICY)[0]


@pytest.mark.parametrize("twin", ["production support", "Production  Support", "Ｐroduction Support"])
def test_names_that_a_reader_takes_for_the_same_are_refused(catalog: Catalog, twin: str) -> None:
    text = writer.export().replace("roles:\n", f"roles:\n  '{twin}':\n    slug: twin\n    description: x\n")
    assert any("by this name already: “Production Support”" in said or "once more" in said for said in complaints(text))


def test_two_names_of_one_file_that_differ_by_case_are_refused(db: None) -> None:
    text = HEAD + "roles:\n  Audit:\n    description: x\n  AUDIT:\n    slug: other\n    description: x\n"
    assert only(text) == "5:3: role “AUDIT”: There is one by this name already: “Audit”."


@pytest.mark.parametrize("character", ["\u200b", "\u00ad", "\u2060"])
def test_a_name_with_an_invisible_character_is_refused(db: None, character: str) -> None:
    said = only(f"{HEAD}roles:\n  Au{character}dit:\n    slug: audit\n    description: x\n")
    assert f"invisible character (U+{ord(character):04X})" in said


def test_a_group_is_given_by_its_object_id(db: None) -> None:
    assert only(f"{HEAD}directory_groups: {{A: nonsense}}\n").startswith("2:23: directory group “A”, object_id")


def test_one_group_is_not_given_twice(db: None) -> None:
    object_id = uuid4()
    text = f"{HEAD}directory_groups:\n  A: {object_id}\n  B: {str(object_id).upper()}\n"
    assert only(text).startswith("4:6: directory group “B”, object_id: ")


def test_a_policy_may_change_its_permission_set_only_with_all_of_its_role_and_environment(catalog: Catalog) -> None:
    PermissionSet.objects.create(arn=arn(2), name="Other")
    text = POLICY.replace("permission_set: Support", "permission_set: Other")
    assert "names Support" in only(text)
    both = text + POLICY.split("policies:\n")[1].replace("New", "Payments support")
    assert all("the two must agree" in said for said in complaints(both))
    assert planned(both.replace("permission_set: Support", "permission_set: Other")).counts["changed"] == 1


def test_an_environment_is_not_taken_by_its_slug_and_by_its_name(catalog: Catalog) -> None:
    Environment.objects.create(name="Staging", slug="staging", sensitivity=Sensitivity.STAGING)
    text = "environments:\n  Staging: {sensitivity: staging}\n  Stage: {slug: staging, sensitivity: staging}\n"
    assert only(HEAD + text).startswith("4:3: This is the environment of line 3 once more")
