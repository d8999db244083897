"""App roles work as groups do: named in the catalog by their value, true at sign-in, and true without one."""

from dataclasses import replace

import pytest
from pytest_django import Settings

from auditlog.models import Event
from catalog.forms import DirectoryGroupForm
from catalog.models import DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Fault, FaultKind, Group
from jitportal.demo.organisation import GRACE, HUGO
from jitportal.entra import doctor
from jitportal.entra.doctor import State
from jitportal.entra.remedies import Remedy
from jitportal.models import User
from jitportal.signin.people import take_in
from tests.directory import claims_of
from tests.jitportal.entra.conftest import Portal

pytestmark = pytest.mark.django_db
ROLE = "role:Payments.Engineer"
VALUE = "Payments.Engineer"


@pytest.fixture
def named(portal: Portal) -> Portal:
    """A portal whose catalog lets people of an app role ask, beside those of a group."""
    portal.server.graph.permissions.add("Directory.Read.All")
    row = DirectoryGroup.objects.create(object_id=ROLE, name="Payments engineers by role")
    portal.office.catalog.automatic.requestable_by.add(row)
    portal.sync()
    return portal


def assign(portal: Portal, principal: str, *, is_assigned: bool = True) -> None:
    portal.directory.assign_role(VALUE, principal, is_assigned=is_assigned)


def has_it(portal: Portal) -> bool:
    return ROLE in portal.row(HUGO).group_ids


def test_who_is_given_a_role_may_ask_without_a_sign_in_and_who_loses_it_may_not(named: Portal) -> None:
    assign(named, HUGO.object_id)
    named.sync()
    named.office.submit(HUGO)
    assign(named, HUGO.object_id, is_assigned=False)
    named.sync()
    assert not has_it(named)
    assert Event.objects.latest("number").sentence == (
        f"The directory groups of Hugo Martins changed, left Payments engineers by role ({ROLE})"
    )


def test_a_role_comes_with_a_group_and_goes_with_it(named: Portal) -> None:
    assign(named, company.DATA.object_id)
    named.sync()
    assert has_it(named)
    named.directory.set_member(company.DATA.object_id, HUGO.object_id, is_member=False)
    named.sync()
    assert not has_it(named)


def test_a_role_of_a_group_is_not_that_of_the_groups_within_it(named: Portal) -> None:
    outer = Group("d0000000-0000-4000-8000-000000000002", "Everybody")
    inner = Group("d0000000-0000-4000-8000-000000000001", "Juniors", within=(outer,))
    named.directory.change(HUGO.object_id, groups=(inner,))
    assign(named, outer.object_id)
    named.sync()
    assert not has_it(named)


def test_what_does_not_change_is_not_asked_about_again(named: Portal) -> None:
    assign(named, HUGO.object_id)
    assert named.sync().asked == 11
    assert named.sync().asked == 0


def test_assignments_are_read_to_the_last_page_and_a_page_that_fails_changes_nobody(named: Portal) -> None:
    named.server.graph.page_size = 1
    for person in (GRACE, HUGO, company.EMMA):
        assign(named, person.object_id)
    named.sync()
    assert has_it(named)
    assign(named, GRACE.object_id, is_assigned=False)
    named.server.graph.faults.add(Fault(FaultKind.CUT, "appRoleAssignedTo", spare=1))
    assert named.sync().trouble
    assert ROLE in named.row(GRACE).group_ids
    named.sync()
    assert ROLE not in named.row(GRACE).group_ids
    assert has_it(named)


def test_without_the_permission_nobody_is_changed_and_it_is_said_which_is_lacking(named: Portal) -> None:
    assign(named, HUGO.object_id)
    named.sync()
    named.server.graph.permissions.discard("Directory.Read.All")
    assert "application permission Directory.Read.All" in named.sync().trouble
    assert has_it(named)


def test_who_left_is_offboarded_although_roles_cannot_be_asked_about_and_roles_are_kept(named: Portal) -> None:
    assign(named, HUGO.object_id)
    named.sync()
    named.office.submit()
    named.office.work()
    named.server.graph.permissions.discard("Directory.Read.All")
    named.directory.change(company.ADA.object_id, enabled=False)
    named.directory.set_member(company.PAYMENTS.object_id, HUGO.object_id, is_member=True)
    result = named.sync()
    assert (result.left, result.stopped) == (1, False)
    assert "application permission Directory.Read.All" in result.trouble
    named.office.work()
    assert named.office.in_aws() == []
    assert named.row(HUGO).group_ids >= {ROLE, company.PAYMENTS.object_id}


def test_a_role_that_was_taken_while_nobody_could_ask_is_gone_when_somebody_can(named: Portal) -> None:
    assign(named, HUGO.object_id)
    named.sync()
    named.server.graph.permissions.discard("Directory.Read.All")
    named.sync()
    assign(named, HUGO.object_id, is_assigned=False)
    named.sync()
    assert has_it(named)
    named.server.graph.permissions.add("Directory.Read.All")
    assert named.sync().trouble == ""
    assert not has_it(named)


def test_the_roles_of_one_person_that_may_not_be_asked_about_keep_nobody_from_leaving(named: Portal) -> None:
    assign(named, HUGO.object_id)
    named.server.graph.faults.add(Fault(FaultKind.FORBIDDEN, "/appRoleAssignments", times=100))
    named.directory.change(company.ADA.object_id, enabled=False)
    assert named.sync().left == 1
    named.server.graph.faults.clear()
    named.sync()
    assert has_it(named)


def test_a_role_that_is_in_the_catalog_and_used_nowhere_is_not_asked_about(portal: Portal) -> None:
    DirectoryGroup.objects.create(object_id=ROLE, name="Used nowhere")
    portal.directory.change(company.ADA.object_id, enabled=False)
    result = portal.sync()
    assert (result.left, result.trouble) == (1, "")


def test_a_role_that_comes_into_use_brings_its_people(portal: Portal) -> None:
    portal.server.graph.permissions.add("Directory.Read.All")
    row = DirectoryGroup.objects.create(object_id=ROLE, name="Used nowhere yet")
    assign(portal, HUGO.object_id)
    portal.sync()
    assert not has_it(portal)
    portal.office.catalog.automatic.requestable_by.add(row)
    portal.sync()
    assert has_it(portal)


def test_nobody_asks_for_roles_where_none_is_named(portal: Portal) -> None:
    assign(portal, HUGO.object_id)
    portal.directory.change(HUGO.object_id, department="Elsewhere")
    assert portal.sync().trouble == ""


def test_a_role_of_a_token_counts_if_it_is_named_and_leaves_nothing_if_it_is_not(
    named: Portal, settings: Settings
) -> None:
    described = claims_of(HUGO, settings.ENTRA_TENANT_ID)
    take_in(replace(described, groups=described.groups | {ROLE, "role:Somewhere.Else"}))
    assert has_it(named)
    assert not DirectoryGroup.objects.filter(object_id="role:Somewhere.Else").exists()


def test_a_role_can_make_an_administrator(named: Portal, settings: Settings) -> None:
    settings.ENTRA_ADMIN_GROUP_ID = ROLE
    assign(named, HUGO.object_id)
    named.sync()
    assert named.row(HUGO).is_staff
    assert not named.row(company.INES).is_staff


def test_a_role_whose_name_begins_like_another_is_another(named: Portal) -> None:
    lead = DirectoryGroup.objects.create(object_id=f"{ROLE}.Lead", name="Leads by role")
    named.office.catalog.automatic.requestable_by.add(lead)
    named.directory.assign_role(f"{VALUE}.Lead", HUGO.object_id, is_assigned=True)
    named.sync()
    assert named.row(HUGO).group_ids >= {f"{ROLE}.Lead"}
    assert not has_it(named)


@pytest.mark.parametrize("given", ["role:Portal.Admin", "role:payments:read/2", " role:A "])
def test_the_admin_takes_a_role_as_it_is_written(given: str) -> None:
    form = DirectoryGroupForm({"name": "By role", "object_id": given})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["object_id"] == given.strip()


@pytest.mark.parametrize("given", ["role:", "role:with space", "role:ünicode", "Role:Admin", f"role:{'x' * 121}"])
def test_the_admin_refuses_what_no_role_is_called(given: str) -> None:
    assert not DirectoryGroupForm({"name": "By role", "object_id": given}).is_valid()


def test_the_doctor_misses_a_role_that_is_not_there_and_the_permission_to_ask(named: Portal) -> None:
    def missing() -> dict[str, str]:
        return {check.what: check.remedy for check in doctor.examine(0) if check.state is State.MISSING}

    assert missing()["App roles"] == Remedy.ROLE
    named.directory.spare_roles.add(VALUE)
    assert "App roles" not in missing()
    named.server.graph.permissions.discard("Directory.Read.All")
    assert missing()["App roles"] == Remedy.ROLES_PERMISSION


def test_somebody_with_more_groups_than_a_token_lists_keeps_their_roles(named: Portal, settings: Settings) -> None:
    assert User.objects.filter(directory_groups__object_id=ROLE).count() == 0
    assign(named, HUGO.object_id)
    many = tuple(Group(f"d0000000-0000-4000-8000-{number:012}", f"Group {number}") for number in range(201))
    named.directory.change(HUGO.object_id, groups=(*HUGO.groups, *many))
    named.sync()
    assert named.row(HUGO).group_ids == {company.DATA.object_id, ROLE}
