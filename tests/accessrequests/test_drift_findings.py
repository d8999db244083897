"""Adopt, remove, accept: an admin says what becomes of standing access, says why, and it is recorded."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accessrequests import drift, findings, overdue, queue
from accessrequests.models import Assignment, Finding
from accessrequests.overdue import Overdue
from accessrequests.refusals import Refused
from accessrequests.states import FindingStatus, Operation, RequestStatus
from auditlog import integrity
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.demo.simulator import AssignmentKey, Fault, FaultKind
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import by_hand, events, found, key_of

Verb = Callable[..., Finding]


def adopt(office: Office, finding: Finding, by: Person = company.INES, **changes: Any) -> Finding:
    given = {"until": office.moment.time + timedelta(days=2), "reason": "Until the migration is over.", **changes}
    return findings.adopt(user_id=office.user(by).pk, finding_id=finding.pk, **given)


def remove(office: Office, finding: Finding, by: Person = company.INES, **changes: Any) -> Finding:
    given = {"reason": "Nobody knows why it is there.", **changes}
    return findings.remove(user_id=office.user(by).pk, finding_id=finding.pk, **given)


def accept(office: Office, finding: Finding, by: Person = company.INES, **changes: Any) -> Finding:
    review_at = office.moment.time + timedelta(days=30)
    given = {"owner": "Platform team", "review_at": review_at, "reason": "Break-glass account.", **changes}
    return findings.accept(user_id=office.user(by).pk, finding_id=finding.pk, **given)


VERBS = pytest.mark.parametrize("verb", [adopt, remove, accept])


def test_adopted_access_stays_until_its_end_and_is_then_taken_away(office: Office) -> None:
    finding = adopt(office, found(office))
    assert finding.status == FindingStatus.ADOPTED
    office.work()
    office.pass_time(days=1, hours=23)
    drift.scan(office.aws)
    assert office.in_aws() == [key_of(office)]
    office.pass_time(hours=1)
    assert office.in_aws() == []
    drift.scan(office.aws)
    finding.refresh_from_db()
    assert (finding.status, finding.closed_at) == (FindingStatus.REMOVED, office.moment.time)
    assert [event.data["reason"] for event in events("finding.resolved")] == ["AWS confirmed that it is gone."]


def test_adopted_access_wakes_the_sweep_at_its_end(office: Office) -> None:
    finding = adopt(office, found(office))
    office.work()
    assert Assignment.objects.get().due_at == finding.until
    assert queue.unwanted(office.moment.time) == []
    assert queue.wanted(office.moment.time) == []


def test_adopted_access_that_aws_will_not_take_away_is_overdue(office: Office) -> None:
    adopt(office, found(office))
    office.work()
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="DeleteAccountAssignment"))
    office.pass_time(days=2, minutes=5)
    assert overdue.count(office.moment.time) == Overdue(grants=0, assignments=1)
    office.simulator.faults.clear()
    office.pass_time(minutes=2)
    assert (overdue.count(office.moment.time), office.in_aws()) == (Overdue(grants=0, assignments=0), [])


def test_adopted_access_is_no_finding_any_more_and_no_drift(office: Office) -> None:
    adopt(office, found(office))
    office.work()
    before = Assignment.objects.values().get()
    drift.scan(office.aws)
    assert Assignment.objects.values().get() == before
    assert Finding.objects.get().status == FindingStatus.ADOPTED


def test_adopted_access_that_somebody_takes_away_earlier_is_not_put_back(office: Office) -> None:
    adopt(office, found(office))
    by_hand(office, key_of(office), present=False)
    drift.scan(office.aws)
    office.work()
    assert (office.in_aws(), Finding.objects.get().status) == ([], FindingStatus.GONE)
    office.submit()
    office.work()
    office.pass_time(hours=1)
    assert office.in_aws() == [], "the end that an admin gave does not keep what came later"


def test_a_grant_that_ends_does_not_cut_what_was_adopted(office: Office) -> None:
    adopt(office, found(office))
    request = office.submit()
    office.work()
    office.pass_time(hours=1)
    ended = office.again(request)
    assert (ended.status, office.in_aws()) == (RequestStatus.ENDED, [key_of(office)])
    assert "an admin has set its end" in ended.outcome
    office.pass_time(days=2)
    assert office.in_aws() == []


def test_the_end_of_what_was_adopted_does_not_cut_a_grant(office: Office) -> None:
    finding = found(office)
    request = office.submit(duration=timedelta(hours=8))
    office.work()
    adopt(office, finding, until=office.moment.time + timedelta(hours=1))
    office.pass_time(hours=2)
    assert office.in_aws() == [key_of(office)]
    office.pass_time(hours=6)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_removed_access_is_deleted_at_once_by_convergence_and_closed_once_aws_confirms(office: Office) -> None:
    finding = remove(office, found(office))
    assert (finding.status, office.in_aws()) == (FindingStatus.REMOVING, [key_of(office)])
    office.work()
    assert office.in_aws() == []
    drift.scan(office.aws)
    finding.refresh_from_db()
    assert finding.status == FindingStatus.REMOVED
    assert len(events("assignment.deletion_confirmed")) == 1


def test_removing_waits_for_a_grant_that_leans_on_it(office: Office) -> None:
    finding = found(office)
    request = office.submit()
    office.work()
    remove(office, finding)
    office.work()
    assert office.in_aws() == [key_of(office)]
    office.pass_time(hours=1)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


@pytest.mark.parametrize(
    "kind", [FaultKind.THROTTLE, FaultKind.LOST_REPLY, FaultKind.INTERNAL_AFTER, FaultKind.FAILURE]
)
def test_removing_is_tried_until_aws_has_done_it(office: Office, kind: FaultKind) -> None:
    remove(office, found(office))
    office.simulator.faults.add(Fault(kind, operation="DeleteAccountAssignment", first=3))
    for _ in range(6):
        office.pass_time(minutes=1)
        drift.scan(office.aws)
    assert (office.in_aws(), Finding.objects.get().status) == ([], FindingStatus.REMOVED)


def test_what_was_adopted_can_be_removed_sooner(office: Office) -> None:
    finding = adopt(office, found(office))
    office.work()
    remove(office, finding)
    office.work()
    assert office.in_aws() == []


def test_accepted_access_stays_and_is_open_again_on_its_day(office: Office) -> None:
    finding = accept(office, found(office))
    for days in (1, 28):
        office.pass_time(days=days)
        drift.scan(office.aws)
        finding.refresh_from_db()
        assert (finding.status, office.in_aws()) == (FindingStatus.ACCEPTED, [key_of(office)])
    office.pass_time(days=1)
    drift.scan(office.aws)
    drift.scan(office.aws)
    finding.refresh_from_db()
    assert (finding.status, finding.owner) == (FindingStatus.OPEN, "Platform team")
    assert len(events("finding.reopened")) == 1
    assert office.in_aws() == [key_of(office)]


def test_accepted_access_that_vanishes_closes(office: Office) -> None:
    accept(office, found(office))
    by_hand(office, key_of(office), present=False)
    drift.scan(office.aws)
    assert Finding.objects.get().status == FindingStatus.GONE


@VERBS
def test_only_admins_settle_findings(office: Office, verb: Verb) -> None:
    finding = found(office)
    others = [person for person in company.PEOPLE if company.ADMINS not in person.groups]
    for person in others:
        with pytest.raises(Refused, match="Only admins"):
            verb(office, finding, by=person)
    assert Finding.objects.get().status == FindingStatus.OPEN
    refused = events("finding.refused")
    assert [event.actor_name for event in refused] == [person.name for person in others]
    assert {event.data["rule"] for event in refused} == {"admin"}
    assert not Assignment.objects.exists()


@VERBS
def test_an_admin_who_was_disabled_settles_nothing(office: Office, verb: Verb) -> None:
    finding = found(office)
    ines = office.user(company.INES)
    type(ines).objects.filter(pk=ines.pk).update(is_active=False)
    with pytest.raises(Refused, match="disabled"):
        verb(office, finding)


@VERBS
@pytest.mark.parametrize("reason", ["", "  \n\t"])
def test_every_verb_needs_a_reason(office: Office, verb: Verb, reason: str) -> None:
    with pytest.raises(Refused, match="Say why") as refused:
        verb(office, found(office), reason=reason)
    assert refused.value.refusals[0].field == "reason"
    assert not Assignment.objects.exists()


@VERBS
def test_every_verb_is_recorded_with_who_what_and_why(office: Office, verb: Verb) -> None:
    finding = verb(office, found(office))
    name = {"adopt": "adopted", "remove": "removed", "accept": "accepted"}[verb.__name__]
    (event,) = events(f"finding.{name}")
    assert (event.actor_name, event.data["reason"]) == (company.INES.name, finding.reason)
    assert event.data["account"] == str(office.catalog.sandbox_accounts[0])
    assert company.ADA.user_name in event.data["principal"]
    assert event.sentence.endswith(finding.reason)
    assert "not recorded" not in event.sentence
    assert integrity.verify([]).problem == ""


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=-1), timedelta(days=400)])
def test_an_end_or_a_day_that_is_past_or_too_far_is_refused_at_its_field(office: Office, ahead: timedelta) -> None:
    finding = found(office)
    moment = office.moment.time + ahead
    with pytest.raises(Refused) as adopting:
        adopt(office, finding, until=moment)
    with pytest.raises(Refused) as accepting:
        accept(office, finding, review_at=moment)
    assert (adopting.value.refusals[0].field, accepting.value.refusals[0].field) == ("until", "review_at")
    assert Finding.objects.get().status == FindingStatus.OPEN


def test_accepting_needs_an_owner(office: Office) -> None:
    with pytest.raises(Refused, match="who answers"):
        accept(office, found(office), owner="  ")


def test_what_a_group_holds_can_only_be_accepted(office: Office) -> None:
    by_hand(office, AssignmentKey(*key_of(office)[:2], "GROUP", "90676f0e-1111-4222-8333-444455556666"))
    drift.scan(office.aws)
    finding = Finding.objects.get()
    for verb in (adopt, remove):
        with pytest.raises(Refused, match="held by a group"):
            verb(office, finding)
    assert accept(office, finding).status == FindingStatus.ACCEPTED
    assert not Assignment.objects.exists()


def test_a_stranger_is_not_adopted_but_can_be_removed(office: Office) -> None:
    stranger = key_of(office)._replace(principal_id="90676f0e-1111-4222-8333-444455556666")
    by_hand(office, stranger)
    drift.scan(office.aws)
    finding = Finding.objects.get()
    with pytest.raises(Refused, match="does not know this person"):
        adopt(office, finding)
    assert remove(office, finding).status == FindingStatus.REMOVING


def test_a_person_is_known_by_their_id_even_if_aws_would_not_say_the_name(office: Office) -> None:
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="DescribeUser"))
    finding = found(office)
    assert finding.principal_name == ""
    with pytest.raises(Refused, match="does not know"):
        adopt(office, finding)
    ada = office.user(company.ADA)
    type(ada).objects.filter(pk=ada.pk).update(principal_id=finding.principal_id)
    assert adopt(office, finding).status == FindingStatus.ADOPTED


def test_what_is_settled_is_not_settled_again_by_an_old_page(office: Office) -> None:
    finding = remove(office, found(office))
    for verb in (adopt, remove, accept):
        with pytest.raises(Refused, match="settled already"):
            verb(office, finding)
    office.work()
    drift.scan(office.aws)
    for verb in (adopt, remove, accept):
        with pytest.raises(Refused, match="settled already"):
            verb(office, finding)


@pytest.mark.parametrize("verb", [adopt, remove])
def test_access_that_the_portal_gives_by_now_is_not_settled(office: Office, verb: Verb) -> None:
    finding = found(office)
    by_hand(office, key_of(office), present=False)
    office.submit()
    office.work()
    with pytest.raises(Refused, match="The portal itself gives this access"):
        verb(office, finding)
    drift.scan(office.aws)
    finding.refresh_from_db()
    assert (finding.status, finding.outcome) == (FindingStatus.GONE, "It is the portal's own access now.")


@pytest.mark.parametrize("verb", [adopt, remove])
def test_nothing_is_settled_while_an_operation_is_in_flight(office: Office, verb: Verb) -> None:
    finding = found(office)
    Assignment.objects.create(
        principal_id=finding.principal_id,
        permission_set=finding.permission_set,
        account=finding.account,
        operation=Operation.CREATE,
    )
    with pytest.raises(Refused, match="The portal itself gives this access"):
        verb(office, finding)


def test_the_database_refuses_what_no_verb_would_write(office: Office) -> None:
    finding = found(office)
    wrong: list[dict[str, Any]] = [
        {"status": "accepted"},
        {"status": "adopted"},
        {"status": "removed"},
        {"closed_at": office.moment.time},
        {"status": "nonsense"},
        {"principal_type": "ROBOT"},
    ]
    for changes in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Finding.objects.filter(pk=finding.pk).update(**changes)
    finding.pk = uuid.uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.bulk_create([finding])
    standing = Assignment(
        principal_id="x",
        permission_set=finding.permission_set,
        account=finding.account,
        is_standing=True,
        adopted_until=office.moment.time,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.bulk_create([standing])
