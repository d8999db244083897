"""One human with two accounts is one person: they decide on a request once, whichever account they use."""

from typing import Any

import pytest

from accessrequests import judging, permissions
from accessrequests.models import AccessRequest
from accessrequests.refusals import Refused
from accessrequests.states import RequestStatus
from auditlog import clock
from catalog import people
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import User
from tests.accessrequests.conftest import Office

SAME: dict[str, dict[str, Any]] = {
    "principal_id": {"principal_id": "p-1"},
    "user_name": {"user_name": company.CHIARA.user_name.upper()},
}


def is_chiara_too(office: Office, person: Person, same: str) -> None:
    """This person's account turns out to be another one of Chiara's."""
    User.objects.filter(pk=office.user(company.CHIARA).pk).update(principal_id="p-1")
    User.objects.filter(pk=office.user(person).pk).update(**SAME[same])


def in_queue(office: Office, person: Person, request: AccessRequest) -> bool:
    queue = permissions.queue_of(people.load(office.user(person).pk), clock.now())
    return queue.filter(pk=request.pk).exists()


@pytest.fixture
def needs_two(office: Office) -> None:
    office.catalog.two_stages.stages.filter(position=1).update(approvals_needed=2)


@pytest.mark.parametrize("same", SAME)
def test_two_accounts_are_not_two_of_a_group(office: Office, needs_two: None, same: str) -> None:
    made = office.submit_production()
    is_chiara_too(office, company.EMMA, same)
    assert in_queue(office, company.EMMA, made)
    office.decide(made, company.CHIARA)
    made = office.again(made)
    assert not in_queue(office, company.EMMA, made)
    assert "Emma Fischer" not in permissions.deciders(made)
    with pytest.raises(Refused) as refused:
        office.decide(made, company.EMMA)
    assert refused.value.refusals[0].rule == "distinct people"


@pytest.mark.parametrize("same", SAME)
def test_two_accounts_are_not_the_manager_and_one_of_a_group(office: Office, same: str) -> None:
    office.asks_manager_at(1)
    User.objects.filter(pk=office.user(company.ADA).pk).update(manager_object_id=company.CHIARA.object_id)
    is_chiara_too(office, company.FARID, same)
    made = office.submit_production()
    office.decide(made, company.CHIARA)
    with pytest.raises(Refused) as refused:
        office.decide(office.again(made), company.FARID)
    assert refused.value.refusals[0].rule == "distinct people"


@pytest.mark.parametrize("same", SAME)
def test_what_two_accounts_agreed_to_before_that_was_known_does_not_start(
    office: Office, needs_two: None, same: str
) -> None:
    made = office.approve(office.submit_production(), (company.CHIARA, company.EMMA, company.FARID))
    assert made.status == RequestStatus.APPROVED
    is_chiara_too(office, company.EMMA, same)
    office.work()
    made = office.again(made)
    assert (made.status, office.in_aws()) == (RequestStatus.FAILED, [])
    assert "Chiara Rossi and Emma Fischer are one person" in made.outcome


@pytest.mark.parametrize("same", SAME)
def test_what_two_accounts_agreed_to_is_not_approved_once_that_is_known(
    office: Office, needs_two: None, same: str
) -> None:
    made = office.submit_production()
    for person in (company.CHIARA, company.EMMA):
        office.decide(office.again(made), person)
    is_chiara_too(office, company.EMMA, same)
    with pytest.raises(Refused) as refused:
        office.decide(office.again(made), company.FARID)
    assert refused.value.refusals[0].rule == "distinct people"
    assert "Chiara Rossi and Emma Fischer are one person" in str(refused.value)
    assert office.again(made).status == RequestStatus.PENDING
    office.decide(office.again(made), company.FARID, "deny", "One person is not two.")
    assert office.again(made).status == RequestStatus.DENIED


def test_what_two_accounts_agreed_to_does_not_start_because_its_policy_asks_nobody_any_more(
    office: Office, needs_two: None
) -> None:
    made = office.approve(office.submit_production(), (company.CHIARA, company.EMMA, company.FARID))
    is_chiara_too(office, company.EMMA, "principal_id")
    policy = office.catalog.two_stages
    policy.automatic_approval = "always"
    policy.save()
    office.work()
    assert (office.again(made).status, office.in_aws()) == (RequestStatus.FAILED, [])


def test_two_people_who_are_told_apart_by_everything_are_two(office: Office, needs_two: None) -> None:
    made = office.approve(office.submit_production(), (company.CHIARA, company.EMMA, company.FARID))
    office.work()
    assert office.again(made).status == RequestStatus.ACTIVE


@pytest.mark.parametrize("same", SAME)
def test_an_ask_that_needs_two_is_refused_where_there_are_but_two_accounts_of_one(
    office: Office, needs_two: None, same: str
) -> None:
    is_chiara_too(office, company.EMMA, same)
    with pytest.raises(Refused) as refused:
        office.submit_production()
    assert "asks 2 of Engineering Leads decide to agree, and only 1 besides the one who asks is in it" in str(
        refused.value
    )


@pytest.mark.parametrize("same", SAME)
def test_two_accounts_in_the_groups_of_two_stages_are_not_enough_for_both(office: Office, same: str) -> None:
    User.objects.filter(pk__in=[office.user(company.EMMA).pk, office.user(company.GRACE).pk]).update(is_active=False)
    is_chiara_too(office, company.FARID, same)
    with pytest.raises(Refused) as refused:
        office.submit_production()
    assert "those in it are needed at another stage" in str(refused.value)


@pytest.mark.parametrize("same", SAME)
def test_a_change_of_the_catalog_counts_what_two_accounts_agreed_to_as_its_start_will(
    office: Office, needs_two: None, same: str
) -> None:
    made = office.approve(office.submit_production(), (company.CHIARA, company.EMMA, company.FARID))
    is_chiara_too(office, company.EMMA, same)
    asker = people.load(office.user(company.ADA).pk)
    assert "are one person" in judging.judge_again(asker, made, clock.now()).reason
