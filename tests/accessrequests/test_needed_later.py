"""Nobody agrees where that would leave a later stage without enough people: each person decides once."""

from collections.abc import Sequence

import pytest

from accessrequests import permissions
from accessrequests.models import AccessRequest
from accessrequests.refusals import Refused
from accessrequests.states import RequestStatus
from catalog.models import ApprovalStage, ApproverGroup, DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Group, Person
from jitportal.models import User
from tests.accessrequests.conftest import Office


def leads_then_manager(office: Office, manager: Person = company.CHIARA) -> None:
    """A lead decides first, then the manager of who asks."""
    office.asks_manager_at(2)
    User.objects.filter(pk=office.user(company.ADA).pk).update(manager_object_id=manager.object_id)


def joins(office: Office, person: Person, group: Group) -> None:
    office.user(person).directory_groups.add(DirectoryGroup.objects.get(object_id=group.object_id))


def refusal(office: Office, made: AccessRequest, person: Person) -> str:
    with pytest.raises(Refused) as refused:
        office.decide(office.again(made), person)
    return str(refused.value)


ONLY_CHIARA = (
    "Only you can decide at stage 2 (the requester’s manager), and each person decides once: "
    "somebody else of Engineering Leads decide must decide here."
)


def test_a_lead_who_is_the_manager_leaves_the_first_stage_to_another_lead(office: Office) -> None:
    leads_then_manager(office)
    made = office.submit_production()
    assert permissions.deciders(made) == ["Emma Fischer"]
    assert office.told_to_decide(made) == ["Emma Fischer"]
    assert refusal(office, made, company.CHIARA) == ONLY_CHIARA
    assert office.approve(made, (company.EMMA, company.CHIARA)).status == RequestStatus.APPROVED


def test_who_is_needed_later_may_deny_at_once(office: Office) -> None:
    leads_then_manager(office)
    made = office.submit_production()
    assert office.decide(made, company.CHIARA, "deny", "Not while the books are closed.").status == RequestStatus.DENIED


def test_if_no_other_lead_is_there_nobody_could_approve(office: Office) -> None:
    leads_then_manager(office)
    User.objects.filter(pk=office.user(company.EMMA).pk).update(is_active=False)
    with pytest.raises(Refused, match="Nobody could approve this"):
        office.submit_production()


def test_who_came_to_be_alone_at_both_stages_decides_once_another_lead_is_there(office: Office) -> None:
    leads_then_manager(office)
    made = office.submit_production()
    User.objects.filter(pk=office.user(company.EMMA).pk).update(is_active=False)
    assert refusal(office, made, company.CHIARA) == ONLY_CHIARA
    assert permissions.deciders(made) == []
    User.objects.filter(pk=office.user(company.EMMA).pk).update(is_active=True)
    assert office.approve(made, (company.EMMA, company.CHIARA)).status == RequestStatus.APPROVED


def test_it_holds_of_groups_as_of_managers(office: Office) -> None:
    joins(office, company.CHIARA, company.SECURITY)
    office.catalog.two_stages.stages.filter(position=2).update(approvals_needed=3)
    made = office.submit_production()
    said = refusal(office, made, company.CHIARA)
    assert said.startswith("Without you too few are left at stage 2 (3 of Security Duty Officers decide)")
    everybody = (company.EMMA, company.FARID, company.GRACE, company.CHIARA)
    assert office.approve(made, everybody).status == RequestStatus.APPROVED


def test_who_is_in_both_groups_may_agree_at_either_while_there_are_others(office: Office) -> None:
    joins(office, company.CHIARA, company.SECURITY)
    assert office.approve(office.submit_production()).status == RequestStatus.APPROVED
    made = office.approve(office.submit_production(), (company.EMMA, company.CHIARA))
    assert made.status == RequestStatus.APPROVED


def test_an_account_of_the_one_who_is_needed_is_theirs(office: Office) -> None:
    leads_then_manager(office)
    pair = [office.user(person).pk for person in (company.CHIARA, company.EMMA)]
    joins(office, company.FARID, company.LEADS)
    User.objects.filter(pk__in=pair).update(principal_id="p-1")
    made = office.submit_production()
    assert permissions.deciders(made) == ["Farid Haddad"]
    assert "Only you can decide at stage 2" in refusal(office, made, company.EMMA)


def test_of_three_stages_those_that_come_after_count_together(office: Office) -> None:
    third = ApproverGroup.objects.create(name="Owners")
    third.directory_groups.set(DirectoryGroup.objects.filter(object_id=company.DATABASES.object_id))
    ApprovalStage.objects.create(policy=office.catalog.two_stages, position=3, approver_group=third)
    for person in User.objects.filter(directory_groups__object_id=company.DATABASES.object_id):
        person.directory_groups.remove(DirectoryGroup.objects.get(object_id=company.DATABASES.object_id))
    _only(office, company.LEADS, (company.CHIARA, company.EMMA))
    _only(office, company.SECURITY, (company.CHIARA, company.FARID))
    _only(office, company.DATABASES, (company.CHIARA, company.FARID))
    made = office.submit_production()
    assert permissions.deciders(made) == ["Emma Fischer"]
    assert "Without you too few are left" in refusal(office, made, company.CHIARA)
    everybody = (company.EMMA, company.CHIARA, company.FARID)
    assert office.approve(made, everybody).status == RequestStatus.APPROVED


def _only(office: Office, group: Group, people: Sequence[Person]) -> None:
    row = DirectoryGroup.objects.get(object_id=group.object_id)
    for user in User.objects.filter(directory_groups=row):
        user.directory_groups.remove(row)
    for person in people:
        office.user(person).directory_groups.add(row)
