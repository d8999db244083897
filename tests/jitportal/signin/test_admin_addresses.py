"""Whatever stands in an address of the admin, the answer is a page or a refusal, and soon."""

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accessrequests.models import AccessRequest
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office, catalog, groups, office, user  # noqa: F401

pytestmark = pytest.mark.django_db
REQUESTS = "/admin/accessrequests/accessrequest/"
PICKER = "/admin/autocomplete/?app_label=catalog&model_name=accesspolicy&field_name=role"


@pytest.fixture
def client(office: Office) -> Client:  # noqa: F811
    """An administrator's browser, which is shown errors as a page."""
    browser = Client(raise_request_exception=False)
    browser.force_login(office.user(company.INES))
    return browser


@pytest.mark.parametrize(
    "address",
    [
        f"{REQUESTS}?q=%00",
        f"{REQUESTS}?reason__contains=%00",
        f"{REQUESTS}?status__exact=%00",
        f"{REQUESTS}?%00=1",
        f"{REQUESTS}%00/change/",
        f"{REQUESTS}%00/history/",
        f"{PICKER}&term=%00",
        "/admin/catalog/role/%00/change/",
        "/admin/catalog/role/1/history/%00/",
        "/admin/auditlog/event/?subject_id__exact=%00",
        "/admin/%00",
    ],
)
def test_a_character_that_no_database_keeps_is_refused(client: Client, address: str) -> None:
    assert client.get(address).status_code in (400, 404)


@pytest.mark.parametrize(
    "query",
    [
        "reason__regex=(",
        "reason__iregex=(a%2B)%2B$",
        "reason=x",
        "requester__session_key__startswith=a",
        "requester__name=Ada",
        "status__regex=a",
        "status__exact__regex=a",
        "environment__id__exact__gt=1",
        "environment__accounts__name=x",
        "role__policies__name=x",
        "nothing=1",
        "pk=1",
    ],
)
def test_a_list_is_filtered_by_what_its_filters_offer_and_by_nothing_else(client: Client, query: str) -> None:
    assert client.get(f"{REQUESTS}?{query}").status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "/admin/jitportal/user/?session_key__startswith=a",
        "/admin/jitportal/user/?session_key=a",
        "/admin/auditlog/event/?number__gt=99999999999999999999999",
        "/admin/auditlog/event/?canonical__regex=(",
        "/admin/auditlog/checkpoint/?signature__startswith=a",
        "/admin/catalog/account/?email__regex=(",
        "/admin/accessrequests/notification/?recipient__session_key=a",
    ],
)
def test_no_field_of_any_model_can_be_guessed_letter_by_letter(client: Client, address: str) -> None:
    assert client.get(address).status_code == 400


def test_every_filter_that_a_list_offers_works(client: Client, office: Office) -> None:  # noqa: F811
    office.submit_production()
    followed = 0
    for model in admin.site._registry:
        shown = client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
        assert shown.status_code == 200, model
        for spec in shown.context["cl"].filter_specs:
            for choice in spec.choices(shown.context["cl"]):
                followed += 1
                assert client.get(f"{shown.request['PATH_INFO']}{choice['query_string']}").status_code == 200, choice
    assert followed > 40


@pytest.mark.parametrize(
    "query",
    ["environment__id__exact=zzz", "environment__id__exact=9" + "9" * 30, "p=zzz", "o=zzz", "status__exact=zzz"],
)
def test_a_filter_with_a_value_that_cannot_be_is_no_error(client: Client, query: str) -> None:
    assert client.get(f"{REQUESTS}?{query}").status_code in (200, 302)


@pytest.mark.parametrize("model", ["accessrequests/accessrequest", "catalog/role", "jitportal/user", "auditlog/event"])
def test_a_row_that_cannot_be_is_not_found(client: Client, model: str) -> None:
    for row in ("zzz", "_00", "9" * 30, "-1", "1e3", "a0000000-0000-4000-8000-000000000001"):
        for page in ("change", "history", "history/1", "history/zzz", "delete"):
            address = f"/admin/{model}/{row}/{page}/"
            assert client.get(address).status_code in (302, 403, 404), address


@pytest.mark.parametrize("version", ["zzz", "9" * 30, "%00", "-1", "_00"])
def test_a_version_that_cannot_be_is_not_found(client: Client, office: Office, version: str) -> None:  # noqa: F811
    row = office.catalog.developer.pk
    assert client.get(f"/admin/catalog/role/{row}/history/{version}/").status_code in (400, 404)


def test_the_way_to_a_page_of_something_that_cannot_be_ends_in_not_found(client: Client) -> None:
    kind = ContentType.objects.get_for_model(AccessRequest).pk
    for address in (f"/admin/r/{kind}/zzz/", "/admin/r/zzz/1/", f"/admin/r/{'9' * 30}/1/", f"/admin/r/{kind}/_00/"):
        assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", [f"{REQUESTS}?q=", "/admin/auditlog/event/?q=", f"{PICKER}&term="])
def test_a_search_of_thousands_of_words_asks_for_ten(client: Client, address: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address + "%20".join(["ab"] * 3000)).status_code == 200
    assert max(len(query["sql"]) for query in asked) < 20_000


def test_a_search_finds_what_it_names(client: Client, office: Office) -> None:  # noqa: F811
    made = office.submit_production(reason="Settlement queue is stuck again.")
    office.submit_production(person=company.BEN, reason="Something else entirely.")
    page = client.get(f"{REQUESTS}?q=settlement stuck").content.decode()
    assert made.short_id in page
    assert page.count("field-requester") == 1


def test_the_catalog_comes_first_in_the_admin(client: Client) -> None:
    shown = client.get("/admin/").context["app_list"]
    assert [app["app_label"] for app in shown] == ["catalog", "accessrequests", "auditlog", "jitportal"]
    assert [app["app_label"] for app in client.get("/admin/catalog/").context["app_list"]] == ["catalog"]
