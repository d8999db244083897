"""What a file manages is shown in the admin with the name of the file, and nobody changes or deletes it there."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from auditlog.models import Event
from catalog import policy_forms
from catalog.ascode import writer
from catalog.models import Account
from tests.catalog.ascode.conftest import applied
from tests.catalog.conftest import Catalog, Fill

KINDS = ("role", "environment", "account", "approver_group", "policy", "group")


def page_of(catalog: Catalog, kind: str, verb: str = "change") -> str:
    row = getattr(catalog, kind)
    return f"/admin/catalog/{row._meta.model_name}/{row.pk}/{verb}/"


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_shown_and_refuses_to_be_changed(admin_client: Client, catalog: Catalog, fill: Fill, kind: str) -> None:
    sent = fill(page_of(catalog, kind), name="Another name")
    applied(writer.export(), "platform.yaml")
    events = Event.objects.count()
    shown = admin_client.get(page_of(catalog, kind))
    assert b"The file <strong>platform.yaml</strong> manages this" in shown.content
    assert b'name="_save"' not in shown.content
    assert b'name="why"' not in shown.content
    assert admin_client.post(page_of(catalog, kind), sent).status_code == 403
    assert Event.objects.count() == events


@pytest.mark.parametrize("kind", KINDS)
def test_it_refuses_to_be_deleted(admin_client: Client, catalog: Catalog, kind: str) -> None:
    applied(writer.export())
    page = page_of(catalog, kind, "delete")
    assert admin_client.get(page).status_code == 403
    assert admin_client.post(page, {"post": "yes"}).status_code == 403
    assert type(getattr(catalog, kind)).objects.filter(pk=getattr(catalog, kind).pk).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_who_would_delete_it_reads_which_file_manages_it(admin_client: Client, catalog: Catalog, kind: str) -> None:
    applied(writer.export())
    for answer in (
        admin_client.get(page_of(catalog, kind, "delete")),
        admin_client.post(page_of(catalog, kind, "delete"), {"post": "yes"}),
    ):
        said = answer.content.decode()
        assert "The file <strong>catalog.yaml</strong> manages this" in said
        assert "manage.py catalog release catalog.yaml" in said
        assert "groups in Entra ID" not in said
        assert "Ada Admin" in said


def test_it_is_shown_in_the_words_of_its_file(admin_client: Client, catalog: Catalog) -> None:
    catalog.policy.longest_duration = timedelta(hours=1, minutes=30)
    catalog.policy.save()
    applied(writer.export())
    page = admin_client.get(page_of(catalog, "policy")).content.decode()
    said = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for words in ("Longest duration 1h 30m", "In force yes", "Approval stages 1. 1 of Payments leads"):
        assert words in said, said
    assert "1:30:00" not in page
    assert "icon-yes" not in page


def test_its_stages_refuse_to_be_changed_alone(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    sent = fill(page_of(catalog, "policy"), **{"stages-0-approvals_needed": "2"})
    applied(writer.export())
    assert admin_client.post(page_of(catalog, "policy"), sent).status_code == 403
    catalog.stage.refresh_from_db()
    assert catalog.stage.approvals_needed == 1


def test_no_form_but_that_of_a_file_changes_it(catalog: Catalog) -> None:
    applied(writer.export())
    catalog.policy.refresh_from_db()
    form: Any = policy_forms.AccessPolicyForm({"name": "Another name"}, instance=catalog.policy)
    assert "The file catalog.yaml manages this" in str(form.errors["__all__"])


def test_what_is_released_is_the_admins_again(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    applied(writer.export())
    applied("version: 1\n")
    page = page_of(catalog, "role")
    assert b"manages this" not in admin_client.get(page).content
    assert admin_client.post(page, fill(page, name="Another name")).status_code == 302
    catalog.role.refresh_from_db()
    assert catalog.role.name == "Another name"


def test_what_no_file_names_is_added_and_changed_as_before(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    applied(writer.export())
    other = Account.objects.create(account_id="222222222222", name="Other")
    page = f"/admin/catalog/account/{other.pk}/change/"
    assert b'name="_save"' in admin_client.get(page).content
    assert admin_client.post(page, fill(page, name="Third")).status_code == 302
    other.refresh_from_db()
    assert (other.name, other.managed_by_file) == ("Third", None)
    new = "/admin/catalog/role/add/"
    assert admin_client.post(new, fill(new, name="Auditor", slug="auditor", description="x")).status_code == 302
    assert type(catalog.role).objects.get(slug="auditor").managed_by_file is None
