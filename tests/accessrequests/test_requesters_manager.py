"""A stage may be the requester's manager: whoever the directory names as that at the moment of the decision."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from accessrequests import new_manager, offboarding, permissions
from accessrequests.models import AccessRequest, Decision
from accessrequests.refusals import Refused
from accessrequests.states import RequestStatus
from auditlog import checkpoints, integrity
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.ledger import record
from auditlog.models import Event
from catalog import people
from catalog.models import AccessPolicy, ApprovalStage, ApproverGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import LeftBecause, User
from jitportal.people import replace_manager, subject_of
from tests.accessrequests.conftest import Office

SYNC = Actor.system("directory sync")


@pytest.fixture(autouse=True)
def manager_first(office: Office) -> ApproverGroup:
    """In production the requester's manager decides first, then a security officer; Ada's manager is Chiara."""
    manager = office.asks_manager_at(1)
    manages(office, company.CHIARA, company.ADA)
    return manager


def manages(office: Office, manager: Person | None, report: Person) -> None:
    """The directory names somebody as a person's manager, or nobody; the sync finds that, and records it."""
    office.moment.forward(timedelta(minutes=1))
    row = office.user(report)
    row.refresh_from_db()
    with transaction.atomic():
        if changed := replace_manager(row, manager.object_id if manager else ""):
            record(SYNC, Action.PERSON_CHANGED, subject_of(row), {"person": row.name, "changes": changed})
            new_manager.tell(row.pk, office.moment.time)
    office.moment.forward(timedelta(minutes=1))


def refusal(office: Office, made: AccessRequest, person: Person) -> str:
    with pytest.raises(Refused) as refused:
        office.decide(made, person)
    return str(refused.value)


def test_the_manager_decides_and_then_the_next_stage(office: Office) -> None:
    made = office.submit_production()
    assert office.told_to_decide(made) == ["Chiara Rossi"]
    assert permissions.deciders(made) == ["Chiara Rossi"]
    assert office.approve(made).status == RequestStatus.APPROVED
    office.work()
    assert office.again(made).status == RequestStatus.ACTIVE
    found = integrity.verify([checkpoints.public_key()])
    assert found.whole, found.problem


def test_others_who_lead_do_not(office: Office) -> None:
    made = office.submit_production()
    said = "The manager of Ada Lindqvist decides at this stage, and the directory does not name you as that."
    assert refusal(office, made, company.EMMA) == said
    assert not Decision.objects.exists()


def test_who_is_the_manager_counts_at_the_moment_of_the_decision(office: Office) -> None:
    AccessPolicy.objects.update(newcomers_agree=True)
    made = office.submit_production()
    manages(office, company.EMMA, company.ADA)
    assert "does not name you" in refusal(office, made, company.CHIARA)
    assert not permissions.visible_to(people.load(office.user(company.CHIARA).pk)).exists()
    assert office.told_to_decide(made) == ["Chiara Rossi", "Emma Fischer"]
    assert office.approve(made, (company.EMMA, company.FARID)).status == RequestStatus.APPROVED


def test_who_became_the_manager_after_the_ask_is_a_newcomer(office: Office) -> None:
    made = office.submit_production()
    manages(office, company.EMMA, company.ADA)
    said = refusal(office, made, company.EMMA)
    assert said == (
        "You became the manager of Ada Lindqvist after this was asked for, and “Production developers” lets only "
        "those agree who were that before."
    )
    emma = people.load(office.user(company.EMMA).pk)
    assert not permissions.may_agree(emma, made, office.moment.time)
    assert office.decide(office.submit_production(), company.EMMA)


def test_a_requester_who_moves_back_and_forth_gains_no_newcomer(office: Office) -> None:
    made = office.submit_production()
    for manager in (None, company.EMMA, company.CHIARA, company.EMMA):
        manages(office, manager, company.ADA)
    assert "after this was asked for" in refusal(office, made, company.EMMA)


def _nobody(office: Office) -> None:
    manages(office, None, company.ADA)


def _themselves(office: Office) -> None:
    manages(office, company.ADA, company.ADA)


def _a_stranger(office: Office) -> None:
    manages(office, Person("e0000000-0000-4000-8000-00000000000a", "Ana Ruiz", "ana@x"), company.ADA)


def _disabled(office: Office) -> None:
    offboarding.leave(office.user(company.CHIARA).pk, LeftBecause.DISABLED, "Gone", actor=SYNC)


def _same_principal(office: Office) -> None:
    User.objects.filter(object_id__in=(company.ADA.object_id, company.CHIARA.object_id)).update(principal_id="p-1")


def _same_user_name(office: Office) -> None:
    User.objects.filter(object_id=company.CHIARA.object_id).update(user_name=company.ADA.user_name.upper())


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_nobody, "the directory names no manager"),
        (_themselves, "the directory names whoever asks as their own manager"),
        (_a_stranger, "the manager whom the directory names has never signed in here"),
        (_disabled, "Chiara Rossi, the manager, is disabled or locked out"),
        (_same_principal, "Chiara Rossi, the manager in the directory, counts as the same person as whoever asks"),
        (_same_user_name, "Chiara Rossi, the manager in the directory, counts as the same person as whoever asks"),
    ],
)
def test_without_a_manager_who_could_decide_the_ask_is_refused_and_says_why(
    office: Office, spoil: Callable[[Office], None], why: str
) -> None:
    spoil(office)
    with pytest.raises(Refused) as refused:
        office.submit_production()
    (verdict,) = refused.value.refusals
    assert verdict.rule == "Production developers"
    assert f"asks the requester’s manager to agree, and {why}." in verdict.reason
    assert not AccessRequest.objects.exists()
    assert Event.objects.latest("number").action == "request.refused"


def test_an_escalation_group_does_not_stand_in_for_a_manager_that_is_missing(office: Office) -> None:
    leads = ApproverGroup.objects.get(name="Engineering Leads decide")
    ApprovalStage.objects.filter(policy=office.catalog.two_stages, position=1).update(
        escalation_group=leads, escalates_after=timedelta(hours=4)
    )
    office.submit_production()
    manages(office, None, company.ADA)
    with pytest.raises(Refused, match="no manager"):
        office.submit_production()


def test_an_undecided_manager_escalates_as_any_stage(office: Office) -> None:
    leads = ApproverGroup.objects.get(name="Engineering Leads decide")
    ApprovalStage.objects.filter(policy=office.catalog.two_stages, position=1).update(
        escalation_group=leads, escalates_after=timedelta(hours=4)
    )
    made = office.submit_production()
    assert "does not name you" in refusal(office, made, company.EMMA)
    office.pass_time(hours=5)
    assert permissions.deciders(made) == ["Chiara Rossi", "Emma Fischer"]
    assert office.decide(made, company.EMMA)
    assert Event.objects.filter(action="decision.made").latest("number").data["escalated_to"] == str(leads)


def test_the_manager_who_is_in_the_next_group_too_decides_once(office: Office) -> None:
    office.user(company.CHIARA).directory_groups.add(office.user(company.FARID).directory_groups.get())
    made = office.submit_production()
    office.decide(made, company.CHIARA)
    assert "another person must decide" in refusal(office, made, company.CHIARA)
    assert office.approve(made, (company.FARID,)).status == RequestStatus.APPROVED


def test_a_manager_who_is_all_of_the_next_group_could_not_approve_alone(office: Office) -> None:
    security = office.user(company.FARID).directory_groups.get()
    for person in (company.FARID, company.GRACE):
        office.user(person).directory_groups.clear()
    office.user(company.CHIARA).directory_groups.add(security)
    with pytest.raises(Refused, match="where each person decides once"):
        office.submit_production()


def test_two_who_manage_each_other_decide_on_each_other_and_never_on_themselves(office: Office) -> None:
    manages(office, company.ADA, company.CHIARA)
    adas, chiaras = office.submit_production(), office.submit_production(company.CHIARA)
    assert "own request" in refusal(office, chiaras, company.CHIARA)
    assert "own request" in refusal(office, adas, company.ADA)
    assert office.decide(adas, company.CHIARA)
    assert office.decide(chiaras, company.ADA)


def test_a_manager_who_left_decides_on_nothing_and_their_agreement_is_set_aside(office: Office) -> None:
    made = office.submit_production()
    office.decide(made, company.CHIARA)
    offboarding.leave(office.user(company.CHIARA).pk, LeftBecause.DISABLED, "Gone", actor=SYNC)
    assert office.again(made).stage == 1
    assert "disabled" in refusal(office, made, company.CHIARA)
    assert permissions.deciders(office.again(made)) == []


def test_a_manager_reads_what_their_reports_ask_them_for_and_nothing_else(office: Office) -> None:
    chiara = people.load(office.user(company.CHIARA).pk)
    manages(office, company.EMMA, company.BEN)
    mine, others = office.submit_production(), office.submit_production(company.BEN)
    in_the_sandbox = office.submit(company.ADA)
    ApproverGroup.objects.get(name="Engineering Leads decide").directory_groups.clear()
    assert list(permissions.visible_to(chiara)) == [mine]
    assert list(permissions.queue_of(chiara, office.moment.time)) == [mine]
    assert not permissions.may_revoke(chiara, in_the_sandbox)
    assert not permissions.may_revoke(chiara, others)


def test_a_manager_has_a_say_as_long_as_somebody_reports_to_them(office: Office) -> None:
    hugo = people.load(office.user(company.HUGO).pk)
    assert not permissions.has_a_say(hugo)
    manages(office, company.HUGO, company.BEN)
    assert permissions.has_a_say(hugo)


def test_a_manager_may_revoke_what_a_stage_of_theirs_decided_on(office: Office) -> None:
    made = office.approve(office.submit_production())
    office.work()
    assert permissions.may_revoke(people.load(office.user(company.CHIARA).pk), office.again(made))
    manages(office, company.EMMA, company.ADA)
    assert not permissions.may_revoke(people.load(office.user(company.CHIARA).pk), office.again(made))


def test_what_was_agreed_by_the_manager_of_then_may_start_under_another(office: Office) -> None:
    start = office.moment.time + timedelta(hours=2)
    made = office.approve(office.submit_production(start=start))
    manages(office, company.EMMA, company.ADA)
    office.pass_time(hours=3)
    assert office.again(made).status == RequestStatus.ACTIVE
