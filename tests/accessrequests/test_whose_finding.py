"""Nobody keeps their own standing access by their own word, and nobody keeps it for one who is to hold nothing."""

from datetime import timedelta
from typing import Any

import pytest

from accessrequests import offboarding
from accessrequests.models import Finding
from accessrequests.refusals import Refused
from accessrequests.states import FindingStatus
from auditlog.actor import Actor
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import User
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import events, found, key_of
from tests.accessrequests.pages.conftest import Browse, browse, text  # noqa: F401
from tests.accessrequests.test_drift_findings import Verb, accept, adopt, remove

KEEPING = pytest.mark.parametrize("keep", [adopt, accept])
BY = Actor.system("test")


def administers(office: Office, person: Person) -> None:
    office.user(person).directory_groups.add(*office.user(company.INES).directory_groups.all())


def refusal(office: Office, keep: Verb, finding: Finding, by: Person = company.INES) -> str:
    with pytest.raises(Refused) as refused:
        keep(office, finding, by)
    assert events("finding.refused")[-1].data["reason"] == str(refused.value)
    return str(refused.value)


@KEEPING
@pytest.mark.parametrize("known_by", [{"user_name": company.ADA.user_name.upper()}, {"principal_id": "theirs"}])
def test_an_admin_keeps_nothing_of_their_own_however_it_is_known_to_be_theirs(
    office: Office, keep: Verb, known_by: dict[str, Any]
) -> None:
    finding = found(office)
    administers(office, company.BEN)
    if "principal_id" in known_by:
        known_by = {"principal_id": finding.principal_id}
    User.objects.filter(pk=office.user(company.BEN).pk).update(**known_by)
    assert "It is your own access" in refusal(office, keep, finding, company.BEN)
    assert Finding.objects.get().status == FindingStatus.OPEN


def test_what_another_has_adopted_its_holder_does_not_prolong(office: Office) -> None:
    administers(office, company.ADA)
    finding = adopt(office, found(office))
    longer = office.moment.time + timedelta(days=300)
    with pytest.raises(Refused, match="It is your own access"):
        adopt(office, finding, company.ADA, until=longer)
    office.work()
    office.pass_time(days=2)
    assert office.in_aws() == []


def test_an_admin_has_their_own_removed(office: Office) -> None:
    administers(office, company.ADA)
    remove(office, found(office), company.ADA)
    office.work()
    assert office.in_aws() == []


@KEEPING
def test_nothing_is_kept_for_somebody_locked_out(office: Office, keep: Verb) -> None:
    finding = found(office)
    offboarding.lock_out(office.user(company.ADA).pk, "The laptop was stolen.", actor=BY)
    assert "Ada Lindqvist is locked out" in refusal(office, keep, finding)
    remove(office, finding)
    office.work()
    assert office.in_aws() == []


@KEEPING
def test_nothing_is_kept_for_somebody_who_has_left_by_all_their_accounts(office: Office, keep: Verb) -> None:
    finding, ada = found(office), office.user(company.ADA)
    offboarding.leave(ada.pk, "deleted", "The account is deleted", actor=BY)
    assert "Ada Lindqvist has left" in refusal(office, keep, finding)
    User.objects.create(tenant_id="t", object_id="made-anew", name=ada.name, user_name=ada.user_name)
    assert keep(office, finding).settled_at == office.moment.time


def test_the_page_says_why_it_can_only_be_removed(office: Office, browse: Browse) -> None:  # noqa: F811
    administers(office, company.ADA)
    finding = found(office)
    page = text(browse(company.ADA).get("/findings/"))
    assert "It is your own access" in page
    assert f"/findings/{finding.pk}/remove/" in page
    for verb in ("adopt", "accept"):
        assert f"/findings/{finding.pk}/{verb}/" not in page
        assert f"/findings/{finding.pk}/{verb}/" in text(browse(company.INES).get("/findings/"))
    offboarding.lock_out(office.user(company.ADA).pk, "The laptop was stolen.", actor=BY)
    page = text(browse(company.INES).get("/findings/"))
    assert "Ada Lindqvist is locked out, and is to hold nothing" in page
    assert key_of(office).principal_id in page
