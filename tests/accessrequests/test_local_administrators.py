"""A local administrator looks after access, and neither asks for any nor agrees to any."""

from datetime import timedelta

import pytest

from accessrequests import decisions, permissions, workflow
from accessrequests.models import AccessRequest, Decision
from accessrequests.refusals import Refused
from auditlog.actor import Actor
from auditlog.models import Event
from catalog import people
from jitportal.models import User
from jitportal.signin import local_admins
from tests.accessrequests.conftest import Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def local(office: Office) -> User:
    """A local administrator who was even put into the groups that ask and decide."""
    _, made = local_admins.open_for(timedelta(hours=1), "Nobody can sign in at present.", Actor.system("test"))
    made.person.directory_groups.set(office.catalog.automatic.requestable_by.all())
    for stage in office.catalog.two_stages.stages.all():
        made.person.directory_groups.add(*stage.approver_group.directory_groups.all())
    return made.person


def test_they_may_not_ask_and_are_told_why(office: Office, local: User) -> None:
    with pytest.raises(Refused, match="asks for no access"):
        workflow.submit(local.pk, office.form())
    assert not AccessRequest.objects.exists()
    assert Event.objects.latest("number").data["rule"] == "local administrator"


def test_they_may_not_decide_and_are_told_why(office: Office, local: User) -> None:
    made = office.submit_production()
    assert not permissions.queue_of(people.load(local.pk), office.moment.time).exists()
    with pytest.raises(Refused, match="decides on no request"):
        decisions.decide(local.pk, made.pk, Decision.Answer.APPROVE, "", made.digest)
    assert not Decision.objects.exists()
    assert Event.objects.latest("number").data["rule"] == "local administrator"


def test_they_may_revoke_what_others_hold(office: Office, local: User) -> None:
    made = office.submit()
    office.work()
    workflow.revoke(local.pk, made.pk, "The account is under attack.")
    office.work()
    assert office.again(made).status == "ended"
    assert office.in_aws() == []


def test_they_may_do_nothing_once_their_time_is_over(office: Office, local: User) -> None:
    made = office.submit()
    office.work()
    office.moment.forward(timedelta(hours=1))
    person = people.load(local.pk)
    assert not person.is_active
    assert not person.is_admin
    with pytest.raises(Refused):
        workflow.revoke(local.pk, made.pk, "The account is under attack.")
