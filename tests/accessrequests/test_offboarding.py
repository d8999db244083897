"""A person leaves: what they asked for, what they hold and what they half decided, all at once; and comes back."""

from datetime import timedelta

import pytest
from django.test import Client

from accessrequests import drift, due, findings, offboarding, workflow
from accessrequests.models import Decision, Notification
from accessrequests.refusals import Refused
from accessrequests.states import EndReason, GrantStatus, RequestStatus
from auditlog.actor import Actor
from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import User
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import by_hand, found, key_of

pytestmark = pytest.mark.django_db

BY = Actor.system("test")


def leave(office: Office, person: Person) -> bool:
    return offboarding.leave(office.user(person).pk, "disabled", "The account is disabled in the directory", actor=BY)


def test_an_approver_who_asks_and_holds_leaves_with_all_of_it(office: Office) -> None:
    held = office.submit(company.CHIARA)
    office.work()
    pending = office.submit_production(company.CHIARA)
    later = office.submit(company.CHIARA, start=office.moment.time + timedelta(hours=3))
    undecided = office.submit_production(company.ADA)
    office.decide(undecided, company.CHIARA, comment="Fine.")
    decided = office.submit_production(company.BEN)
    office.approve(decided)
    key = User.objects.get(pk=office.user(company.CHIARA).pk).session_key
    told = Notification.objects.filter(kind="to_decide").count()

    assert leave(office, company.CHIARA)
    office.work()

    chiara = User.objects.get(pk=office.user(company.CHIARA).pk)
    assert not chiara.is_active
    assert chiara.session_key != key
    ended = office.again(held)
    assert (ended.status, ended.end_reason) == (RequestStatus.ENDED, EndReason.OFFBOARDED)
    assert office.grant(held).status == GrantStatus.ENDED
    for request in (office.again(pending), office.again(later)):
        assert request.status == RequestStatus.WITHDRAWN
        assert request.outcome == "The account is disabled in the directory."
    anew = office.again(undecided)
    assert (anew.status, anew.stage) == (RequestStatus.PENDING, 1)
    vote = Decision.objects.get(request=undecided)
    assert (vote.answer, vote.comment, vote.set_aside_at) == ("approve", "Fine.", office.moment.time)
    assert Decision.objects.get(request=decided, decided_by=chiara).set_aside_at is None
    assert {key.principal_id for key in office.in_aws()} == {in_aws(office, company.BEN)}
    # Emma is the other lead, and is asked anew.
    assert Notification.objects.filter(kind="to_decide").count() == told + 1
    event = Event.objects.get(action="person.left")
    assert event.sentence == "Chiara Rossi left: The account is disabled in the directory"
    assert event.data["grants_ended"] == 1
    assert sorted(event.data["withdrawn"]) == sorted([str(pending.pk), str(later.pk)])
    assert event.data["set_aside"] == [str(undecided.pk)]
    said = Event.objects.get(action="decision.set_aside").sentence
    assert said.startswith("The decision of Chiara Rossi for Engineering Leads decide (stage 1) counts no longer")


def in_aws(office: Office, person: Person) -> str:
    return office.simulator.organisation.user_id(person.user_name)


def test_another_must_decide_in_place_of_who_left_and_then_it_goes_on(office: Office) -> None:
    request = office.submit_production()
    office.decide(request, company.CHIARA)
    leave(office, company.CHIARA)
    with pytest.raises(Refused):
        office.decide(request, company.FARID)
    office.approve(request, (company.EMMA, company.FARID))
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE


def test_stages_that_have_agreed_after_one_that_is_asked_anew_are_not_asked_twice(office: Office) -> None:
    office.catalog.two_stages.stages.filter(position=2).update(approvals_needed=2)
    request = office.submit_production()
    office.approve(request, (company.CHIARA, company.FARID))
    leave(office, company.CHIARA)
    office.approve(request, (company.EMMA, company.GRACE))
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE


def test_a_vote_of_the_present_stage_that_is_set_aside_is_missing_from_it(office: Office) -> None:
    office.catalog.two_stages.stages.filter(position=1).update(approvals_needed=2)
    request = office.submit_production()
    office.decide(request, company.CHIARA)
    leave(office, company.CHIARA)
    office.decide(request, company.EMMA)
    assert office.again(request).stage == 1


def test_votes_that_were_set_aside_do_not_start_anything(office: Office) -> None:
    request = office.submit_production()
    office.decide(request, company.CHIARA)
    leave(office, company.CHIARA)
    office.approve(request, (company.EMMA, company.FARID))
    emma = Decision.objects.get(decided_by=office.user(company.EMMA))
    Decision.objects.filter(pk=emma.pk).update(set_aside_at=office.moment.time)
    office.work()
    assert office.again(request).status == RequestStatus.FAILED


def test_who_left_neither_asks_nor_decides(office: Office) -> None:
    request = office.submit_production()
    leave(office, company.CHIARA)
    with pytest.raises(Refused):
        office.decide(request, company.CHIARA)
    with pytest.raises(Refused):
        office.submit(company.CHIARA)


def test_access_that_is_still_being_granted_ends_too(office: Office) -> None:
    request = office.submit()
    due.start(request.pk, office.aws)
    leave(office, company.ADA)
    office.work()
    assert office.again(request).status == RequestStatus.ENDED
    assert office.in_aws() == []


def test_nobody_leaves_twice_and_who_is_locked_out_stays_so(office: Office) -> None:
    assert leave(office, company.ADA)
    assert not leave(office, company.ADA)
    User.objects.filter(object_id=company.BEN.object_id).update(is_active=False)
    assert not leave(office, company.BEN)
    assert not offboarding.take_back(office.user(company.BEN).pk, "They are there", actor=BY)


def test_who_returns_gets_nothing_back_and_may_decide_afresh(office: Office) -> None:
    request = office.submit_production()
    office.decide(request, company.CHIARA)
    own = office.submit(company.CHIARA)
    office.work()
    leave(office, company.CHIARA)
    office.work()
    assert offboarding.take_back(office.user(company.CHIARA).pk, "The account is enabled", actor=BY)
    office.work()
    assert office.in_aws() == []
    assert office.again(own).status == RequestStatus.ENDED
    assert office.again(request).stage == 1
    office.approve(request)
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE
    assert Decision.objects.filter(request=request, decided_by=office.user(company.CHIARA)).count() == 2


def test_a_request_that_was_withdrawn_so_says_why(office: Office) -> None:
    request = office.submit_production()
    leave(office, company.ADA)
    event = Event.objects.filter(subject_id=str(request.pk)).latest("number")
    assert (event.action, event.actor) == ("request.withdrawn", "system:test")
    with pytest.raises(Refused):
        workflow.withdraw(office.user(company.ADA).pk, request.pk)


def test_the_page_of_a_request_shows_what_counts_no_longer(office: Office) -> None:
    request = office.submit_production()
    office.decide(request, company.CHIARA)
    leave(office, company.CHIARA)
    browser = Client()
    browser.force_login(office.user(company.ADA))
    page = " ".join(browser.get(f"/requests/{request.pk}/").content.decode().split())
    assert "left before all was decided: it counts no longer" in page
    browser.force_login(office.user(company.EMMA))
    assert str(request.pk) in browser.get("/approvals/").content.decode()


def test_standing_access_that_was_adopted_ends_with_them_and_what_was_not_stays(office: Office) -> None:
    finding = found(office, company.BEN)
    left_alone = by_hand(office, key_of(office, company.BEN, office.catalog.sandbox_accounts[1]))
    drift.scan(office.aws)
    until = office.moment.time + timedelta(days=3)
    findings.adopt(user_id=office.user(company.INES).pk, finding_id=finding.pk, until=until, reason="For the move.")
    office.work()
    assert len(office.in_aws()) == 2
    assert leave(office, company.BEN)
    office.work()
    assert [key.account_id for key in office.in_aws()] == [left_alone.account_id]
    finding.refresh_from_db()
    assert (finding.status, finding.until) == ("removing", office.moment.time)
    assert '"adopted_ended":1' in Event.objects.get(action="person.left").canonical
    drift.scan(office.aws)
    finding.refresh_from_db()
    assert finding.status == "removed"
