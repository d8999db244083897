"""Who came after the ask and may not agree to it is not counted, named or told as somebody who might."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accessrequests import later, new_manager, permissions
from accessrequests.models import AccessRequest, Notification
from accessrequests.refusals import Refused
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.ledger import record
from catalog.models import AccessPolicy, ApproverGroup, DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Group, Person
from jitportal.models import User
from jitportal.people import replace_manager, subject_of
from jitportal.signin.people import take_in
from tests.accessrequests.conftest import Office
from tests.directory import claims_of

SYNC = Actor.system("directory sync")


def says(office: Office, person: Person, *groups: Group) -> User:
    """The directory says at a sign-in that somebody is in these groups and in no others."""
    office.moment.forward(timedelta(minutes=1))
    row = take_in(claims_of(replace(person, groups=groups), "t"))
    office.moment.forward(timedelta(minutes=1))
    return row


def only(office: Office, group: Group, *people: Person) -> None:
    row = DirectoryGroup.objects.get(object_id=group.object_id)
    row.people.set([office.user(person) for person in people])


def told(made: AccessRequest) -> list[str]:
    return sorted(Notification.objects.filter(request=made, kind="to_decide").values_list("recipient__name", flat=True))


@pytest.fixture
def chiara_alone_later(office: Office) -> AccessRequest:
    """A lead or another decides first; then one who is a lead, too, and the only one left."""
    only(office, company.SECURITY, company.CHIARA)
    return office.submit_production()


def test_a_later_stage_is_not_left_to_a_newcomer(office: Office, chiara_alone_later: AccessRequest) -> None:
    says(office, company.BEN, company.PAYMENTS, company.SECURITY)
    with pytest.raises(Refused, match="Only you can decide at stage 2"):
        office.decide(chiara_alone_later, company.CHIARA)
    assert permissions.deciders(office.again(chiara_alone_later)) == ["Emma Fischer"]


def test_who_may_agree_as_a_newcomer_counts(office: Office, chiara_alone_later: AccessRequest) -> None:
    AccessPolicy.objects.update(newcomers_agree=True)
    says(office, company.BEN, company.PAYMENTS, company.SECURITY)
    assert office.decide(chiara_alone_later, company.CHIARA)


def test_many_newcomers_hide_nobody_who_was_there_before(office: Office) -> None:
    only(office, company.SECURITY, company.CHIARA, company.GRACE)
    made = office.submit_production()
    cost = set()
    for number in range(12):
        of_old = replace(company.BEN, object_id=f"b0000000-0000-4000-8000-00000000ab{number:02}", name=f"Abe {number}")
        of_old = replace(of_old, user_name=f"abe-{number}@harbour.example")
        says(office, of_old, company.PAYMENTS)
        says(office, of_old, company.PAYMENTS, company.SECURITY)
        with CaptureQueriesContext(connection) as seen:
            (step,) = later.steps(office.again(made))
        cost.add(len(seen))
    assert len(cost) == 1, "one newcomer costs as many queries as twelve"
    assert sorted(step.names.values()) == ["Chiara Rossi", "Grace Kim"]
    assert step.count == 2
    assert office.decide(made, company.CHIARA)


def test_a_further_account_that_is_new_leaves_the_old_one_counted(office: Office) -> None:
    only(office, company.SECURITY, company.FARID)
    made = office.submit_production()
    other = replace(company.FARID, object_id="b0000000-0000-4000-8000-0000000000fe", user_name="f-adm@harbour.example")
    row = says(office, other, company.SECURITY)
    User.objects.filter(pk__in=(office.user(company.FARID).pk, row.pk)).update(principal_id="one in Identity Center")
    (step,) = later.steps(office.again(made))
    assert {*step.names} == {office.user(company.FARID).pk}


def test_a_newcomer_is_neither_named_nor_told(office: Office) -> None:
    made = office.submit_production()
    says(office, company.BEN, company.PAYMENTS, company.LEADS)
    says(office, company.DANIEL, company.SECURITY)
    assert permissions.deciders(made) == ["Chiara Rossi", "Emma Fischer"]
    office.decide(made, company.CHIARA)
    assert permissions.deciders(office.again(made)) == ["Farid Haddad", "Grace Kim"]
    assert "Daniel Novak" not in told(made)


def manages(office: Office, manager: Person) -> None:
    """The directory names another manager of Ada's; the sync finds that, and records it."""
    office.moment.forward(timedelta(minutes=1))
    row = User.objects.get(pk=office.user(company.ADA).pk)
    with transaction.atomic():
        changed = replace_manager(row, manager.object_id)
        record(SYNC, Action.PERSON_CHANGED, subject_of(row), {"person": row.name, "changes": changed})
        new_manager.tell(row.pk, office.moment.time)
    office.moment.forward(timedelta(minutes=1))


def test_who_became_the_manager_since_is_not_counted(office: Office) -> None:
    group = ApproverGroup.objects.create(name="Requester's manager", is_requesters_manager=True)
    office.catalog.two_stages.stages.filter(position=2).update(approver_group=group)
    manages(office, company.FARID)
    made = office.submit_production()
    assert [{*step.names.values()} for step in later.steps(office.again(made))] == [{"Farid Haddad"}]
    manages(office, company.EMMA)
    assert [{*step.names.values()} for step in later.steps(office.again(made))] == [set()]
    office.decide(made, company.CHIARA)
    assert permissions.deciders(office.again(made)) == []
    assert told(made) == ["Chiara Rossi", "Emma Fischer"], "as leads, and nobody as the manager"
