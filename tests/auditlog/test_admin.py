"""The ledger in Django admin can be read and not changed."""

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

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
