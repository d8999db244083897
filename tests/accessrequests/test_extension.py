"""Asking for more time on active access is judged as any ask, for the same, on what is still held."""

import hashlib
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accessrequests import asked, workflow
from accessrequests.models import AccessRequest
from accessrequests.refusals import Refused
from accessrequests.states import RequestStatus
from auditlog.models import Event
from catalog.models import PermissionSet
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.demo.simulator import Fault, FaultKind
from tests.accessrequests.conftest import Office
from tests.accessrequests.extending import HOUR, extend, held, held_production


def test_an_extension_asks_for_the_same_on_the_accounts_still_held_with_words_of_its_own(office: Office) -> None:
    accounts = office.catalog.sandbox_accounts
    suspended = accounts[1].account_id
    office.simulator.faults.add(Fault(FaultKind.FAILURE, operation="CreateAccountAssignment", account=suspended))
    request = held(office, accounts=accounts)
    extension = extend(office, request, duration=timedelta(minutes=30))
    assert extension.extends == request
    assert (extension.role, extension.environment) == (request.role, request.environment)
    assert set(extension.accounts.all()) == {accounts[0], accounts[2]}
    assert (extension.duration, extension.reason) == (timedelta(minutes=30), "The replay takes longer.")


def test_an_extension_goes_through_the_stages_and_says_who_decided(office: Office) -> None:
    request = held_production(office)
    extension = extend(office, request, ticket="INC-4712")
    assert extension.status == RequestStatus.PENDING
    office.approve(extension)
    office.work()
    assert office.again(extension).status == RequestStatus.ACTIVE
    assert office.grant(extension).ends_at == office.moment.time + 2 * HOUR


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("duration", {"duration": timedelta(0)}),
        ("duration", {"duration": -HOUR}),
        ("duration", {"duration": timedelta(hours=1, seconds=1)}),
        ("ticket", {"ticket": ""}),
        ("reason", {"reason": "more"}),
    ],
)
def test_a_bad_ask_for_more_is_refused_at_its_field_and_recorded(
    office: Office, field: str, changes: dict[str, Any]
) -> None:
    request = held_production(office)
    with pytest.raises(Refused) as caught:
        extend(office, request, **{"ticket": "INC-1", **changes})
    assert [refusal.field for refusal in caught.value.refusals] == [field]
    assert AccessRequest.objects.count() == 1
    assert Event.objects.latest("number").action == "request.refused"


def test_the_total_stays_within_the_longest_and_the_refusal_says_how_much_is_left(office: Office) -> None:
    request = held(office, duration=timedelta(hours=5))
    extension = extend(office, request, duration=timedelta(hours=2))
    office.work()
    with pytest.raises(Refused) as caught:
        extend(office, extension, duration=timedelta(hours=1, minutes=1))
    (refusal,) = caught.value.refusals
    assert refusal.rule == "Sandbox developers"
    assert "8 hours in all: 7 hours taken, 1 hour left" in refusal.reason
    extend(office, extension)
    office.work()
    assert extension.grants.get().ends_at == office.moment.time + timedelta(hours=7)


def test_extensions_that_came_to_nothing_do_not_count(office: Office) -> None:
    request = held_production(office)
    for _ in range(2):
        workflow.withdraw(office.user(company.ADA).pk, extend(office, request, ticket="INC-1").pk)
    office.decide(extend(office, request, ticket="INC-1"), company.CHIARA, "deny", "Not today.")
    office.approve(extend(office, request, ticket="INC-1"))
    office.work()
    with pytest.raises(Refused, match="2 hours taken, no time left"):
        extend(office, request.extensions.get(status="active"), ticket="INC-1", duration=timedelta(seconds=1))


def test_a_policy_that_became_stricter_meanwhile_counts_at_the_ask(office: Office) -> None:
    request = held(office)
    office.catalog.automatic.longest_duration = timedelta(minutes=90)
    office.catalog.automatic.save()
    with pytest.raises(Refused, match="30 minutes left"):
        extend(office, request)


def test_a_policy_that_names_another_permission_set_now_does_not_extend(office: Office) -> None:
    request = held(office)
    arn = company.ORGANISATION.permission_set_arn("DevOpsAccess")
    office.catalog.automatic.permission_set = PermissionSet.objects.create(name="DevOpsAccess", arn=arn)
    office.catalog.automatic.save()
    with pytest.raises(Refused, match="another permission set than the access that you have"):
        extend(office, request)


@pytest.mark.parametrize("person", [company.BEN, company.CHIARA, company.INES], ids=lambda p: p.name)
def test_only_the_holder_asks_for_more(office: Office, person: Person) -> None:
    with pytest.raises(Refused, match="Only the person who has it"):
        extend(office, held(office), person)
    assert AccessRequest.objects.count() == 1


def test_only_what_is_active_is_extended(office: Office) -> None:
    ada = office.user(company.ADA)
    pending, starting = office.submit_production(), office.submit()
    ended = held(office, accounts=office.catalog.sandbox_accounts[1:2])
    workflow.give_back(ada.pk, ended.pk)
    office.submit(start=office.moment.time + HOUR)
    for request in AccessRequest.objects.exclude(pk=starting.pk):
        with pytest.raises(Refused, match="no active access"):
            extend(office, request)
    assert pending.status == RequestStatus.PENDING


def test_access_whose_time_is_up_is_not_extended_even_before_the_clock_has_ended_it(office: Office) -> None:
    request = held(office)
    office.moment.forward(HOUR)
    with pytest.raises(Refused, match="no active access"):
        extend(office, request)


def test_who_was_disabled_does_not_ask_for_more(office: Office) -> None:
    request = held(office)
    ada = office.user(company.ADA)
    ada.is_active = False
    ada.save()
    with pytest.raises(Refused, match="disabled in the directory"):
        extend(office, request)


def test_one_extension_is_asked_for_at_a_time(office: Office) -> None:
    request = held_production(office)
    first = extend(office, request, ticket="INC-1", duration=timedelta(minutes=10))
    with pytest.raises(Refused, match="asked for more time already"):
        extend(office, request, ticket="INC-1", duration=timedelta(minutes=10))
    office.approve(first)
    office.work()
    with pytest.raises(Refused, match="on the request that extends it"):
        extend(office, request, ticket="INC-1", duration=timedelta(minutes=10))
    assert extend(office, first, ticket="INC-1", duration=timedelta(minutes=10)).extends == first


def test_more_time_is_not_the_same_ask_as_other_access_that_is_undecided(office: Office) -> None:
    request = held_production(office)
    reason = "The replay takes longer than an hour."
    other = office.submit_production(reason=reason)
    extension = extend(office, request, ticket="INC-1", reason=reason)
    assert [office.again(row).status for row in (other, extension)] == [RequestStatus.PENDING] * 2


def test_the_database_itself_keeps_extensions_from_branching(office: Office) -> None:
    first = extend(office, held(office))
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessRequest.objects.filter(pk=office.submit().pk).update(extends=first.extends)


def test_the_same_form_sent_twice_is_one_extension(office: Office) -> None:
    request, form = held(office), uuid.uuid4()
    assert extend(office, request, id=form).pk == extend(office, request, id=form).pk
    assert request.extensions.count() == 1


def test_what_it_extends_is_part_of_what_is_decided_on(office: Office) -> None:
    request, other = held_production(office), held(office)
    extension = extend(office, request, ticket="INC-1")
    AccessRequest.objects.filter(pk=extension.pk).update(extends=other)
    assert asked.digest_now(office.again(extension)) != extension.digest
    with pytest.raises(Refused, match="not what you were shown"):
        office.decide(extension, company.CHIARA)


def test_the_digest_of_what_extends_nothing_is_what_it_was_before_there_were_extensions(office: Office) -> None:
    request = office.submit(id=uuid.UUID(int=7))
    asked_for = {
        "request": str(request.pk),
        "requester": company.ADA.object_id,
        "role": request.role_id,
        "environment": request.environment_id,
        "permission_set": request.permission_set.arn,
        "accounts": [office.catalog.sandbox_accounts[0].account_id],
        "seconds": 3600,
        "start": None,
        "reason": request.reason,
        "ticket": "",
        "stages": [],
    }
    text = json.dumps(asked_for, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert request.digest == hashlib.sha256(text.encode()).hexdigest()


def test_the_record_says_what_was_extended(office: Office) -> None:
    request = held(office)
    extension = extend(office, request)
    event = Event.objects.get(action="request.submitted", subject_id=str(extension.pk))
    assert str(request.pk) in event.canonical
    assert f"for 1 h more, extending request {request.short_id}" in event.sentence
