"""A stage that nobody decides within its time may be decided by its escalation group, too; once, recorded, and told."""

from datetime import timedelta

import pytest
from django.test import Client

from accessrequests import asked as asked_of
from accessrequests import escalation, offboarding, permissions
from accessrequests.models import AccessRequest, Decision, Notification, RequestStage
from accessrequests.refusals import Refused
from auditlog import clock
from auditlog.actor import Actor
from auditlog.models import Event
from catalog import people
from catalog.models import ApprovalStage, ApproverGroup, DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from tests.accessrequests.conftest import Office

AFTER = timedelta(hours=4)


@pytest.fixture
def guild(office: Office) -> ApproverGroup:
    """The first stage escalates to the database guild after four hours; Daniel is in it, and no lead is."""
    group = ApproverGroup.objects.create(name="Guild")
    group.directory_groups.set(DirectoryGroup.objects.filter(object_id=company.DATABASES.object_id))
    office.user(company.DANIEL).directory_groups.set(group.directory_groups.all())
    for stage in ApprovalStage.objects.filter(position=1):
        stage.escalation_group, stage.escalates_after = group, AFTER
        stage.save()
    return group


@pytest.fixture
def asked(office: Office, guild: ApproverGroup) -> AccessRequest:
    return office.submit_production()


def may(office: Office, person: Person, request: AccessRequest) -> bool:
    return bool(permissions.may_agree(people.load(office.user(person).pk), office.again(request), clock.now()))


def in_queue(office: Office, person: Person) -> bool:
    return permissions.queue_of(people.load(office.user(person).pk), clock.now()).exists()


def told(person: Person) -> list[Notification]:
    rows = Notification.objects.filter(recipient__object_id=person.object_id, kind="to_decide")
    return list(rows.order_by("pk"))


def events() -> list[Event]:
    return list(Event.objects.filter(action="request.escalated"))


def test_before_its_time_the_escalation_group_has_no_part_in_it(office: Office, asked: AccessRequest) -> None:
    office.pass_time(hours=3.9)
    assert not may(office, company.DANIEL, asked)
    assert not in_queue(office, company.DANIEL)
    assert not permissions.visible_to(people.load(office.user(company.DANIEL).pk)).exists()
    assert (told(company.DANIEL), events()) == ([], [])
    assert may(office, company.CHIARA, asked)


def test_undecided_for_so_long_it_is_theirs_too_recorded_and_told(office: Office, asked: AccessRequest) -> None:
    office.pass_time(hours=4)
    assert may(office, company.DANIEL, asked)
    assert in_queue(office, company.DANIEL)
    assert may(office, company.CHIARA, asked), "those who decided before still do"
    (message,) = told(company.DANIEL)
    assert message.data["approver_group"] == "Guild"
    assert message.data["reason"] == ("Engineering Leads decide did not decide within 4 hours, so you may decide, too.")
    (event,) = events()
    assert event.sentence == (
        "Engineering Leads decide did not decide within 4 hours, so Guild may, too (stage 1) "
        "(rule: Production developers)"
    )


def test_those_who_may_decide_are_named_with_them(office: Office, asked: AccessRequest) -> None:
    assert "Daniel Novak" not in permissions.deciders(office.again(asked))
    office.pass_time(hours=4)
    assert {"Chiara Rossi", "Daniel Novak", "Emma Fischer"} <= set(permissions.deciders(office.again(asked)))


def test_it_escalates_once(office: Office, asked: AccessRequest) -> None:
    office.pass_time(hours=4)
    office.pass_time(hours=4)
    assert (len(events()), len(told(company.DANIEL))) == (1, 1)
    assert escalation.escalate(clock.now()) == 0


def test_what_they_agree_to_goes_on_and_is_granted(office: Office, asked: AccessRequest) -> None:
    office.pass_time(hours=4)
    office.decide(asked, company.DANIEL)
    decision = Decision.objects.get()
    assert decision.approver_group.name == "Engineering Leads decide"
    made = Event.objects.get(action="decision.made")
    assert made.data["escalated_to"] == "Guild"
    office.decide(asked, company.FARID)
    office.work()
    assert office.again(asked).status == "active"


def test_what_is_decided_in_time_never_escalates(office: Office, asked: AccessRequest) -> None:
    office.decide(asked, company.CHIARA)
    office.pass_time(hours=8)
    assert events() == []
    assert not may(office, company.DANIEL, asked)


def test_a_later_stage_counts_from_its_own_turn(office: Office, asked: AccessRequest, guild: ApproverGroup) -> None:
    RequestStage.objects.filter(request=asked, position=2).update(escalation_group=guild, escalates_after=AFTER)
    AccessRequest.objects.filter(pk=asked.pk).update(digest=asked_of.digest_now(asked))
    asked = office.again(asked)
    office.pass_time(hours=3)
    office.decide(asked, company.CHIARA)
    office.pass_time(hours=3)
    assert events() == []
    office.pass_time(hours=1)
    assert [event.data["stage"] for event in events()] == [2]


def test_who_asks_never_decides_in_the_escalation_group_either(office: Office, guild: ApproverGroup) -> None:
    office.user(company.ADA).directory_groups.add(guild.directory_groups.get())
    asked = office.submit_production()
    office.pass_time(hours=4)
    assert told(company.ADA) == []
    with pytest.raises(Refused, match="own request"):
        office.decide(asked, company.ADA)


def test_who_joins_the_escalation_group_after_the_ask_may_not_agree(office: Office, asked: AccessRequest) -> None:
    office.pass_time(hours=4)
    verdict = permissions.may_agree(people.load(office.user(company.BEN).pk), office.again(asked), clock.now())
    assert verdict.reason == "Engineering Leads decide or Guild decides at this stage, and you are not in it."


def test_a_stage_that_is_asked_anew_stays_with_both(office: Office, asked: AccessRequest) -> None:
    office.pass_time(hours=4)
    office.decide(asked, company.CHIARA)
    offboarding.leave(office.user(company.CHIARA).pk, "deleted", "They left", actor=Actor.system("test"))
    assert may(office, company.DANIEL, asked)
    assert len(told(company.DANIEL)) == 2


def test_to_whom_it_escalates_is_part_of_what_is_decided_on(office: Office, asked: AccessRequest) -> None:
    office.pass_time(hours=4)
    security = ApproverGroup.objects.get(name="Security Duty Officers decide")
    RequestStage.objects.filter(request=asked, position=1).update(escalation_group=security)
    with pytest.raises(Refused, match="not what you were shown"):
        office.decide(asked, company.FARID)


def test_an_ask_that_only_the_escalation_group_can_decide_is_not_refused(office: Office, guild: ApproverGroup) -> None:
    for person in (company.CHIARA, company.EMMA):
        office.user(person).directory_groups.clear()
    asked = office.submit_production()
    office.pass_time(hours=4)
    assert may(office, company.DANIEL, asked)


def test_the_page_says_that_it_has_escalated(office: Office, asked: AccessRequest, client: Client) -> None:
    client.force_login(office.user(company.ADA))
    address = f"/requests/{asked.pk}/"
    assert "Undecided for 4 hours, also by Guild" in client.get(address).content.decode()
    office.pass_time(hours=4)
    # Nobody stays signed in for so long without a click.
    client = Client()
    client.force_login(office.user(company.ADA))
    page = client.get(address).content.decode()
    assert "Undecided for 4 hours: Guild may decide, too" in page
