"""The main job: asked, agreed, granted in AWS, gone from AWS when the time is up, and all of it recorded."""

from datetime import timedelta

from accessrequests.models import Assignment
from accessrequests.states import EndReason, GrantStatus, RequestStatus
from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.demo.simulator import AssignmentKey
from tests.accessrequests.conftest import Office


def actions(request: object) -> list[str]:
    return list(
        Event.objects.filter(subject_kind="request", subject_id=str(request))
        .order_by("number")
        .values_list("action", flat=True)
    )


def test_an_automatic_request_is_granted_and_is_gone_when_its_time_is_up(office: Office) -> None:
    request = office.submit()
    assert request.status == RequestStatus.APPROVED
    assert office.in_aws() == []
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == 1
    office.pass_time(minutes=59)
    assert len(office.in_aws()) == 1
    office.pass_time(minutes=1)
    assert office.in_aws() == []
    ended = office.again(request)
    assert (ended.status, ended.end_reason) == (RequestStatus.ENDED, EndReason.EXPIRED)
    assert actions(request.pk) == [
        "request.submitted", "request.approved", "grant.waiting", "request.started", "grant.granting",
        "grant.active", "request.active", "grant.revoking", "grant.ended", "request.ended",
    ]  # fmt: skip


def test_the_record_names_the_person_and_keeps_awss_id_of_them(office: Office) -> None:
    request = office.submit()
    office.work()
    principal = Assignment.objects.get(grants__request=request).principal_id
    event = Event.objects.get(action="assignment.creation_confirmed")
    assert f"AWS confirmed that {company.ADA.name} holds" in event.sentence
    assert event.data["principal"] == principal


def test_two_stages_decide_in_order_by_different_people(office: Office) -> None:
    request = office.submit_production()
    assert request.status == RequestStatus.PENDING
    office.decide(request, company.CHIARA)
    assert office.again(request).status == RequestStatus.PENDING
    office.decide(request, company.GRACE)
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == 1


def test_the_end_is_in_the_database_before_aws_is_asked_and_full_once_aws_has_confirmed(office: Office) -> None:
    request = office.submit(accounts=office.catalog.sandbox_accounts)
    office.work()
    for grant in request.grants.all():
        assert grant.status == GrantStatus.ACTIVE
        assert grant.activated_at is not None
        assert grant.ends_at == grant.activated_at + timedelta(hours=1)
    assert len(office.in_aws()) == 3


def test_giving_one_request_back_does_not_cut_another_on_the_same_account(office: Office) -> None:
    first, second = office.submit(), office.submit(duration=timedelta(hours=4))
    office.work()
    assert Assignment.objects.count() == 1
    office.pass_time(hours=1)
    assert office.again(first).status == RequestStatus.ENDED
    assert office.again(second).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == 1
    office.pass_time(hours=3)
    assert office.in_aws() == []


def test_access_that_was_there_before_is_used_and_never_removed(office: Office) -> None:
    request = office.submit()
    account, permission_set = office.catalog.sandbox_accounts[0], office.catalog.permission_set
    principal = office.simulator.organisation.user_id(company.ADA.user_name)
    standing = AssignmentKey(account.account_id, permission_set.arn, "USER", principal)
    office.simulator.put_assignment(standing)
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE
    office.pass_time(hours=1)
    assert office.again(request).status == RequestStatus.ENDED
    assert office.in_aws() == [standing]
