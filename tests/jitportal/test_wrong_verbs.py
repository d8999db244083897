"""Whoever opens the address of a form gets a page, and the way back from there."""

import uuid

import pytest
from django.conf import settings
from django.test import Client

from jitportal.models import User

pytestmark = pytest.mark.django_db
SOME: uuid.UUID = uuid.UUID("00000000-0000-4000-8000-000000000001")


@pytest.fixture
def browser() -> Client:
    user = User.objects.create(
        tenant_id=settings.ENTRA_TENANT_ID, object_id=str(SOME), user_name="a@example.com", name="A"
    )
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


@pytest.mark.parametrize(
    ("address", "back"),
    [
        (f"/requests/{SOME}/revoke/", f"/requests/{SOME}/"),
        (f"/requests/{SOME}/decide/", f"/requests/{SOME}/"),
        (f"/findings/{SOME}/adopt/", "/findings/"),
        ("/audit/verify/", "/audit/"),
        ("/sign-out/", "/"),
    ],
)
def test_an_address_that_takes_a_form_says_so_and_leads_back(browser: Client, address: str, back: str) -> None:
    answer = browser.get(address)
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]
    body = answer.content.decode()
    assert "Nothing was changed." in body
    assert f'class="button" href="{back}"' in body


def test_other_verbs_get_no_page(browser: Client) -> None:
    assert browser.delete("/sign-out/").content == b""
