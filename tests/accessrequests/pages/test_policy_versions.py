"""A request shows the version of each policy that it was judged by, whatever the policy says since."""

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
    assert f"“Production developers” (version {judged_by})" in page
