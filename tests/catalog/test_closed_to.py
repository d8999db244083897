"""Deny beats allow: whom one policy keeps from asking, no other policy lets ask, now and then, on every page."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from auditlog import chain, history, live_rows
from auditlog.models import Event
from catalog import answers, changes
from catalog.models import AccessPolicy, ApprovalStage, DirectoryGroup
from catalog.offers import choices_of, offers_for, policies_in_force
from catalog.people import load
from catalog.policy import Ask, evaluate
from catalog.uses import StillUsed
from jitportal.models import User
from jitportal.people import groups_in_use
from tests.catalog.conftest import Catalog, Fill, errors, person, signed_in
from tests.catalog.judging import NOW


@pytest.fixture
def contractors(catalog: Catalog) -> DirectoryGroup:
    """A group that a second policy for the same role and environment keeps from asking."""
    leads = DirectoryGroup.objects.create(object_id=str(uuid4()), name="Leads")
    catalog.approver_group.directory_groups.set([leads])
    for name in ("Lea", "Lou"):
        person(name, leads.object_id)
    group = DirectoryGroup.objects.create(object_id=str(uuid4()), name="Contractors")
    other = AccessPolicy.objects.create(
        name="No contractors",
        role=catalog.role,
        environment=catalog.environment,
        permission_set=catalog.permission_set,
        longest_duration=timedelta(hours=8),
    )
    other.closed_to.add(group)
    ApprovalStage.objects.create(policy=other, approver_group=catalog.approver_group)
    return group


@pytest.fixture
def erin(catalog: Catalog, contractors: DirectoryGroup) -> User:
    return person("Erin", catalog.group.object_id)


@pytest.fixture
def carl(catalog: Catalog, contractors: DirectoryGroup) -> User:
    return person("Carl", catalog.group.object_id, contractors.object_id)


def judge(catalog: Catalog, user: User) -> Any:
    accounts = choices_of([catalog.account])
    ask = Ask(catalog.role.pk, catalog.environment.pk, accounts, timedelta(hours=1), "Payments are stuck.", "", None)
    return evaluate(policies_in_force(), load(user.pk), ask, NOW, timedelta(days=1))


def test_whoever_is_kept_from_asking_is_refused_though_another_policy_allows_it(
    catalog: Catalog, erin: User, carl: User
) -> None:
    assert judge(catalog, erin).verdict
    refused = judge(catalog, carl).verdict
    assert not refused
    assert refused.rule == "No contractors"
    assert refused.reason == "You are in a group that “No contractors” keeps from asking, whatever else allows it."


def test_nothing_is_offered_to_them(catalog: Catalog, erin: User, carl: User) -> None:
    assert len(offers_for(load(erin.pk))) == 1
    assert offers_for(load(carl.pk)) == ()


def test_another_role_or_environment_is_not_touched(catalog: Catalog, carl: User) -> None:
    AccessPolicy.objects.filter(name="No contractors").update(is_in_force=False)
    assert judge(catalog, carl).verdict


def test_explain_names_the_policy_and_counts_them_out(
    catalog: Catalog, erin: User, carl: User, contractors: DirectoryGroup
) -> None:
    (reached,) = answers.why(carl.pk, None, role=catalog.role, environment=catalog.environment).reached
    assert "Carl is in a group that “No contractors” keeps from asking" in reached.refusals[0].reason
    who = answers.who_can_ask(catalog.role, catalog.environment, None)
    assert [listed.person.name for listed in who.listed] == ["Erin"]
    assert who.count == 1
    page = signed_in(person("Ines", settings.ENTRA_ADMIN_GROUP_ID)).get(
        "/explain/?question=who&role=production-support&environment=production"
    )
    assert "but to no member of Contractors" in page.content.decode()


def test_their_group_counts_as_in_use_and_cannot_be_deleted(catalog: Catalog, contractors: DirectoryGroup) -> None:
    assert contractors.object_id in groups_in_use()
    with pytest.raises(StillUsed):
        changes.delete(instance=contractors, actor=catalog_admin())


def catalog_admin() -> Any:
    return load(person("Ada Admin", settings.ENTRA_ADMIN_GROUP_ID).pk).actor


def test_an_admin_closes_a_policy_and_the_record_names_the_group(
    catalog: Catalog, contractors: DirectoryGroup, admin_client: Client, fill: Fill
) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    admin_client.post(page, fill(page, closed_to=[str(contractors.pk)]))
    assert list(catalog.policy.closed_to.all()) == [contractors]
    event = Event.objects.filter(action="catalog.changed").order_by("-number")[0]
    assert event.data["changes"]["closed_to"] == [[], [f"Contractors ({contractors.object_id})"]]
    assert live_rows.first_difference()[1] == ""


def test_a_group_cannot_be_both_let_in_and_kept_out(
    catalog: Catalog, contractors: DirectoryGroup, admin_client: Client, fill: Fill
) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    both = errors(admin_client.post(page, fill(page, closed_to=[str(catalog.group.pk)])))
    assert "Payments engineers" in both["closed_to"][0]


def test_a_policy_that_only_keeps_people_out_needs_nobody_who_may_ask(
    catalog: Catalog, contractors: DirectoryGroup
) -> None:
    assert judge(catalog, person("Nobody")).verdict.rule != "No contractors"


def test_versions_kept_before_policies_could_close_keep_their_digest(catalog: Catalog) -> None:
    version = AccessPolicy.history.earliest("history_id")
    before = history.digest(version)
    assert "closed_to" in history.ADDED_LATER
    assert chain.sha256(chain.canonical({"columns": _columns(version), "many": {"requestable_by": []}})) == before


def _columns(version: Any) -> Any:
    values = {field.attname: field.value_from_object(version) for field in version._meta.concrete_fields}
    return {name: history.plain(value) for name, value in values.items() if value is not None}
