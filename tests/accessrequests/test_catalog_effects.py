"""Before the catalog is changed, it is said which requests would be refused at their start, and what runs on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from catalog.effects import effects
from catalog.membership import Now
from catalog.models import Account, ApprovalStage, ApproverGroup, DirectoryGroup, Sensitivity
from catalog.snapshots import snapshot, touches_sensitive
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office


def of(change: Callable[[], object]) -> list[str]:
    """What is said of requests and of access if this is changed."""
    before = snapshot()
    change()
    found = effects(before, snapshot(), Now())
    return [each.text for each in found if "request" in each.text or "runs" in each.text]


def another_approver(office: Office) -> Callable[[], object]:
    stage = office.catalog.two_stages.stages.order_by("position").first()
    assert stage is not None
    return lambda: ApprovalStage.objects.filter(pk=stage.pk).update(approvals_needed=2)


def test_a_pending_request_that_needs_another_approver_is_told(office: Office) -> None:
    office.submit_production()
    asks = "“Production developers” now asks for 2 of Engineering Leads decide to agree. Ask again."
    assert of(another_approver(office)) == [
        f"1 pending request, of Ada Lindqvist, will be refused at its start: {asks}"
    ]


def test_an_approved_request_that_has_not_begun_is_told(office: Office) -> None:
    made = office.submit_production(start=office.moment.time + timedelta(days=2))
    office.decide(made, company.EMMA)
    office.decide(made, company.FARID)
    (said,) = of(another_approver(office))
    assert said.startswith(
        "1 approved request, of Ada Lindqvist, will be refused at its start: “Production developers”"
    )


def test_a_request_that_people_decide_because_it_is_too_much_together_is_told(office: Office) -> None:
    half, policy = timedelta(minutes=30), office.catalog.two_stages
    policy.automatic_approval, policy.automatic_up_to = "up_to", half
    policy.save()
    office.submit_production(duration=half)
    office.work()
    office.submit_production(duration=half, start=office.moment.time + half)
    told = [said for said in of(another_approver(office)) if "request" in said]
    asks = "“Production developers” now asks for 2 of Engineering Leads decide to agree. Ask again."
    assert told == [f"1 pending request, of Ada Lindqvist, will be refused at its start: {asks}"]


def test_a_request_that_could_start_still_is_not_told(office: Office) -> None:
    office.submit_production()
    policy = office.catalog.two_stages
    assert of(lambda: type(policy).objects.filter(pk=policy.pk).update(longest_duration=timedelta(hours=7))) == []


def test_a_shorter_duration_than_was_asked_for_is_told(office: Office) -> None:
    office.submit_production()
    policy = office.catalog.two_stages
    shorter = {"longest_duration": timedelta(minutes=1), "default_duration": timedelta(minutes=1)}
    (said,) = of(lambda: type(policy).objects.filter(pk=policy.pk).update(**shorter))
    assert said.endswith("“Production developers” allows at most 1 minute.")


def test_an_account_that_leaves_is_told(office: Office) -> None:
    office.submit_production()
    (said,) = of(lambda: Account.objects.filter(environment=office.catalog.production).update(environment=None))
    assert "is not in this environment." in said


def test_access_that_runs_is_said_not_to_be_touched(office: Office) -> None:
    made = office.submit_production()
    office.decide(made, company.EMMA)
    office.decide(made, company.FARID)
    office.work()
    policy = office.catalog.two_stages
    assert of(lambda: type(policy).objects.filter(pk=policy.pk).update(is_in_force=False)) == [
        "1 person has access that runs there: it is not touched, and ends as agreed."
    ]
    assert office.again(made).status == "active"


@pytest.fixture
def no_longer_named(office: Office, settings: Any) -> ApproverGroup:
    """What Ada asked for escalates to this group; her policy does so no more, and no other one names it."""
    settings.SENSITIVE_FROM = Sensitivity.PRODUCTION
    group = ApproverGroup.objects.create(name="Duty managers")
    stage = office.catalog.two_stages.stages.filter(position=1)
    stage.update(escalation_group=group, escalates_after=timedelta(hours=1))
    office.submit_production()
    stage.update(escalation_group=None, escalates_after=None)
    return group


def with_ben(office: Office, group: ApproverGroup) -> None:
    own = DirectoryGroup.objects.create(object_id=str(uuid4()), name="Ben's own")
    office.user(company.BEN).directory_groups.add(own)
    group.directory_groups.add(own)


def test_a_group_that_decides_on_what_is_asked_still_counts(office: Office, no_longer_named: ApproverGroup) -> None:
    before = snapshot()
    with_ben(office, no_longer_named)
    assert touches_sensitive(before, snapshot()) == ("Production",)
    said = [effect.text for effect in effects(before, snapshot(), Now())]
    assert said[0] == "Ben Okafor gains the right to decide as Duty managers."
    assert said[1].startswith("Those who decide as Duty managers are the members of the directory group"), said


def test_a_group_that_decided_on_what_is_over_does_not(office: Office, no_longer_named: ApproverGroup) -> None:
    office.pass_time(days=30)
    before = snapshot()
    with_ben(office, no_longer_named)
    assert touches_sensitive(before, snapshot()) == ()
    assert effects(before, snapshot(), Now()) == ()
