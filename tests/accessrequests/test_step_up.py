"""What is dangerous needs fresh proof of who asks and who agrees; the verbs themselves see to it."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accessrequests import asked, decisions, workflow
from accessrequests.models import AccessRequest, Decision
from accessrequests.refusals import Refused
from accessrequests.states import RequestStatus
from accessrequests.workflow import MoreTime
from auditlog.models import Event
from catalog.models import AccessPolicy
from catalog.step_up import Demand, Proof, Wanted, joined, read_proofs
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from tests.accessrequests.conftest import Office

AGE = timedelta(minutes=15)


@pytest.fixture(autouse=True)
def demanding(office: Office) -> AccessPolicy:
    """Production asks for context C1 when somebody asks and when somebody agrees."""
    policy = office.catalog.two_stages
    policy.step_up_context, policy.step_up_for, policy.step_up_longest_age = "c1", "both", AGE
    policy.save()
    return policy


def proof(office: Office, person: Person = company.ADA, **changes: Any) -> Proof:
    return replace(Proof("c1", office.moment.time, person.object_id, "token-1"), **changes)


def asked_for(office: Office, **changes: Any) -> AccessRequest:
    return office.submit_production(**{"proofs": (proof(office),), **changes})


def agree(office: Office, request: AccessRequest, person: Person, *proofs: Proof) -> AccessRequest:
    return decisions.decide(
        office.user(person).pk,
        request.pk,
        Decision.Answer.APPROVE,
        "",
        request.digest,
        proofs or (proof(office, person),),
    )


def test_an_ask_without_proof_is_refused_and_names_the_rule(office: Office) -> None:
    with pytest.raises(Refused) as refused:
        office.submit_production()
    (refusal,) = refused.value.refusals
    assert refusal.rule == "Production developers"
    assert "authentication context C1" in refusal.reason
    assert "15 minutes" in refusal.reason
    demanded = Event.objects.latest("number")
    assert demanded.action == "proof.demanded"
    who = "Ada Lindqvist was asked to confirm who they are (authentication context C1)"
    assert demanded.sentence == f"{who}, by the rule Production developers"
    assert not AccessRequest.objects.exists()


def test_an_ask_that_lacks_more_than_proof_is_refused(office: Office) -> None:
    with pytest.raises(Refused):
        office.submit_production(ticket="none")
    assert Event.objects.latest("number").action == "request.refused"


def test_a_proof_that_is_old_of_another_or_for_another_context_proves_nothing(office: Office) -> None:
    now = office.moment.time
    for wrong in (
        proof(office, at=now - AGE - timedelta(seconds=1)),
        proof(office, at=now + timedelta(minutes=5)),
        proof(office, company.BEN),
        proof(office, context="c2"),
    ):
        with pytest.raises(Refused):
            office.submit_production(proofs=(wrong,))
    assert asked_for(office, proofs=(proof(office, at=now - AGE),))


def test_the_proof_is_kept_with_the_request_in_its_event_and_in_its_digest(office: Office) -> None:
    made = asked_for(office)
    assert made.proof == [proof(office).described()]
    assert Event.objects.get(action="request.submitted").data["proof"] == made.proof
    AccessRequest.objects.filter(pk=made.pk).update(proof=None)
    assert asked.digest_now(office.again(made)) != made.digest


def test_who_agrees_proves_it_anew_and_the_decision_keeps_it(office: Office) -> None:
    made = asked_for(office)
    with pytest.raises(Refused) as refused:
        office.decide(made, company.CHIARA)
    assert refused.value.refusals[0].rule == "Production developers"
    assert Event.objects.latest("number").action == "proof.demanded"
    with pytest.raises(Refused):
        agree(office, made, company.CHIARA, proof(office, company.ADA))
    agree(office, made, company.CHIARA)
    assert Decision.objects.get().proof == [proof(office, company.CHIARA).described()]
    assert Event.objects.filter(action="decision.made").get().data["proof"][0]["context"] == "c1"


def test_to_deny_needs_no_proof(office: Office) -> None:
    made = asked_for(office)
    office.decide(made, company.CHIARA, "deny", "Not now.")
    assert office.again(made).status == RequestStatus.DENIED


def test_more_time_needs_proof_as_any_ask(office: Office) -> None:
    made = asked_for(office, duration=timedelta(minutes=30))
    for person in (company.CHIARA, company.FARID):
        agree(office, made, person)
    office.work()
    more = MoreTime(uuid.uuid4(), timedelta(minutes=10), "It takes a little longer.", "INC-4711")
    office.moment.forward(timedelta(minutes=20))
    ada = office.user(company.ADA).pk
    with pytest.raises(Refused) as refused:
        workflow.extend(ada, made.pk, replace(more, proofs=(proof(office, at=made.submitted_at),)))
    assert refused.value.refusals[0].rule == "Production developers"
    assert workflow.extend(ada, made.pk, replace(more, proofs=(proof(office),))).proof


def test_access_starts_with_the_proof_of_its_ask_however_long_the_decision_took(office: Office) -> None:
    made = asked_for(office)
    office.moment.forward(timedelta(hours=5))
    for person in (company.CHIARA, company.FARID):
        agree(office, made, person)
    office.work()
    assert office.again(made).status == RequestStatus.ACTIVE


def test_a_policy_that_came_to_ask_for_proof_stops_what_was_approved_without(
    office: Office, demanding: AccessPolicy
) -> None:
    AccessPolicy.objects.update(step_up_context=None, step_up_for=None, step_up_longest_age=None)
    asks, decides = (office.submit_production(start=office.moment.time + timedelta(hours=1)) for _ in range(2))
    for made in (asks, decides):
        office.approve(made)
    demanding.save()
    office.pass_time(hours=1)
    assert {office.again(made).status for made in (asks, decides)} == {RequestStatus.FAILED}
    assert office.in_aws() == []


def test_where_no_policy_asks_for_it_nothing_is_kept(office: Office) -> None:
    made = office.submit(proofs=(proof(office),))
    assert made.proof is None
    assert "step_up" not in made.terms


def test_every_context_counts_and_the_shortest_age_each_with_its_policy() -> None:
    wanted = [
        Wanted("c2", "both", timedelta(minutes=10), "B"),
        Wanted("c1", "asking", timedelta(minutes=20), "A"),
        Wanted("c3", "deciding", timedelta(minutes=1), "C"),
    ]
    assert joined(wanted, "asking") == (
        Demand("c1", "A", timedelta(minutes=10), "B"),
        Demand("c2", "B", timedelta(minutes=10), "B"),
    )
    assert [demand.context for demand in joined(wanted, "deciding")] == ["c2", "c3"]


@pytest.mark.parametrize("kept", [None, "c1", 7, [{}], [{"context": "c1", "at": "x", "person": "p", "token": ""}]])
def test_what_was_not_kept_as_a_proof_proves_nothing(kept: object) -> None:
    assert read_proofs(kept) == ()
