"""Requests, decisions, grants, assignments, messages and people stand in the admin to be read, and only that."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from simple_history.models import HistoricalChanges

from accessrequests.models import AccessRequest, Assignment, Decision, Grant, Notification
from accessrequests.refusals import Refused
from accessrequests.states import GrantStatus
from auditlog.models import Event
from jitportal.demo import organisation as company
from jitportal.models import User
from tests.accessrequests.conftest import Office

RECORDS = [AccessRequest, Decision, Grant, Assignment, Notification, User]


def sign_in(client: Client, office: Office) -> None:
    """Signs an admin in; again where more time has gone by than a session outlasts."""
    administrator = next(
        person for person in company.PEOPLE if settings.ENTRA_ADMIN_GROUP_ID in {g.object_id for g in person.groups}
    )
    client.logout()
    client.force_login(office.user(administrator), backend=settings.AUTHENTICATION_BACKENDS[0])


@pytest.fixture
def reader(office: Office) -> Client:
    """An admin's browser."""
    client = Client()
    sign_in(client, office)
    return client


@pytest.fixture
def request_in_life(office: Office) -> AccessRequest:
    """A request that was approved and is active."""
    request = office.approve(office.submit_production())
    office.work()
    return office.again(request)


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def columns(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_each_can_be_listed_and_opened(reader: Client, request_in_life: AccessRequest) -> None:
    for model in RECORDS:
        row = model._default_manager.order_by("pk").first()
        assert row is not None, model
        assert reader.get(address(model, "changelist")).status_code == 200
        assert reader.get(address(model, "change", row.pk)).status_code == 200
        assert reader.get(address(model, "history", row.pk)).status_code == 200


@pytest.mark.parametrize("model", RECORDS)
def test_none_can_be_added_changed_or_deleted(
    reader: Client, request_in_life: AccessRequest, model: type[Model]
) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    before, count, events = columns(row), model._default_manager.count(), Event.objects.count()
    sent = {"status": "ended", "name": "Forged", "is_active": "", "answer": "approve", "post": "yes", "_save": "Save"}
    for page in (address(model, "add"), address(model, "change", row.pk), address(model, "delete", row.pk)):
        assert reader.post(page, sent).status_code == 403, page
    assert reader.get(address(model, "add")).status_code == 403
    row.refresh_from_db()
    assert (columns(row), model._default_manager.count(), Event.objects.count()) == (before, count, events)


def test_none_can_be_deleted_in_bulk(reader: Client, request_in_life: AccessRequest) -> None:
    for model in RECORDS:
        keys = [str(row.pk) for row in model._default_manager.all()]
        assert keys
        chosen = {"_selected_action": keys, "index": "0", "select_across": "1"}
        reader.post(address(model, "changelist"), {"action": "delete_selected", "post": "yes", **chosen})
        assert model._default_manager.count() == len(keys)


@pytest.mark.parametrize("model", [AccessRequest, Decision, Grant, Assignment])
def test_none_goes_back_to_an_old_version(reader: Client, request_in_life: AccessRequest, model: Any) -> None:
    row = model.objects.order_by("pk").first()
    before, versions = columns(row), row.history.count()
    oldest = row.history.earliest("history_id")
    page = address(model, "simple_history", row.pk, oldest.history_id)
    assert reader.get(page).status_code == 200
    for sent in ({}, {"_save": "Revert"}, {"_change_history": "1"}):
        assert reader.post(page, sent).status_code == 403
    row.refresh_from_db()
    assert (columns(row), row.history.count()) == (before, versions)


def test_no_version_is_in_the_admin_by_itself() -> None:
    assert not [model for model in admin.site._registry if issubclass(model, HistoricalChanges)]


def test_a_request_leads_to_its_own_page(reader: Client, request_in_life: AccessRequest) -> None:
    page = reader.get(address(AccessRequest, "change", request_in_life.pk)).content.decode()
    assert reverse("request", args=[request_in_life.pk]) in page


def test_lists_lead_to_where_access_is_revoked_while_it_can_be(
    reader: Client, office: Office, request_in_life: AccessRequest
) -> None:
    page = reverse("request", args=[request_in_life.pk])
    over = office.submit_production()
    office.decide(over, company.CHIARA, "deny", "Not now.")
    for model in (AccessRequest, Grant):
        assert f'<a href="{page}#revoke">See or revoke</a>' in reader.get(address(model, "changelist")).content.decode()
    assignment = office.grant(request_in_life).assignment
    assert f'{page}#revoke"' in reader.get(address(Assignment, "change", assignment.pk)).content.decode()
    shown = reader.get(address(AccessRequest, "changelist")).content.decode()
    assert f'<a href="{reverse("request", args=[over.pk])}">See</a>' in shown
    there = reader.get(page).content.decode()
    form = there[there.index('id="revoke"') :]
    assert f'action="{reverse("request-revoke", args=[request_in_life.pk])}"' in form
    assert "<details" not in form[: form.index("</form>")]


def test_the_record_leads_to_the_page_of_each_request_that_was_made(
    reader: Client, office: Office, request_in_life: AccessRequest
) -> None:
    with pytest.raises(Refused):
        office.submit_production(ticket="none")
    events = Event.objects.filter(subject_kind="request")
    refused = events.get(action="request.refused").subject_id
    page = reader.get(reverse("audit")).content.decode()
    assert f'href="{reverse("request", args=[request_in_life.pk])}">Its page</a>' in page
    assert f'href="{reverse("request", args=[refused])}"' not in page


def test_a_request_shows_its_stages_decisions_and_grants(reader: Client, request_in_life: AccessRequest) -> None:
    page = reader.get(address(AccessRequest, "change", request_in_life.pk)).content.decode()
    for decision in request_in_life.decisions.all():
        assert decision.decided_by.name in page
    for grant in request_in_life.grants.all():
        assert str(grant.account) in page
    assert 'name="grants-MAX_NUM_FORMS" value="0"' in page, "no row can be added"


def test_overdue_grants_can_be_picked_out(reader: Client, office: Office, request_in_life: AccessRequest) -> None:
    page = address(Grant, "changelist") + "?overdue=yes"
    assert "0 grants" in reader.get(page).content.decode()
    grant = office.grant(request_in_life)
    assert grant.status == GrantStatus.ACTIVE
    office.moment.forward(request_in_life.duration + settings.OVERDUE_AFTER + timedelta(seconds=1))
    sign_in(reader, office)
    assert "1 grant" in reader.get(page).content.decode()


@pytest.mark.parametrize("page", ["admin:index", "admin:catalog_role_changelist", "audit", "home"])
def test_what_is_overdue_stands_on_top_of_the_page(
    reader: Client, office: Office, request_in_life: AccessRequest, page: str
) -> None:
    assert "should have been gone" not in reader.get(reverse(page)).content.decode()
    office.moment.forward(request_in_life.duration + settings.OVERDUE_AFTER + timedelta(seconds=1))
    sign_in(reader, office)
    assert "should have been gone by now is not known to be: 1 grant." in reader.get(reverse(page)).content.decode()


def test_whatever_is_searched_for_gets_an_answer(reader: Client, request_in_life: AccessRequest) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    for words in ("Ada", "a'b\"c%_\\", "12345678", "\u202e", "x" * 3000, nobody):
        for model in RECORDS:
            assert reader.get(address(model, "changelist"), {"q": words}).status_code == 200, (model, words)


def test_a_request_is_found_by_its_id_and_by_its_person(reader: Client, request_in_life: AccessRequest) -> None:
    for words in (str(request_in_life.pk), request_in_life.short_id, request_in_life.requester.name):
        assert (
            request_in_life.short_id in reader.get(address(AccessRequest, "changelist"), {"q": words}).content.decode()
        )


def test_a_person_is_found_by_object_id_and_shown_with_their_groups(reader: Client, office: Office) -> None:
    ada = office.user(company.ADA)
    page = reader.get(address(User, "changelist"), {"q": ada.object_id}).content.decode()
    assert ada.name in page
    assert "Payments Engineering" in page
    assert "1 person" in page


def test_a_crafted_filter_is_harmless(reader: Client, request_in_life: AccessRequest) -> None:
    for query in (
        "status__exact=nonsense",
        "environment__id__exact=x",
        "requester__session_key__startswith=a",
        "o=99.x",
        "p=999999",
        "_to_field=secret",
    ):
        response = reader.get(f"{address(AccessRequest, 'changelist')}?{query}")
        assert response.status_code in (200, 302, 400), query


def test_a_longer_list_asks_the_database_no_more(reader: Client, office: Office) -> None:
    def queries() -> dict[type[Model], int]:
        counts = {}
        for model in RECORDS:
            with CaptureQueriesContext(connection) as captured:
                assert reader.get(address(model, "changelist")).status_code == 200
            counts[model] = len(captured)
        return counts

    def some_requests() -> None:
        for account in office.catalog.production_accounts:
            office.approve(office.submit_production(accounts=[account]))
        office.work()

    some_requests()
    queries()
    few = queries()
    some_requests()
    some_requests()
    assert queries() == few
    assert max(few.values()) <= 20
