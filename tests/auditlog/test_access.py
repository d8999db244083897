"""Who may see the audit pages: compliance and admins, nobody else."""

import pytest
from django.test import Client

from auditlog.models import Event
from jitportal.models import User
from tests.auditlog.conftest import person

PAGES = ("/audit/", "/audit/export.csv", "/audit/export.jsonl", "/audit/checkpoints.json")


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_the_anonymous_are_sent_to_sign_in(client: Client, page: str) -> None:
    response = client.get(page)
    assert (response.status_code, response["Location"]) == (302, f"/sign-in/?next={page}")


@pytest.mark.parametrize("page", PAGES)
def test_an_engineer_is_refused(client: Client, engineer: User, page: str) -> None:
    client.force_login(engineer)
    assert client.get(page).status_code == 403
    assert not Event.objects.exists()


@pytest.mark.parametrize("page", PAGES)
def test_compliance_and_admins_are_let_in(client: Client, compliance: User, admin: User, page: str) -> None:
    for who in (compliance, admin):
        client.force_login(who)
        assert client.get(page).status_code == 200


def test_an_engineer_may_not_start_a_verification(client: Client, engineer: User) -> None:
    client.force_login(engineer)
    assert client.post("/audit/verify/").status_code == 403


def test_somebody_who_was_locked_out_is_not_let_in(client: Client, settings: pytest.FixtureRequest, db: None) -> None:
    locked = person("Lars Locked", settings.ENTRA_COMPLIANCE_GROUP_ID)  # type: ignore[attr-defined]
    client.force_login(locked)
    locked.is_active = False
    locked.save()
    assert client.get("/audit/").status_code in (302, 403)


def test_somebody_who_left_the_group_is_not_let_in(client: Client, compliance: User) -> None:
    client.force_login(compliance)
    compliance.directory_groups.clear()
    assert client.get("/audit/").status_code == 403


def test_a_verification_needs_a_token_against_forgery(compliance: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(compliance)
    assert client.post("/audit/verify/").status_code == 403


def test_a_page_is_not_kept_by_the_browser(client: Client, compliance: User) -> None:
    client.force_login(compliance)
    assert "no-store" in client.get("/audit/")["Cache-Control"]
