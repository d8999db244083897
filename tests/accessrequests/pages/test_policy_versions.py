"""A request shows the version of each policy that it was judged by, whatever the policy says since."""

import re
from datetime import timedelta

from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text


def test_the_version_that_was_in_force_when_it_was_asked_is_shown(office: Office, browse: Browse) -> None:
    policy = office.catalog.two_stages
    judged_by = policy.history.latest("history_id").pk
    made = office.submit_production()
    policy.longest_duration = timedelta(hours=7)
    policy.save()
    assert policy.history.latest("history_id").pk > judged_by
    page = text(browse(company.ADA).get(f"/requests/{made.pk}/"))
    assert f"“Production developers” (version {judged_by})" in re.sub(r"<[^>]*>", "", page)
    assert (
        f'title="The number by which the history of the policies keeps what it said then">version {judged_by}' in page
    )


def test_an_admin_goes_from_the_version_to_what_the_policy_said_then(office: Office, browse: Browse) -> None:
    policy = office.catalog.two_stages
    judged_by = policy.history.latest("history_id").pk
    made, ines = office.submit_production(), browse(company.INES)
    address = f"/admin/catalog/accesspolicy/{policy.pk}/history/"
    policy.delete()
    page = text(ines.get(f"/requests/{made.pk}/"))
    link = re.search(rf'<a href="({address}{judged_by}/)">version {judged_by}</a>', page)
    assert link
    assert "Production developers" in text(ines.get(link[1]))
