"""The menu offers what this person has a use for."""

import pytest

from accessrequests.models import Decision
from catalog.models import ApproverGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text

APPROVALS = 'href="/approvals/"'


@pytest.mark.parametrize(("person", "offered"), [(company.ADA, False), (company.CHIARA, True), (company.FARID, True)])
def test_approvals_are_in_the_menu_of_those_who_may_decide(browse: Browse, person: Person, offered: bool) -> None:
    assert (APPROVALS in text(browse(person).get("/"))) == offered


def test_approvals_stay_in_the_menu_of_those_who_have_decided(office: Office, browse: Browse) -> None:
    office.decide(office.submit_production(), company.CHIARA)
    for group in ApproverGroup.objects.all():
        group.directory_groups.clear()
    assert Decision.objects.filter(decided_by=office.user(company.CHIARA)).exists()
    assert APPROVALS in text(browse(company.CHIARA).get("/"))
    assert APPROVALS not in text(browse(company.FARID).get("/"))
