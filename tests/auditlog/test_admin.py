"""The ledger in Django admin can be read and not changed."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from auditlog import checkpoints
from auditlog.models import ChainHead, Checkpoint, Event
from jitportal.models import User
from tests.auditlog.conftest import Append


@pytest.mark.parametrize("model", [Event, Checkpoint])
def test_nothing_can_be_added_changed_or_deleted(model: type) -> None:
    request = RequestFactory().get("/")
    shown = admin.site._registry[model]
    assert not shown.has_add_permission(request)
    assert not shown.has_change_permission(request)
    assert not shown.has_delete_permission(request)
    assert not shown.actions


def test_the_head_is_not_there_at_all() -> None:
    assert not admin.site.is_registered(ChainHead)


def test_an_admin_can_list_search_filter_and_open(client: Client, admin: User, append: Append) -> None:
    append()
    checkpoints.make()
    client.force_login(admin)
    for page in (
        "/admin/auditlog/event/",
        "/admin/auditlog/event/?q=Ada",
        "/admin/auditlog/event/?action=grant.active",
        "/admin/auditlog/event/1/change/",
        "/admin/auditlog/checkpoint/",
        "/admin/auditlog/checkpoint/?q=1",
        "/admin/auditlog/checkpoint/1/change/",
    ):
        assert client.get(page).status_code == 200, page
    for page in ("/admin/auditlog/event/add/", "/admin/auditlog/event/1/delete/"):
        assert client.post(page).status_code == 403, page
    assert client.post("/admin/auditlog/event/1/change/", {"actor": "forged"}).status_code == 403
    assert Event.objects.get(pk=1).actor != "forged"


def test_an_engineer_does_not_see_it(client: Client, engineer: User, append: Append) -> None:
    append()
    client.force_login(engineer)
    assert client.get("/admin/auditlog/event/").status_code in (302, 403)


@pytest.mark.parametrize("search", ["a " * 3000, "a" * 10_000, "a\x1bb", '"' * 500])
def test_a_search_that_is_too_much_is_no_failure(client: Client, admin: User, append: Append, search: str) -> None:
    append()
    checkpoints.make()
    client.force_login(admin)
    for page in ("/admin/auditlog/event/", "/admin/auditlog/checkpoint/"):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page, {"q": search}).status_code == 200
        assert max(len(query["sql"]) for query in queries) < 10_000


@pytest.mark.parametrize(
    "parameters",
    [
        {"subject_id__exact": "\x00"},
        {"action": "\x00"},
        {"q": "\x00"},
        {"canonical__regex": "("},
        {"hash__startswith": "a"},
        {"number__gt": "9" * 30},
        {"number": "1"},
    ],
)
def test_what_no_page_offers_is_refused(
    client: Client, admin: User, append: Append, parameters: dict[str, str]
) -> None:
    append()
    client.force_login(admin)
    for page in ("/admin/auditlog/event/", "/admin/auditlog/checkpoint/"):
        assert client.get(page, parameters).status_code == 400


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [({"action": "request.teleported"}, 0), ({"p": "zz"}, 1), ({"o": "x.-99"}, 1)],
)
def test_a_filter_that_makes_no_sense_is_no_failure(
    client: Client, admin: User, append: Append, parameters: dict[str, str], shown: int
) -> None:
    append()
    client.force_login(admin)
    response = client.get("/admin/auditlog/event/", parameters)
    assert response.status_code == 200
    assert response.context["cl"].result_count == shown


@pytest.mark.parametrize("number", ["zzz", "9" * 30, "-1"])
def test_a_number_that_there_is_not_leads_back(client: Client, admin: User, append: Append, number: str) -> None:
    append()
    client.force_login(admin)
    assert client.get(f"/admin/auditlog/event/{number}/change/").status_code == 302
    assert client.get("/admin/auditlog/checkpoint/", {"q": number}).status_code == 200
