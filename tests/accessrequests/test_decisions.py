"""A decision counts only if the person may decide at that moment, on what they were shown, once, never on their own."""

import uuid
from datetime import timedelta

import pytest

from accessrequests import decisions, permissions, workflow
from accessrequests.models import AccessRequest, Decision
from accessrequests.refusals import Refused
from accessrequests.states import RequestStatus
from auditlog import checkpoints, integrity
from auditlog.models import Event
from catalog import people
from catalog.models import DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from tests.accessrequests.conftest import Office


def refused_rule(office: Office, request: AccessRequest, person: Person, answer: str = "approve") -> str:
    """The rule by which the decision was refused; the refusal is in the ledger and the request is untouched."""
    before = office.again(request)
    with pytest.raises(Refused) as caught:
        office.decide(request, person, answer, "No.")
    after = office.again(request)
    assert (after.status, after.stage) == (before.status, before.stage)
    event = Event.objects.latest("number")
    assert (event.action, event.subject_id) == ("decision.refused", str(request.pk))
    assert person.object_id in event.actor
    return caught.value.refusals[0].rule


def test_nobody_decides_on_their_own_request(office: Office) -> None:
    request = office.submit_production(company.CHIARA)
    assert refused_rule(office, request, company.CHIARA) == "self-approval"


def test_a_second_identity_of_the_requester_is_still_the_requester(office: Office) -> None:
    request = office.submit_production(company.ADA)
    twin = office.user(company.EMMA)
    twin.user_name = company.ADA.user_name.upper()
    twin.save()
    assert refused_rule(office, request, company.EMMA) == "self-approval"
    assert not permissions.queue_of(people.load(twin.pk), office.moment.time).exists()


@pytest.mark.parametrize("person", [company.BEN, company.INES, company.JONAS, company.FARID], ids=lambda p: p.name)
def test_only_the_group_of_the_present_stage_decides(office: Office, person: Person) -> None:
    request = office.submit_production()
    assert refused_rule(office, request, person) == "Production developers"


def test_who_has_left_the_approver_group_no_longer_decides(office: Office) -> None:
    request = office.submit_production()
    office.user(company.CHIARA).directory_groups.clear()
    assert refused_rule(office, request, company.CHIARA) == "Production developers"


def test_who_has_joined_the_approver_group_since_decides(office: Office) -> None:
    request = office.submit_production()
    office.user(company.BEN).directory_groups.add(DirectoryGroup.objects.get(name="Engineering Leads"))
    office.decide(request, company.BEN)
    assert office.again(request).stage == 2


def test_a_disabled_approver_no_longer_decides(office: Office) -> None:
    request = office.submit_production()
    chiara = office.user(company.CHIARA)
    chiara.is_active = False
    chiara.save()
    assert refused_rule(office, request, company.CHIARA) == "people"


def test_one_person_decides_once_even_if_they_are_in_both_groups(office: Office) -> None:
    office.user(company.CHIARA).directory_groups.add(DirectoryGroup.objects.get(name="Security Duty Officers"))
    request = office.submit_production()
    office.decide(request, company.CHIARA)
    assert refused_rule(office, request, company.CHIARA) == "distinct people"


def test_two_of_a_group_means_two_people(office: Office) -> None:
    office.catalog.two_stages.stages.filter(position=1).update(approvals_needed=2)
    request = office.submit_production()
    office.decide(request, company.CHIARA)
    assert office.again(request).stage == 1
    office.decide(request, company.EMMA)
    assert office.again(request).stage == 2


@pytest.mark.parametrize("end", ["denied", "withdrawn", "lapsed", "approved"])
def test_what_is_decided_is_not_decided_again(office: Office, end: str) -> None:
    request = office.submit_production()
    if end == "denied":
        office.decide(request, company.CHIARA, "deny", "Not now.")
    elif end == "withdrawn":
        workflow.withdraw(office.user(company.ADA).pk, request.pk)
    elif end == "lapsed":
        office.pass_time(days=4)
    else:
        office.approve(request)
    assert office.again(request).status == end
    assert refused_rule(office, request, company.EMMA) == "once"


def test_an_approval_after_the_time_to_decide_does_not_count_even_before_the_sweep_has_seen_it(office: Office) -> None:
    request = office.submit_production()
    office.moment.forward(timedelta(days=4))
    assert refused_rule(office, request, company.CHIARA) == "lapse"


def test_an_approver_who_was_shown_something_else_does_not_decide(office: Office) -> None:
    request = office.submit_production()
    request.digest = "0" * 64
    assert refused_rule(office, request, company.CHIARA) == "what is shown is what is granted"


@pytest.mark.parametrize("column", ["duration", "reason", "role", "accounts"])
def test_a_request_that_was_altered_in_the_database_cannot_be_approved(office: Office, column: str) -> None:
    request = office.submit_production()
    rows = AccessRequest.objects.filter(pk=request.pk)
    if column == "duration":
        rows.update(duration=timedelta(days=300))
    elif column == "reason":
        rows.update(reason="Something quite different.")
    elif column == "role":
        rows.update(permission_set=type(office.catalog.permission_set).objects.create(name="Admin", arn="arn:x"))
    else:
        request.accounts.set(office.catalog.production_accounts)
    assert refused_rule(office, request, company.CHIARA) == "what is shown is what is granted"


def test_a_request_that_was_altered_after_its_approval_does_not_start(office: Office) -> None:
    request = office.approve(office.submit_production())
    request.accounts.add(office.catalog.production_accounts[2])
    office.work()
    assert office.again(request).status == RequestStatus.FAILED
    assert "not what was approved" in office.again(request).outcome
    assert office.in_aws() == []


def test_a_no_needs_its_reason(office: Office) -> None:
    request = office.submit_production()
    with pytest.raises(Refused) as caught:
        office.decide(request, company.CHIARA, "deny", "   ")
    assert caught.value.refusals[0].field == "comment"
    assert not Decision.objects.exists()


def test_an_unknown_request_is_not_decided(office: Office) -> None:
    with pytest.raises(AccessRequest.DoesNotExist):
        decisions.decide(office.user(company.CHIARA).pk, uuid.uuid4(), Decision.Answer.APPROVE, "", "")


def test_one_no_ends_it_with_the_words_of_who_said_it(office: Office) -> None:
    request = office.submit_production()
    office.decide(request, company.CHIARA, "deny", "Use the staging copy.")
    denied = office.again(request)
    assert (denied.status, denied.outcome) == (RequestStatus.DENIED, "Use the staging copy.")


def test_the_record_vouches_for_every_version_but_the_steps_of_assignments(office: Office) -> None:
    request = office.approve(office.submit_production())
    office.work()
    office.pass_time(hours=1)
    denied = office.submit_production()
    office.decide(denied, company.CHIARA, "deny", "Not now.")
    assert office.again(request).status == RequestStatus.ENDED
    kinds = {"access requests", "decisions", "grants"}
    assert not kinds & integrity.verify([checkpoints.public_key()]).unvouched.keys()
