"""Starting: everything is checked again as it is then, and AWS being away delays a request but loses none."""

from datetime import timedelta

from accessrequests import workflow
from accessrequests.models import Notification
from accessrequests.states import RequestStatus
from catalog.models import PermissionSet
from jitportal.demo import organisation as company
from jitportal.demo.simulator import Fault, FaultKind
from tests.accessrequests.conftest import Office


def test_a_start_in_the_future_waits_for_its_time(office: Office) -> None:
    request = office.submit(start=office.moment.time + timedelta(hours=3))
    office.work()
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.APPROVED, [])
    office.pass_time(hours=3)
    assert office.again(request).status == RequestStatus.ACTIVE


def test_who_is_no_longer_eligible_at_the_start_gets_nothing_and_is_told_why(office: Office) -> None:
    request = office.submit(start=office.moment.time + timedelta(hours=3))
    office.user(company.ADA).directory_groups.clear()
    office.pass_time(hours=3)
    failed = office.again(request)
    assert failed.status == RequestStatus.FAILED
    assert "Sandbox developers" in failed.outcome
    assert office.in_aws() == []


def test_the_approvers_are_told_as_well(office: Office) -> None:
    request = office.submit_production(start=office.moment.time + timedelta(hours=3))
    office.approve(request)
    office.catalog.developer.is_offered = False
    office.catalog.developer.save()
    office.pass_time(hours=3)
    told = Notification.objects.filter(kind="failed").values_list("recipient__name", flat=True)
    assert set(told) == {company.ADA.name, company.CHIARA.name, company.FARID.name}


def test_another_permission_set_than_the_approved_one_is_not_granted(office: Office) -> None:
    request = office.submit(start=office.moment.time + timedelta(hours=3))
    stronger = company.ORGANISATION.permission_set_arn("DevOpsAccess")
    office.catalog.automatic.permission_set = PermissionSet.objects.create(name="DevOpsAccess", arn=stronger)
    office.catalog.automatic.save()
    office.pass_time(hours=3)
    assert office.again(request).status == RequestStatus.FAILED
    assert office.in_aws() == []


def test_a_person_whom_identity_center_does_not_know_is_refused_with_a_remedy(office: Office) -> None:
    ada = office.user(company.ADA)
    ada.user_name, ada.email = "renamed@harbour.example", ""
    ada.save()
    request = office.submit()
    office.work()
    failed = office.again(request)
    assert failed.status == RequestStatus.FAILED
    assert "no user renamed@harbour.example" in failed.outcome
    assert "provisioning" in failed.outcome


def test_a_person_who_is_disabled_in_identity_center_is_refused(office: Office) -> None:
    office.simulator.change_user(company.ADA.user_name, enabled=False)
    request = office.submit()
    office.work()
    assert "disabled in IAM Identity Center" in office.again(request).outcome


def test_aws_out_of_reach_is_said_and_the_request_goes_on_when_it_is_back(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.UNREACHABLE))
    request = office.submit()
    office.work()
    waiting = office.again(request)
    assert waiting.status == RequestStatus.APPROVED
    assert "AWS did not answer" in waiting.trouble
    office.simulator.faults.clear()
    office.pass_time(minutes=2)
    active = office.again(request)
    assert (active.status, active.trouble) == (RequestStatus.ACTIVE, "")


def test_a_withdrawn_request_does_not_start(office: Office) -> None:
    request = office.submit(start=office.moment.time + timedelta(hours=3))
    workflow.withdraw(office.user(company.ADA).pk, request.pk)
    office.pass_time(hours=3)
    assert office.again(request).status == RequestStatus.WITHDRAWN
    assert office.in_aws() == []
