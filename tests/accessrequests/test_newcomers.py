"""Nobody becomes an approver in order to agree to something that was asked for before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accessrequests import decisions
from accessrequests.models import AccessRequest, Decision
from accessrequests.refusals import Refused
from accessrequests.states import RequestStatus
from auditlog.actor import Actor
from auditlog.models import Event
from catalog import changes
from catalog.models import AccessPolicy, Environment, Role, Sensitivity
from jitportal.demo import organisation as company
from jitportal.demo.directory import Group, Person
from jitportal.models import User
from jitportal.signin.people import take_in
from tests.accessrequests.conftest import Office
from tests.directory import claims_of

BEN_LEADS = (company.PAYMENTS, company.LEADS)


def joins(office: Office, person: Person, *groups: Group) -> User:
    """The directory says at a sign-in that somebody is in these groups and in no others."""
    office.moment.forward(timedelta(minutes=1))
    row = take_in(claims_of(replace(person, groups=groups), "t"))
    office.moment.forward(timedelta(minutes=1))
    return row


def agree(made: AccessRequest, row: User) -> AccessRequest:
    return decisions.decide(row.pk, made.pk, Decision.Answer.APPROVE, "", made.digest)


def changed(policy: AccessPolicy, **values: object) -> None:
    for name, value in values.items():
        setattr(policy, name, value)
    with changes.recorded(policy, actor=Actor.system("admin")):
        policy.save()


def test_who_joined_the_approvers_after_the_ask_may_not_agree_to_it(office: Office) -> None:
    made = office.submit_production()
    ben = joins(office, company.BEN, *BEN_LEADS)
    with pytest.raises(Refused, match="joined Engineering Leads decide after this was asked for") as refused:
        agree(made, ben)
    assert refused.value.refusals[0].rule == "Production developers"
    recorded = Event.objects.latest("number")
    assert (recorded.action, recorded.data["rule"]) == ("decision.refused", "Production developers")
    assert not Decision.objects.exists()


def test_who_joined_since_may_deny_but_nothing_of_their_own(office: Office) -> None:
    own, made = office.submit_production(), office.submit_production(company.BEN)
    ada = joins(office, company.ADA, *BEN_LEADS)
    with pytest.raises(Refused, match="Nobody decides on their own request"):
        decisions.decide(ada.pk, own.pk, Decision.Answer.DENY, "No.", own.digest)
    denied = decisions.decide(ada.pk, made.pk, Decision.Answer.DENY, "Not today.", made.digest)
    assert denied.status == RequestStatus.DENIED
    assert not Event.objects.filter(action="decision.refused", subject_id=str(made.pk)).exists()


def test_who_was_in_the_group_before_may(office: Office) -> None:
    ben = joins(office, company.BEN, *BEN_LEADS)
    assert agree(office.submit_production(), ben)


def test_another_group_joined_since_takes_nothing_from_who_was_in_it_before(office: Office) -> None:
    joins(office, company.BEN, *BEN_LEADS)
    made = office.submit_production()
    assert agree(made, joins(office, company.BEN, *BEN_LEADS, company.SECURITY))


def test_a_requester_who_becomes_an_approver_decides_on_nothing_of_their_own(office: Office) -> None:
    made = office.submit_production()
    with pytest.raises(Refused) as refused:
        agree(made, joins(office, company.ADA, *BEN_LEADS))
    assert refused.value.refusals[0].rule == "self-approval"


@pytest.mark.parametrize(
    ("says", "sensitivity", "may"),
    [
        (None, Sensitivity.PRODUCTION, False),
        (None, Sensitivity.STAGING, True),
        (True, Sensitivity.PRODUCTION, True),
        (False, Sensitivity.STAGING, False),
    ],
)
def test_the_policy_says_whether_newcomers_agree_and_else_the_environment(
    office: Office, says: bool | None, sensitivity: int, may: bool
) -> None:
    AccessPolicy.objects.update(newcomers_agree=says)
    Environment.objects.filter(pk=office.catalog.production.pk).update(sensitivity=sensitivity)
    made = office.submit_production()
    ben = joins(office, company.BEN, *BEN_LEADS)
    if may:
        assert agree(made, ben)
    else:
        with pytest.raises(Refused):
            agree(made, ben)


def test_a_policy_that_is_deleted_lets_no_newcomer_agree_to_what_it_was_asked_by(office: Office) -> None:
    made = office.submit_production()
    admin = Actor.system("admin")
    with changes.recorded(office.catalog.two_stages, actor=admin):
        office.catalog.two_stages.save()
    changes.delete(instance=office.catalog.two_stages, actor=admin)
    ben = joins(office, company.BEN, *BEN_LEADS)
    with pytest.raises(Refused, match="joined Engineering Leads decide after this was asked for"):
        agree(made, ben)


def test_what_is_written_into_a_policy_that_is_out_of_force_opens_nothing(office: Office) -> None:
    made = office.submit_production()
    for change in ({"is_in_force": False}, {"newcomers_agree": True}):
        changed(office.catalog.two_stages, **change)
    ben = joins(office, company.BEN, *BEN_LEADS)
    with pytest.raises(Refused, match="joined Engineering Leads decide after this was asked for"):
        agree(made, ben)


@pytest.mark.parametrize("is_put_out_of_force", [True, False])
def test_a_policy_that_has_moved_to_another_environment_opens_nothing_where_it_was(
    office: Office, is_put_out_of_force: bool
) -> None:
    made, policy = office.submit_production(), office.catalog.two_stages
    changed(policy, is_in_force=not is_put_out_of_force)
    changed(policy, environment=office.catalog.sandbox, newcomers_agree=True)
    changed(policy, is_in_force=True)
    ben = joins(office, company.BEN, *BEN_LEADS)
    with pytest.raises(Refused, match="joined Engineering Leads decide after this was asked for"):
        agree(made, ben)


def test_a_policy_that_has_moved_to_another_role_opens_nothing_of_the_one_it_was_for(office: Office) -> None:
    made = office.submit_production()
    other = Role.objects.create(name="Replayer", slug="replayer", description="Replays what is stuck.")
    changed(office.catalog.two_stages, role=other, newcomers_agree=True)
    ben = joins(office, company.BEN, *BEN_LEADS)
    with pytest.raises(Refused, match="joined Engineering Leads decide after this was asked for"):
        agree(made, ben)


def test_since_when_somebody_is_in_a_group_is_not_guessed_when_they_are_first_seen(office: Office) -> None:
    made = office.submit_production()
    lena = replace(company.CHIARA, object_id="b0000000-0000-4000-8000-0000000000ff", user_name="lena@harbour.example")
    assert agree(made, joins(office, lena, company.LEADS))


def test_a_further_account_of_somebody_known_is_one_of_a_newcomer(office: Office) -> None:
    made = office.submit_production()
    known = office.user(company.BEN)
    other = replace(company.BEN, object_id="b0000000-0000-4000-8000-0000000000fe", user_name="ben-adm@harbour.example")
    row = joins(office, other, company.LEADS)
    User.objects.filter(pk__in=(known.pk, row.pk)).update(principal_id="the same in Identity Center")
    with pytest.raises(Refused, match="joined Engineering Leads decide after this was asked for"):
        agree(made, row)
