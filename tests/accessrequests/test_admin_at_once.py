"""Whoever edits the catalog keeps nobody waiting who asks, signs in or ends access by the rows that are edited."""

from threading import Event as Moment
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client

from accessrequests import workflow
from accessrequests.states import RequestStatus
from catalog import changes
from catalog.models import AccountRule
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_second_admin(settings: Any) -> None:
    settings.SENSITIVE_FROM = None


def sent_back(client: Client, page: str) -> dict[str, Any]:
    """What a browser would send that changes the name."""
    form = client.get(page).context["adminform"].form
    values = {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    return {**{name: "on" if value is True else value for name, value in values.items()}, "name": "Another name"}


@pytest.mark.services
@pytest.mark.parametrize("kind", ["role", "account"])
def test_an_ask_goes_through_while_what_it_names_is_saved(
    office: Office, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    office.moment.close()
    ada, ines = office.user(company.ADA), office.user(company.INES)
    client = Client()
    client.force_login(ines, backend=settings.AUTHENTICATION_BACKENDS[0])
    row: Any = office.catalog.developer if kind == "role" else office.catalog.sandbox_accounts[0]
    page = f"/admin/catalog/{kind}/{row.pk}/change/"
    data = sent_back(client, page)
    has_locked, has_asked = Moment(), Moment()
    save = changes.save

    def save_later(**options: Any) -> bool:
        has_locked.set()
        assert has_asked.wait(20), "the ask waits for the row"
        return save(**options)

    monkeypatch.setattr(changes, "save", save_later)
    answers: list[int] = []

    def post() -> None:
        try:
            answers.append(client.post(page, data).status_code)
        finally:
            connections.close_all()

    saving = Thread(target=post)
    saving.start()
    assert has_locked.wait(20)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        asked = workflow.submit(ada.pk, office.form())
    has_asked.set()
    saving.join()
    assert (answers, asked.status) == ([302], RequestStatus.APPROVED)


def test_saving_a_rule_moves_no_account_while_everybody_waits_for_the_record(office: Office) -> None:
    client = Client()
    client.force_login(office.user(company.INES), backend=settings.AUTHENTICATION_BACKENDS[0])
    account = office.catalog.sandbox_accounts[0]
    account.put_by, account.ou_path = "rule", "Workloads/Sandbox"
    account.save()
    environment = account.environment
    assert environment is not None
    page = f"/admin/catalog/environment/{environment.pk}/change/"
    rule = {"account_rules-TOTAL_FORMS": "1", "account_rules-0-ou_path": "Workloads/Production"}
    rules = {"account_rules-INITIAL_FORMS": "0", "account_rules-MIN_NUM_FORMS": "0", "account_rules-MAX_NUM_FORMS": "9"}
    answer = client.post(page, {**sent_back(client, page), **rules, **rule}, follow=True)
    assert f"{account} leaves" in answer.content.decode()
    assert AccountRule.objects.count() == 1
    account.refresh_from_db()
    assert account.environment_id == environment.pk
