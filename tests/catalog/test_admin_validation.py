"""Whatever an admin form refuses, it refuses at its field and in a sentence."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import AccessPolicy, Account, ApproverGroup, DirectoryGroup, Environment, PermissionSet
from catalog.policy import spell
from jitportal.models import User
from tests.catalog.conftest import Catalog, Fill, arn, errors, person


def add(client: Client, fill: Fill, model: str, **values: Any) -> Any:
    page = f"/admin/catalog/{model}/add/"
    return client.post(page, fill(page, **values))


def change(client: Client, fill: Fill, row: Any, **values: Any) -> Any:
    page = f"/admin/catalog/{row._meta.model_name}/{row.pk}/change/"
    return client.post(page, fill(page, **values))


@pytest.mark.parametrize("given", ["nonsense", "12345", "6f1c0a52-0b61-4e1f-9d0e", "g" * 36])
def test_an_object_id_is_a_guid(admin_client: Client, fill: Fill, given: str) -> None:
    assert "GUID" in errors(add(admin_client, fill, "directorygroup", name="A", object_id=given))["object_id"][0]


def test_an_object_id_is_taken_as_it_is_pasted(admin_client: Client, fill: Fill) -> None:
    object_id = str(uuid4())
    add(admin_client, fill, "directorygroup", name="A", object_id=f" {{{object_id.upper()}}} ")
    assert DirectoryGroup.objects.filter(object_id=object_id, name="A").exists()


@pytest.mark.parametrize("given", ["123", "12345678901a", "1234567890123", "１２３４５６７８９０１２x"])
def test_an_account_id_is_12_digits(admin_client: Client, fill: Fill, given: str) -> None:
    assert errors(add(admin_client, fill, "account", name="A", account_id=given))["account_id"]


def test_an_account_id_is_taken_with_the_hyphens_of_the_console(admin_client: Client, fill: Fill) -> None:
    add(admin_client, fill, "account", name="A", account_id="2109-8765-4321")
    assert Account.objects.get(name="A").account_id == "210987654321"


def test_an_account_id_is_given_once(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    said = errors(add(admin_client, fill, "account", name="A", account_id="123456789012"))
    assert "already exists" in said["account_id"][0]


@pytest.mark.parametrize(
    "given",
    [
        "nonsense",
        "arn:aws:iam::123456789012:role/x",
        "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000001",
    ],
)
def test_a_permission_set_is_of_our_instance(admin_client: Client, fill: Fill, given: str) -> None:
    said = errors(add(admin_client, fill, "permissionset", name="A", arn=given, session_duration="1h"))
    assert said["arn"]


@pytest.mark.parametrize("given", ["30m", "13h"])
def test_a_session_lasts_from_1h_to_12h(admin_client: Client, fill: Fill, given: str) -> None:
    said = errors(add(admin_client, fill, "permissionset", name="A", arn=arn(7), session_duration=given))
    assert said["session_duration"] == ["AWS allows from 1h to 12h."]


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        ("default_duration", "0h", "longer than none"),
        ("default_duration", "soon", "Write a duration such as"),
        ("default_duration", "9h", "longer than the longest duration, 8 hours"),
        ("longest_duration", "8d", "at most 7 days"),
        ("longest_duration", "30m", ""),
        ("accounts_per_request", "0", "from 1 to 50"),
        ("accounts_per_request", "51", "from 1 to 50"),
        ("accounts_per_request", "many", "whole number"),
        ("ticket_pattern", "(", "not a regular expression"),
        ("ticket_pattern", r"(\d+)+", "too many ways"),
        ("ticket_pattern", "a" * 201, "at most 200"),
        ("departments", "x" * 201, "longer than 200"),
        ("role", "0", "not one of the available choices"),
        ("automatic_approval", "sometimes", "not one of the available choices"),
        ("name", "", "required"),
    ],
)
def test_terms_of_a_policy_are_held_to_sense(
    admin_client: Client, fill: Fill, catalog: Catalog, field: str, given: str, message: str
) -> None:
    said = errors(change(admin_client, fill, catalog.policy, **{field: given}))
    at = "default_duration" if (field, given) == ("longest_duration", "30m") else field
    assert message in said[at][0]


def test_departments_are_given_one_a_line(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    response = change(
        admin_client, fill, catalog.policy, departments=" Payments \r\n\r\nResearch & Development\nPayments\n"
    )
    assert response.status_code == 302, errors(response)
    catalog.policy.refresh_from_db()
    assert catalog.policy.departments == ["Payments", "Research & Development"]


def test_a_policy_that_people_decide_needs_a_stage(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    said = errors(change(admin_client, fill, catalog.policy, **{"stages-0-DELETE": "on"}))
    assert "Nobody would decide" in said["stages"][0]


def test_an_automatic_policy_needs_none(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    response = change(admin_client, fill, catalog.policy, **{"stages-0-DELETE": "on", "automatic_approval": "always"})
    assert response.status_code == 302, errors(response)


def test_stages_are_numbered_without_a_gap(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    said = errors(change(admin_client, fill, catalog.policy, **{"stages-0-position": "2"}))
    assert "this would be 1" in said["stages-0-position"][0]


def test_two_stages_of_one_number_are_refused(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    second = {
        "stages-TOTAL_FORMS": "2",
        "stages-1-position": "1",
        "stages-1-approver_group": catalog.approver_group.pk,
        "stages-1-approvals_needed": "1",
    }
    said = errors(change(admin_client, fill, catalog.policy, **second))
    assert "this would be 2" in " ".join(message for messages in said.values() for message in messages)


def test_a_stage_asks_no_more_people_than_its_group_has(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    # Nobody of the group has signed in yet: how many they are is not known.
    assert change(admin_client, fill, catalog.policy, **{"stages-0-approvals_needed": "3"}).status_code == 302
    person("Lea", catalog.group.object_id)
    person("Lou", catalog.group.object_id)
    said = errors(change(admin_client, fill, catalog.policy, **{"stages-0-approvals_needed": "4"}))
    assert said["stages-0-approvals_needed"] == [
        "Payments leads has 2 people that have signed in here: 4 could never agree."
    ]
    # What stands already is warned of, and keeps nobody from mending something else.
    assert change(admin_client, fill, catalog.policy, longest_duration="4h").status_code == 302
    assert change(admin_client, fill, catalog.policy, **{"stages-0-approvals_needed": "2"}).status_code == 302


@pytest.mark.parametrize("given", ["PAYMENTS SUPPORT", "Ｐayments support", "payments  support", "Payments support"])
def test_a_name_that_reads_like_another_is_refused(
    admin_client: Client, fill: Fill, catalog: Catalog, given: str
) -> None:
    other = AccessPolicy.objects.create(
        name="Other",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=catalog.permission_set,
        automatic_approval="always",
    )
    said = errors(change(admin_client, fill, other, name=given))
    assert said["name"] == ["There is one by this name already: “Payments support”."]


def test_a_permission_set_of_another_partition_is_refused(admin_client: Client, fill: Fill) -> None:
    given = arn(7).replace("arn:aws:", "arn:aws-cn:")
    said = errors(add(admin_client, fill, "permissionset", name="A", arn=given, session_duration="1h"))
    assert said["arn"] == ["It is of another partition of AWS, aws-cn; ours is aws."]


@pytest.mark.parametrize(
    ("after", "group", "field", "message"),
    [
        ("4h", "", "escalation_group", "Say who may decide then"),
        ("", "other", "escalates_after", "Say after how long"),
        ("4h", "same", "escalation_group", "decides at this stage anyway"),
        ("72h", "other", "escalates_after", "lapses undecided after 3 days: it would never come to this"),
        ("10s", "other", "escalates_after", "at least 1 minute"),
        ("soon", "other", "escalates_after", "Write a duration such as"),
        ("4h", "99999", "escalation_group", "not one of the available choices"),
    ],
)
def test_an_escalation_is_whole_and_comes_before_the_request_lapses(
    admin_client: Client, fill: Fill, catalog: Catalog, after: str, group: str, field: str, message: str
) -> None:
    other = ApproverGroup.objects.create(name="Security")
    chosen = {"other": other.pk, "same": catalog.approver_group.pk}.get(group, group)
    sent = {"stages-0-escalates_after": after, "stages-0-escalation_group": chosen}
    assert message in errors(change(admin_client, fill, catalog.policy, **sent))[f"stages-0-{field}"][0]


def test_a_stage_escalates_to_another_group_after_a_time(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    other = ApproverGroup.objects.create(name="Security")
    sent = {"stages-0-escalates_after": "4h", "stages-0-escalation_group": other.pk}
    response = change(admin_client, fill, catalog.policy, **sent)
    assert response.status_code == 302, errors(response)
    assert [str(stage) for stage in catalog.policy.stages.all()] == ["1. 1 of Payments leads, after 4h also Security"]


@pytest.mark.parametrize("given", ["0", "11", "-1"])
def test_a_stage_asks_from_1_to_10_people(admin_client: Client, fill: Fill, catalog: Catalog, given: str) -> None:
    assert errors(change(admin_client, fill, catalog.policy, **{"stages-0-approvals_needed": given}))[
        "stages-0-approvals_needed"
    ]


def test_policies_for_one_role_and_environment_name_one_permission_set(
    admin_client: Client, fill: Fill, catalog: Catalog
) -> None:
    other = PermissionSet.objects.create(arn=arn(2), name="Admin")
    rival = AccessPolicy.objects.create(
        name="Rival",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=other,
        automatic_approval="always",
        is_in_force=False,
    )
    said = errors(change(admin_client, fill, rival, is_in_force="on"))
    assert said["permission_set"] == [
        "“Payments support” names Support for the same role and environment; the two must agree."
    ]


def test_a_permission_set_that_vanished_is_refused(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    PermissionSet.objects.update(vanished_at=timezone.now())
    said = errors(change(admin_client, fill, catalog.policy, longest_duration="2h"))
    assert said["permission_set"] == ["AWS no longer has this permission set; choose another."]


def test_a_policy_can_always_be_taken_out_of_force(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    PermissionSet.objects.update(vanished_at=timezone.now())
    response = change(admin_client, fill, catalog.policy, is_in_force=None, **{"stages-0-DELETE": "on"})
    assert response.status_code == 302, errors(response)
    catalog.policy.refresh_from_db()
    assert not catalog.policy.is_in_force


def test_an_admin_is_told_when_nobody_may_ask(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    response = admin_client.post(page, fill(page, requestable_by=[]), follow=True)
    assert "Nobody may ask by “Payments support”" in response.content.decode()


def test_an_approver_group_needs_a_directory_group(admin_client: Client, fill: Fill, catalog: Catalog) -> None:
    assert errors(change(admin_client, fill, catalog.approver_group, directory_groups=[]))["directory_groups"]


def test_the_form_shows_durations_as_they_are_written(admin_client: Client, catalog: Catalog) -> None:
    page = admin_client.get(f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/").content.decode()
    assert 'value="8h"' in page
    assert spell(catalog.policy.longest_duration) == "8 hours"


@pytest.mark.parametrize("why", ["x" * 501, "\u202etxt"])
def test_the_reason_is_held_to_sense_too(admin_client: Client, fill: Fill, catalog: Catalog, why: str) -> None:
    assert errors(change(admin_client, fill, catalog.role, why=why))["why"]


def test_an_environment_has_a_sensitivity_that_we_know(admin_client: Client, fill: Fill) -> None:
    assert errors(add(admin_client, fill, "environment", name="A", slug="a", sensitivity="9"))["sensitivity"]
    assert not Environment.objects.exists()


@pytest.mark.parametrize("left_out", ["step_up_context", "step_up_for", "step_up_longest_age"])
def test_half_a_demand_for_fresh_proof_is_refused_at_what_is_missing(
    admin_client: Client, fill: Fill, catalog: Catalog, left_out: str
) -> None:
    whole = {"step_up_context": "c1", "step_up_for": "both", "step_up_longest_age": "15m"}
    row = AccessPolicy.objects.order_by("pk")[0]
    answer = change(admin_client, fill, row, **{**whole, left_out: ""})
    assert "leave all three" in errors(answer)[left_out][0]


def test_people_are_filtered_by_the_groups_that_count_and_by_no_others(
    admin_client: Client, catalog: Catalog, admin_person: User
) -> None:
    DirectoryGroup.objects.create(object_id=str(uuid4()), name="Canteen")
    member = person("Mo Member", catalog.group.object_id)
    page = admin_client.get("/admin/jitportal/user/").content.decode()
    assert (catalog.group.name in page, "Canteen" in page) == (True, False)
    listed = admin_client.get(f"/admin/jitportal/user/?group={catalog.group.pk}").context["cl"].result_list
    assert list(listed) == [member]
    assert admin_client.get("/admin/jitportal/user/?group=x").status_code < 400
