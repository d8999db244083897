"""Whoever decides on a request, and whoever asked, reads that it could not start by what holds now, and why."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import AccessPolicy, Account
from jitportal.demo import organisation as company
from jitportal.models import User
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text

SAID = "As things are now, it could not start."


def shorter() -> None:
    AccessPolicy.objects.update(longest_duration=timedelta(minutes=30), default_duration=timedelta(minutes=30))


def over() -> None:
    AccessPolicy.objects.update(is_in_force=False)


def closed() -> None:
    Account.objects.update(environment=None)


def vanished() -> None:
    Account.objects.update(vanished_at="2026-11-16T00:00Z")


def moved() -> None:
    User.objects.get(object_id=company.ADA.object_id).directory_groups.clear()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (shorter, "“Production developers” allows at most 30 minutes."),
        (over, "No access policy offers this role in this environment."),
        (closed, "is not in this environment."),
        (vanished, "AWS no longer lists"),
        (moved, "in none of the groups or departments that “Production developers” names."),
    ],
)
def test_the_card_the_page_and_my_access_say_so(
    office: Office, browse: Browse, asker: Client, change: Callable[[], None], why: str
) -> None:
    made = office.submit_production()
    change()
    lead = browse(company.CHIARA)
    for client, address in (
        (lead, "/approvals/"),
        (lead, f"/requests/{made.pk}/"),
        (asker, f"/requests/{made.pk}/"),
        (asker, "/"),
    ):
        page = text(client.get(address))
        assert SAID in page, address
        assert why in page, address
    assert "Ada Lindqvist</bdi> would be told:" in text(lead.get("/approvals/"))
    assert "You would be told:" in text(asker.get(f"/requests/{made.pk}/"))


def test_what_is_approved_for_later_says_so_too(office: Office, asker: Client) -> None:
    made = office.approve(office.submit_production(start=office.moment.time + timedelta(days=2)))
    assert SAID not in text(asker.get("/"))
    over()
    for address in (f"/requests/{made.pk}/", "/"):
        assert SAID in text(asker.get(address))


def test_a_poll_brings_it_to_a_page_that_is_open(office: Office, asker: Client) -> None:
    made = office.submit_production()
    for address in ("/", f"/requests/{made.pk}/"):
        page = text(asker.get(address))
        seen = page.split("?seen=")[1].split('"')[0]
        assert asker.get(address, {"seen": seen}, headers={"HX-Request": "true"}).status_code == 204
        over()
        assert SAID in text(asker.get(address, {"seen": seen}, headers={"HX-Request": "true"}))
        AccessPolicy.objects.update(is_in_force=True)


def test_what_could_start_or_has_begun_says_nothing(office: Office, asker: Client, browse: Browse) -> None:
    made = office.submit_production()
    assert SAID not in text(browse(company.CHIARA).get("/approvals/"))
    office.approve(made)
    office.work()
    over()
    for address in (f"/requests/{made.pk}/", "/"):
        assert SAID not in text(asker.get(address))


def test_many_that_could_not_start_cost_no_more_queries(office: Office, browse: Browse) -> None:
    pages = [(browse(who), at) for who, at in ((company.CHIARA, "/approvals/"), (company.FARID, "/approvals/"))]
    pages.append((browse(company.ADA), "/"))
    costs = []
    for _ in range(3):
        office.submit_production()
        office.decide(office.submit_production(), company.EMMA)
        office.approve(office.submit_production(start=office.moment.time + timedelta(days=2)))
        over()
        found = []
        for client, address in pages:
            with CaptureQueriesContext(connection) as seen:
                assert SAID in text(client.get(address))
            found.append(len(seen))
        costs.append(found)
        AccessPolicy.objects.update(is_in_force=True)
    assert costs[1] == costs[2]
    assert max(costs[2]) <= 40
