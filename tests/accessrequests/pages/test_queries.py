"""A page costs the same few queries, however much there is on it."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse


def cost(client: Client, page: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(page).status_code == 200
    return len(seen)


@pytest.mark.parametrize("page", ["/", "/?all", "/approvals/", "/catalog/", "/requests/new/"])
def test_more_requests_do_not_cost_more_queries(office: Office, browse: Browse, page: str) -> None:
    client = browse(company.CHIARA)

    def add() -> None:
        for person in (company.ADA, company.BEN, company.CHIARA):
            office.submit_production(person)
            office.decide(office.submit_production(person), company.EMMA)
            office.submit(person)
        office.work()

    few = _after(add, client, page)
    for _ in range(4):
        many = _after(add, client, page)
    assert many <= few
    assert many <= 40


def test_a_request_costs_a_bounded_number_of_queries(office: Office, asker: Client) -> None:
    made = office.approve(office.submit_production(accounts=office.catalog.production_accounts[:2]))
    office.work()
    assert cost(asker, f"/requests/{made.pk}/") <= 40


def _after(add: Callable[[], None], client: Client, page: str) -> int:
    add()
    return cost(client, page)
