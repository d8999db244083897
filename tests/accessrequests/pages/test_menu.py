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


@pytest.mark.parametrize(("person", "offered"), [(company.ADA, False), (company.JONAS, True), (company.INES, True)])
def test_proposals_are_in_the_menu_of_those_who_may_read_them(browse: Browse, person: Person, offered: bool) -> None:
    reader = browse(person)
    assert ('href="/catalog/proposals/"' in text(reader.get("/"))) == offered
    if offered:
        assert 'href="/catalog/proposals/" aria-current="page"' in text(reader.get("/catalog/proposals/"))


@pytest.mark.parametrize(("person", "place"), [(company.ADA, "/catalog/"), (company.INES, "/explain/")])
def test_the_menu_says_where_one_is_who_looks_why(browse: Browse, person: Person, place: str) -> None:
    assert f'href="{place}" aria-current="page"' in text(browse(person).get("/explain/?ask=me"))


def test_approvals_stay_in_the_menu_of_those_who_have_decided(office: Office, browse: Browse) -> None:
    office.decide(office.submit_production(), company.CHIARA)
    for group in ApproverGroup.objects.all():
        group.directory_groups.clear()
    assert Decision.objects.filter(decided_by=office.user(company.CHIARA)).exists()
    assert APPROVALS in text(browse(company.CHIARA).get("/"))
    assert APPROVALS not in text(browse(company.FARID).get("/"))
