"""A request that nobody could approve is refused when it is asked for, with the reason, and recorded."""

from collections.abc import Callable

import pytest

from accessrequests.models import AccessRequest
from accessrequests.refusals import Refused
from auditlog.models import Event
from catalog.models import ApprovalStage, ApproverGroup
from jitportal.demo import organisation as company
from jitportal.models import User
from tests.accessrequests.conftest import Office


def leads() -> ApproverGroup:
    return ApproverGroup.objects.get(name="Engineering Leads decide")


def _group_of_nothing(office: Office) -> None:
    leads().directory_groups.clear()


def _group_without_people(office: Office) -> None:
    for person in (company.CHIARA, company.EMMA):
        office.user(person).directory_groups.clear()


def _people_who_left(office: Office) -> None:
    User.objects.filter(object_id__in=[company.CHIARA.object_id, company.EMMA.object_id]).update(is_active=False)


def _only_the_one_who_asks(office: Office) -> None:
    _group_without_people(office)
    office.user(company.ADA).directory_groups.add(leads().directory_groups.get())


def _a_second_row_of_the_one_who_asks(office: Office) -> None:
    _people_who_left(office)
    ada = office.user(company.ADA)
    User.objects.filter(pk=ada.pk).update(principal_id="p-1")
    twin = User.objects.create(tenant_id="t", object_id="twin", user_name="t@x", name="Twin", principal_id="p-1")
    twin.directory_groups.set(leads().directory_groups.all())


def _more_needed_than_there_are(office: Office) -> None:
    ApprovalStage.objects.filter(approver_group=leads()).update(approvals_needed=3)


def _one_person_for_two_stages(office: Office) -> None:
    for person in (company.CHIARA, company.EMMA, company.FARID, company.GRACE):
        office.user(person).directory_groups.clear()
    for stage in office.catalog.two_stages.stages.all():
        office.user(company.CHIARA).directory_groups.add(stage.approver_group.directory_groups.get())


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_group_of_nothing, "drawn from no directory group"),
        (_group_without_people, "nobody besides the one who asks is in it"),
        (_people_who_left, "nobody besides the one who asks is in it"),
        (_only_the_one_who_asks, "nobody besides the one who asks is in it"),
        (_a_second_row_of_the_one_who_asks, "nobody besides the one who asks is in it"),
        (_more_needed_than_there_are, "asks 3 of Engineering Leads decide to agree, and only 2"),
        (_one_person_for_two_stages, "needed at another stage"),
    ],
    ids=lambda value: getattr(value, "__name__", "").strip("_"),
)
def test_it_is_refused_with_the_reason_and_the_rule(
    office: Office, spoil: Callable[[Office], None], reason: str
) -> None:
    spoil(office)
    with pytest.raises(Refused, match=reason) as refused:
        office.submit_production()
    assert refused.value.refusals[0].rule == "Production developers"
    assert not AccessRequest.objects.exists()
    told = Event.objects.latest("number")
    assert (told.action, told.data["rule"]) == ("request.refused", "Production developers")


def test_one_other_person_is_enough(office: Office) -> None:
    office.user(company.EMMA).directory_groups.clear()
    assert office.submit_production().status == "pending"


def test_what_is_approved_at_once_needs_nobody(office: Office) -> None:
    _group_without_people(office)
    assert office.submit().status == "approved"
