"""Active access leads into its account through AWS's access portal."""

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accessrequests.notifications import outbox
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text

PORTAL = "https://harbour.awsapps.com/start"


@pytest.fixture(autouse=True)
def access_portal(settings: Settings) -> None:
    settings.AWS_ACCESS_PORTAL_URL = PORTAL


def test_active_access_has_a_link_to_its_account_with_its_permission_set(office: Office, asker: Client) -> None:
    request = office.submit()
    before = text(asker.get(f"/requests/{request.pk}/"))
    office.work()
    account, permission_set = request.accounts.get(), request.permission_set
    address = f"{PORTAL}/#/console?account_id={account.account_id}&amp;role_name={permission_set.name}"
    assert PORTAL not in before
    assert f'href="{address}"' in text(asker.get(f"/requests/{request.pk}/"))
    assert f'href="{address}"' in text(asker.get("/"))


def test_no_link_is_left_once_the_access_has_ended(office: Office, asker: Client) -> None:
    request = office.submit()
    office.work()
    office.pass_time(hours=1)
    assert PORTAL not in text(asker.get(f"/requests/{request.pk}/"))
    assert PORTAL not in text(asker.get("/"))


def test_others_who_see_the_request_are_not_led_to_access_that_is_not_theirs(office: Office, browse: Browse) -> None:
    request = office.submit()
    office.work()
    assert PORTAL not in text(browse(company.INES).get(f"/requests/{request.pk}/"))


def test_the_mail_says_until_when_and_where(office: Office) -> None:
    office.submit()
    office.work()
    outbox.send_due(office.moment.time)
    body = next(sent.body for sent in mail.outbox if "AWS has confirmed it" in sent.body)
    assert "Until:" in body
    assert f"Open it in AWS: {PORTAL}\n" in body


def test_without_an_access_portal_there_is_no_link(office: Office, asker: Client, settings: Settings) -> None:
    settings.AWS_ACCESS_PORTAL_URL = ""
    request = office.submit()
    office.work()
    assert "Open in AWS" not in text(asker.get(f"/requests/{request.pk}/"))
