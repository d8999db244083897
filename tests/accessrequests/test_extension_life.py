"""More time is added to the end without a gap, and ends with what it extends as one."""

from datetime import timedelta

import pytest
from django.core import mail

from accessrequests import due, permissions, workflow
from accessrequests.models import AccessRequest, Notification
from accessrequests.notifications import outbox
from accessrequests.refusals import Refused
from accessrequests.states import EndReason, GrantStatus, RequestStatus
from catalog import people
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.demo.simulator import Fault, FaultKind
from tests.accessrequests.conftest import Office
from tests.accessrequests.extending import HOUR, extend, held, held_production

# How it begins.


def test_nothing_is_created_in_aws_for_an_extension_and_the_time_has_no_gap(office: Office) -> None:
    request = held(office)
    end = office.grant(request).ends_at
    assert end is not None
    office.pass_time(minutes=20)
    office.simulator.calls.reset()
    extension = extend(office, request)
    office.work()
    grant = office.grant(extension)
    assert (grant.status, grant.starts_at, grant.ends_at) == (GrantStatus.ACTIVE, end, end + HOUR)
    assert "CreateAccountAssignment" not in office.simulator.calls.calls
    for _ in range(9):
        office.pass_time(minutes=10)
        assert len(office.in_aws()) == 1
    assert office.again(request).status == RequestStatus.ENDED
    assert "DeleteAccountAssignment" not in office.simulator.calls.calls
    office.pass_time(minutes=10)
    assert (office.again(extension).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_each_account_goes_on_from_its_own_end(office: Office) -> None:
    accounts = office.catalog.sandbox_accounts[:2]
    slow = Fault(FaultKind.THROTTLE, operation="CreateAccountAssignment", account=accounts[1].account_id, first=1)
    office.simulator.faults.add(slow)
    request = held(office, accounts=accounts)
    office.pass_time(minutes=3)
    extension = extend(office, request)
    office.work()
    before = dict(request.grants.values_list("account", "ends_at"))
    after = dict(extension.grants.values_list("account", "ends_at"))
    assert len(set(before.values())) == 2
    assert after == {account: end + HOUR for account, end in before.items() if end}


def test_an_extension_approved_after_the_end_fails_with_the_reason(office: Office) -> None:
    request = held_production(office)
    extension = extend(office, request, ticket="INC-1")
    office.decide(extension, company.CHIARA)
    office.decide(extension, company.FARID)
    office.moment.forward(HOUR)
    due.start(extension.pk, office.aws)
    failed = office.again(extension)
    assert failed.status == RequestStatus.FAILED
    assert "The access that it was to extend has ended." in failed.outcome
    office.work()
    assert office.in_aws() == []


def test_an_undecided_extension_lapses_when_what_it_extends_ends_and_nobody_decides_on_it(office: Office) -> None:
    request = held_production(office)
    extension = extend(office, request, ticket="INC-1")
    office.moment.forward(HOUR)
    with pytest.raises(Refused, match="was to extend has ended"):
        office.decide(extension, company.CHIARA)
    office.work()
    lapsed = office.again(extension)
    assert (lapsed.status, lapsed.outcome) == (RequestStatus.LAPSED, "The access that it was to extend has ended.")
    assert office.in_aws() == []


def test_access_that_ends_before_aws_is_asked_about_its_extension_is_not_begun_anew(office: Office) -> None:
    request = held(office)
    office.moment.forward(timedelta(minutes=59, seconds=59))
    extension = extend(office, request)
    due.start(extension.pk, office.aws)
    office.pass_time(seconds=2)
    failed = office.again(extension)
    assert (failed.status, office.again(request).status) == (RequestStatus.FAILED, RequestStatus.ENDED)
    assert "was to extend has ended" in failed.outcome
    assert office.in_aws() == []


def test_an_assignment_that_somebody_removed_by_hand_is_put_back_by_the_extension(office: Office) -> None:
    request = held(office)
    (key,) = office.in_aws()
    office.simulator.put_assignment(key, present=False)
    extension = extend(office, request)
    office.work()
    assert office.in_aws() == [key]
    assert office.grant(extension).ends_at == office.moment.time + 2 * HOUR


def test_eligibility_and_the_longest_duration_count_again_when_the_extension_begins(office: Office) -> None:
    request = held_production(office)
    extension = office.approve(extend(office, request, ticket="INC-1"))
    office.catalog.two_stages.longest_duration = timedelta(minutes=90)
    office.catalog.two_stages.save()
    office.work()
    failed = office.again(extension)
    assert failed.status == RequestStatus.FAILED
    assert "30 minutes left" in failed.outcome
    assert office.again(request).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == 1


def test_an_extension_does_not_begin_for_who_has_left_the_group_and_what_is_held_runs_out(office: Office) -> None:
    request = held_production(office)
    extension = office.approve(extend(office, request, ticket="INC-1"))
    office.user(company.ADA).directory_groups.clear()
    office.work()
    assert office.again(extension).status == RequestStatus.FAILED
    office.pass_time(hours=1)
    assert (office.again(request).status, office.in_aws()) == (RequestStatus.ENDED, [])


def test_standing_access_stays_when_the_extension_of_it_ends(office: Office) -> None:
    request = held(office)
    (key,) = office.in_aws()
    workflow.give_back(office.user(company.ADA).pk, request.pk)
    office.work()
    office.simulator.put_assignment(key)
    extend(office, held(office))
    office.work()
    office.pass_time(hours=3)
    assert office.in_aws() == [key]


# How it ends.


def chain_of_three(office: Office) -> list[AccessRequest]:
    first = held_production(office, duration=timedelta(minutes=40))
    second = office.approve(extend(office, first, ticket="INC-1", duration=timedelta(minutes=40)))
    office.work()
    third = office.approve(extend(office, second, ticket="INC-1", duration=timedelta(minutes=40)))
    office.work()
    return [first, second, third]


@pytest.mark.parametrize("member", [0, 1, 2])
def test_giving_any_of_a_chain_back_ends_it_all(office: Office, member: int) -> None:
    chain = chain_of_three(office)
    workflow.give_back(office.user(company.ADA).pk, chain[member].pk)
    office.work()
    assert office.in_aws() == []
    for request in chain:
        ended = office.again(request)
        assert (ended.status, ended.end_reason) == (RequestStatus.ENDED, EndReason.GIVEN_BACK)


@pytest.mark.parametrize(("member", "person"), [(0, company.CHIARA), (1, company.FARID), (2, company.INES)])
def test_revoking_any_of_a_chain_ends_it_all(office: Office, member: int, person: Person) -> None:
    chain = chain_of_three(office)
    workflow.revoke(office.user(person).pk, chain[member].pk, "The laptop was stolen.")
    office.work()
    assert office.in_aws() == []
    for request in chain:
        ended = office.again(request)
        assert (ended.end_reason, ended.outcome) == (
            EndReason.REVOKED,
            f"Revoked by {person.name}: The laptop was stolen.",
        )


def test_what_is_over_still_ends_what_extends_it(office: Office) -> None:
    first, *_ = chain_of_three(office)
    office.pass_time(minutes=41)
    assert office.again(first).status == RequestStatus.ENDED
    workflow.revoke(office.user(company.INES).pk, first.pk, "The laptop was stolen.")
    office.work()
    assert office.in_aws() == []


@pytest.mark.parametrize("status", ["pending", "approved"])
def test_giving_back_leaves_an_extension_that_has_not_begun_nothing_to_extend(office: Office, status: str) -> None:
    request = held_production(office)
    extension = extend(office, request, ticket="INC-1")
    if status == "approved":
        office.approve(extension)
    workflow.give_back(office.user(company.ADA).pk, request.pk)
    office.work()
    office.pass_time(minutes=1)
    assert office.again(extension).status in (RequestStatus.LAPSED, RequestStatus.FAILED)
    assert "was to extend has ended" in office.again(extension).outcome
    assert office.in_aws() == []


def test_revoking_an_extension_that_has_not_begun_stops_it_and_ends_what_it_extends(office: Office) -> None:
    request = held(office)
    extension = extend(office, request)
    workflow.revoke(office.user(company.INES).pk, extension.pk, "The laptop was stolen.")
    office.work()
    assert office.in_aws() == []
    for row in (request, extension):
        assert (office.again(row).status, office.again(row).end_reason) == (RequestStatus.ENDED, EndReason.REVOKED)


def test_withdrawing_an_extension_takes_nothing_away(office: Office) -> None:
    request = held_production(office)
    workflow.withdraw(office.user(company.ADA).pk, extend(office, request, ticket="INC-1").pk)
    office.work()
    assert office.again(request).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == 1


def test_other_access_of_the_same_person_is_not_of_the_chain(office: Office) -> None:
    request, other = held(office), held(office)
    extension = extend(office, request)
    office.work()
    workflow.give_back(office.user(company.ADA).pk, extension.pk)
    office.work()
    assert office.again(other).status == RequestStatus.ACTIVE
    assert len(office.in_aws()) == 1


def test_the_end_of_access_is_told_once_and_not_when_it_goes_on(office: Office) -> None:
    request = held(office)
    extension = extend(office, request)
    office.work()
    office.pass_time(hours=1)
    assert office.again(request).status == RequestStatus.ENDED
    assert not Notification.objects.filter(kind="ended").exists()
    office.pass_time(hours=1)
    assert list(Notification.objects.filter(kind="ended").values_list("request", flat=True)) == [extension.pk]


def test_the_verdict_that_draws_the_button_is_the_one_that_the_verb_asks(office: Office) -> None:
    request = held(office)
    ada, now = people.load(office.user(company.ADA).pk), office.moment.time
    assert permissions.may_extend(ada, request, now)
    extend(office, request)
    refusal = permissions.may_extend(ada, office.again(request), now)
    assert (bool(refusal), refusal.rule) == (False, "one at a time")


def test_the_mail_to_approvers_says_that_it_is_more_time(office: Office) -> None:
    request = held_production(office)
    outbox.send_due(office.moment.time)
    mail.outbox.clear()
    extend(office, request, ticket="INC-1")
    outbox.send_due(office.moment.time)
    sent = mail.outbox[0]
    assert "asks for more time as Developer in Production." in sent.body
    assert f"For:    1 hour more, extending request {request.short_id}" in sent.body
