"""Asking: what the policies refuse is refused at the field with the rule, recorded, and nothing is made of it."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from accessrequests import workflow
from accessrequests.models import AccessRequest, Notification
from accessrequests.refusals import Refused
from auditlog.models import Event
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("duration", {"duration": timedelta(0)}),
        ("duration", {"duration": timedelta(seconds=-1)}),
        ("duration", {"duration": timedelta(hours=2, seconds=1)}),
        ("accounts", {"accounts": []}),
        ("ticket", {"ticket": ""}),
        ("ticket", {"ticket": "INC-1 or whatever"}),
        ("ticket", {"ticket": "INC-" + "1" * 40}),
        ("reason", {"reason": "because"}),
        ("reason", {"reason": " x         y "}),
    ],
)
def test_a_bad_ask_is_refused_at_its_field_and_recorded(office: Office, field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        office.submit_production(**changes)
    assert field in [refusal.field for refusal in caught.value.refusals]
    assert all(refusal.rule and refusal.reason for refusal in caught.value.refusals)
    assert not AccessRequest.objects.exists()
    assert Event.objects.latest("number").action == "request.refused"


def test_more_accounts_than_the_policy_allows_names_the_policy(office: Office) -> None:
    with pytest.raises(Refused) as caught:
        office.submit_production(accounts=office.catalog.production_accounts)
    (refusal,) = caught.value.refusals
    assert (refusal.field, refusal.rule) == ("accounts", "Production developers")


def test_an_account_of_another_environment_is_refused(office: Office) -> None:
    with pytest.raises(Refused, match="not in this environment"):
        office.submit(accounts=office.catalog.production_accounts[:1])


def test_a_start_in_the_past_or_beyond_the_longest_lead_is_refused(office: Office) -> None:
    for start in (office.moment.time - timedelta(hours=1), office.moment.time + timedelta(days=31)):
        with pytest.raises(Refused) as caught:
            office.submit(start=start)
        assert caught.value.refusals[0].field == "start"


def test_a_person_in_none_of_the_groups_is_refused_by_name_of_the_policy(office: Office) -> None:
    with pytest.raises(Refused, match="Sandbox developers"):
        office.submit(company.HUGO)


def test_the_same_form_sent_twice_is_one_request(office: Office) -> None:
    form = uuid.uuid4()
    first, second = office.submit(id=form), office.submit(id=form)
    assert first.pk == second.pk
    assert AccessRequest.objects.count() == 1


def test_another_persons_form_id_neither_shows_nor_touches_their_request(office: Office) -> None:
    request = office.submit()
    with pytest.raises(Refused, match="cannot be sent again"):
        office.submit(company.BEN, id=request.pk)
    assert office.again(request).requester == office.user(company.ADA)


def test_the_request_keeps_the_terms_and_versions_it_was_judged_by(office: Office) -> None:
    request = office.submit_production()
    office.catalog.two_stages.longest_duration = timedelta(hours=9)
    office.catalog.two_stages.save()
    terms = office.again(request).terms
    assert terms["longest_duration_seconds"] == {"value": 7200.0, "rule": "Production developers"}
    assert terms["policies"][0]["version"] > 0


def test_everybody_who_may_decide_is_told_and_the_requester_is_not(office: Office) -> None:
    office.submit_production(company.CHIARA)
    told = Notification.objects.values_list("recipient__name", flat=True)
    assert list(told) == [company.EMMA.name]


def test_what_is_approved_automatically_says_by_which_policy(office: Office) -> None:
    request = office.submit()
    event = Event.objects.get(action="request.approved", subject_id=str(request.pk))
    assert event.actor == "system:policy"
    assert "Sandbox developers" in event.canonical


def test_withdrawing_is_for_the_one_who_asked(office: Office) -> None:
    request = office.submit_production()
    with pytest.raises(Refused):
        workflow.withdraw(office.user(company.CHIARA).pk, request.pk)
    workflow.withdraw(office.user(company.ADA).pk, request.pk)
    assert office.again(request).status == "withdrawn"
