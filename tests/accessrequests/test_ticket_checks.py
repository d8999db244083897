"""A policy may have tickets checked: an ask goes on only if the ticket system says yes, and is asked last of all."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accessrequests import ticketing, workflow
from accessrequests.models import AccessRequest, Grant
from accessrequests.refusals import Refused
from accessrequests.states import GrantStatus, RequestStatus
from accessrequests.ticketing import Answer, NoAnswer, Question
from accessrequests.workflow import MoreTime
from auditlog import checkpoints, integrity
from auditlog.models import Event
from catalog.models import AccessPolicy, DirectoryGroup
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.jitportal.tickets.desk import Desk


def refusal(office: Office) -> str:
    with pytest.raises(Refused) as refused:
        office.submit_production()
    assert not AccessRequest.objects.exists()
    (verdict,) = refused.value.refusals
    assert (verdict.field, verdict.rule) == ("ticket", "Production developers")
    recorded = Event.objects.latest("number")
    assert (recorded.action, recorded.data["reason"]) == ("request.refused", verdict.reason)
    return verdict.reason


def test_a_yes_lets_the_ask_through_and_stays_with_it(office: Office, desk: Desk) -> None:
    made = office.submit_production()
    (asked,) = desk.asked
    assert asked.said["request_id"] == str(made.pk)
    assert (asked.said["ticket"], asked.said["requester"]["object_id"]) == ("INC-4711", company.ADA.object_id)
    kept = {
        "at": office.moment.time.isoformat(),
        "system": "127.0.0.1",
        "rules": ["Production developers"],
    }
    assert (made.terms["ticket_checks"], made.terms["ticket_check"]) == (["Production developers"], kept)
    assert Event.objects.get(action="request.submitted").data["terms"]["ticket_check"] == kept
    office.approve(made)
    office.work()
    assert office.again(made).status == RequestStatus.ACTIVE
    assert len(desk.asked) == 1
    assert integrity.verify([checkpoints.public_key()]).whole


def test_a_no_refuses_it_in_the_words_of_the_ticket_system(office: Office, desk: Desk) -> None:
    desk.says({"valid": False, "reason": "INC-4711 is closed."})
    assert refusal(office) == "The ticket system does not accept the ticket INC-4711 for this: “INC-4711 is closed.”"


def test_a_no_without_a_reason_says_so(office: Office, desk: Desk) -> None:
    desk.says({"valid": False})
    assert refusal(office).endswith("for this, and does not say why.")


def test_no_answer_refuses_it_and_says_what_came_and_what_was_kept(office: Office, desk: Desk) -> None:
    desk.says({"valid": True}, "503 Service Unavailable")
    assert refusal(office) == (
        "“Production developers” wants the ticket to be checked, and that could not be done: the ticket system "
        "answered with an error (HTTP 503). Nothing was asked for, and what you typed is kept: try again, and if it "
        "lasts, tell your admins."
    )


def test_without_a_ticket_system_the_check_that_a_policy_demands_refuses(
    office: Office, desk: Desk, settings: Settings
) -> None:
    settings.TICKET_SYSTEM = ""
    assert "connected to no ticket system" in refusal(office)


def test_what_is_refused_for_another_reason_is_not_asked_about(office: Office, desk: Desk) -> None:
    changes: tuple[dict[str, Any], ...] = ({"ticket": "CHG-1"}, {"ticket": ""}, {"reason": "why"}, {"accounts": ()})
    for change in changes:
        with pytest.raises(Refused):
            office.submit_production(**change)
    DirectoryGroup.objects.get(name=company.SECURITY.name).people.clear()
    with pytest.raises(Refused, match="Nobody could approve"):
        office.submit_production()
    assert desk.asked == []


def test_the_same_ask_again_is_refused_without_asking(office: Office, desk: Desk) -> None:
    reason = "Look into the stuck settlement queue again."
    office.submit_production(reason=reason)
    with pytest.raises(Refused, match="already"):
        office.submit_production(reason=reason)
    assert len(desk.asked) == 1


def test_a_form_that_is_sent_twice_is_asked_about_once(office: Office, desk: Desk) -> None:
    form = office.production_form()
    user = office.user(company.ADA)
    assert workflow.submit(user.pk, form) == workflow.submit(user.pk, form)
    assert len(desk.asked) == 1


def test_what_is_only_typed_is_not_asked_about(office: Office, desk: Desk) -> None:
    workflow.objections(office.user(company.ADA).pk, office.production_form())
    assert desk.asked == []


def test_policies_that_want_no_check_ask_nobody(office: Office, desk: Desk) -> None:
    office.submit()
    AccessPolicy.objects.update(tickets_checked=None)
    made = office.submit_production()
    assert desk.asked == []
    assert not {"ticket_check", "ticket_checks"} & set(made.terms)


def test_a_ticket_is_demanded_even_where_the_pattern_takes_none(office: Office, desk: Desk) -> None:
    AccessPolicy.objects.filter(pk=office.catalog.two_stages.pk).update(ticket_pattern="(INC-[0-9]+)?")
    with pytest.raises(Refused, match="has tickets checked: give one"):
        office.submit_production(ticket="")
    assert desk.asked == []


def test_more_time_with_the_same_ticket_is_asked_about_anew(office: Office, desk: Desk) -> None:
    made = office.approve(office.submit_production())
    office.work()
    more = MoreTime(uuid.uuid4(), made.duration / 2, "The queue is still stuck.", "INC-4711")
    desk.says({"valid": False, "reason": "Closed meanwhile."})
    with pytest.raises(Refused, match="Closed meanwhile"):
        workflow.extend(made.requester_id, made.pk, more)
    desk.says({"valid": True})
    assert workflow.extend(made.requester_id, made.pk, replace(more, id=uuid.uuid4())).terms["ticket_check"]
    assert [asked.said["extends"] for asked in desk.asked] == [False, True, True]
    assert desk.asked[-1].said["accounts"] == desk.asked[0].said["accounts"]


class System:
    """A ticket system that does something while it is asked."""

    name = "tickets.example.com"

    def __init__(self, does: object) -> None:
        self._does = does

    def check(self, question: Question) -> Answer:
        assert callable(self._does)
        self._does(question)
        return Answer(True)


def test_a_check_that_a_policy_comes_to_demand_meanwhile_is_not_left_out(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def joins(question: Question) -> None:
        other = office.catalog.two_stages
        other.pk, other.name = None, "Payments in production"
        other.save()
        other.requestable_by.set([DirectoryGroup.objects.get(name=company.PAYMENTS.name)])

    monkeypatch.setattr(ticketing, "current", lambda: System(joins))
    AccessPolicy.objects.filter(pk=office.catalog.two_stages.pk).update(tickets_checked=True)
    office.catalog.two_stages.refresh_from_db()
    with pytest.raises(Refused, match="to be checked since this form was sent") as refused:
        office.submit_production()
    assert refused.value.refusals[0].field == "ticket"
    assert not AccessRequest.objects.exists()


def test_a_yes_for_fewer_accounts_is_none_for_what_aws_confirms_while_it_is_given(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = office.approve(office.submit_production(accounts=office.catalog.production_accounts[:2]))
    office.work()
    late = Grant.objects.filter(pk=made.grants.latest("pk").pk)
    late.update(status=GrantStatus.GRANTING)
    asked: list[int] = []

    def confirms(question: Question) -> None:
        asked.append(len(question.accounts))
        late.update(status=GrantStatus.ACTIVE)

    monkeypatch.setattr(ticketing, "current", lambda: System(confirms))
    more = MoreTime(uuid.uuid4(), made.duration / 2, "The queue is still stuck.", "INC-4711")
    with pytest.raises(Refused, match="was checked for less than would be given now") as refused:
        workflow.extend(made.requester_id, made.pk, more)
    assert refused.value.refusals[0].field == "ticket"
    assert workflow.extend(made.requester_id, made.pk, more).accounts.count() == 2
    assert asked == [1, 2]


def approved_for_later(office: Office) -> AccessRequest:
    made = office.submit_production(start=office.moment.time + timedelta(hours=2))
    return office.approve(made)


def test_a_check_that_a_policy_comes_to_demand_before_the_start_refuses_it(office: Office, desk: Desk) -> None:
    AccessPolicy.objects.update(tickets_checked=False)
    made = approved_for_later(office)
    AccessPolicy.objects.filter(pk=office.catalog.two_stages.pk).update(tickets_checked=True)
    office.pass_time(hours=2, minutes=1)
    made = office.again(made)
    assert (made.status, office.in_aws(), desk.asked) == (RequestStatus.FAILED, [], [])
    assert "“Production developers” now has tickets checked, and this one was not. Ask again." in made.outcome


def test_what_was_checked_starts_though_its_policy_has_another_name_by_then(office: Office, desk: Desk) -> None:
    made = approved_for_later(office)
    AccessPolicy.objects.filter(pk=office.catalog.two_stages.pk).update(name="Developers in production")
    office.pass_time(hours=2, minutes=1)
    assert (office.again(made).status, len(desk.asked)) == (RequestStatus.ACTIVE, 1)


def test_an_error_of_the_ticket_systems_own_kind_is_a_refusal_too(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(question: Question) -> None:
        raise NoAnswer("is on holiday")

    monkeypatch.setattr(ticketing, "current", lambda: System(fails))
    assert "the ticket system is on holiday" in refusal(office)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_locked_while_the_ticket_system_is_asked(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(ticketing, "current", lambda: System(lambda question: seen.append(connection.in_atomic_block)))
    office.submit_production()
    assert seen == [False]
