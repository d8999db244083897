"""The page of an object's versions tells what changed in words, with the stages of a policy."""

import re
from html import unescape

from django.test import Client

from catalog.models import ApproverGroup, DirectoryGroup
from tests.catalog.conftest import Catalog, Fill


def changes_told(client: Client, page: str) -> list[str]:
    """The lines of changes of the newest version on the page of versions, as a reader sees them."""
    shown = client.get(page.replace("change/", "history/")).content.decode()
    shown = re.findall(r"<tr>.*?</tr>", shown[shown.index('id="change-history"') :], re.DOTALL)[1]
    lines = re.findall(r"<li><strong>.*?</li>", shown, re.DOTALL)
    return [" ".join(unescape(re.sub("<[^>]+>", "", line)).split()) for line in lines]


def test_a_change_of_terms_and_stages_is_told_in_words(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    other = DirectoryGroup.objects.create(object_id="b0000000-0000-4000-8000-000000000009", name="Data")
    sent = fill(page, longest_duration="4h", requestable_by=[other.pk], why="Eight hours were never needed.") | {
        "stages-TOTAL_FORMS": "2",
        "stages-1-policy": catalog.policy.pk,
        "stages-1-position": "2",
        "stages-1-approver_group": catalog.approver_group.pk,
        "stages-1-approvals_needed": "2",
    }
    assert admin_client.post(page, sent).status_code == 302
    leads = "Payments leads [Payments engineers]"
    assert sorted(changes_told(admin_client, page)) == [
        f"Approval stages: 1. 1 of {leads} → 1. 1 of {leads}; 2. 2 of {leads}",
        "Longest duration: 8h → 4h",
        "Requestable by: Payments engineers → Data",
    ]


def test_one_change_is_one_version_and_a_new_object_is_created(
    admin_client: Client, catalog: Catalog, fill: Fill
) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    other = DirectoryGroup.objects.create(object_id="b0000000-0000-4000-8000-000000000009", name="Data")
    before = admin_client.get(page.replace("change/", "history/")).content.decode().count("<tr>")
    sent = fill(page, longest_duration="4h", requestable_by=[other.pk], closed_to=[catalog.group.pk])
    assert admin_client.post(page, sent).status_code == 302
    shown = admin_client.get(page.replace("change/", "history/")).content.decode()
    assert shown.count("<tr>") == before + 1
    add = "/admin/catalog/approvergroup/add/"
    assert admin_client.post(add, fill(add, name="Others", directory_groups=[other.pk])).status_code == 302
    made = ApproverGroup.objects.get(name="Others")
    shown = admin_client.get(f"/admin/catalog/approvergroup/{made.pk}/history/").content.decode()
    assert [shown.count(said) for said in ('data-label="What"', 'data-label="What">Created<')] == [1, 1]


def test_choices_and_switches_are_told_by_their_words(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/environment/{catalog.environment.pk}/change/"
    assert admin_client.post(page, fill(page, sensitivity="3", description="What customers use.")).status_code == 302
    told = changes_told(admin_client, page)
    assert "Sensitivity: Production → Staging" in told
    assert "Description: nothing → What customers use." in told
    role = f"/admin/catalog/role/{catalog.role.pk}/change/"
    assert admin_client.post(role, fill(role, is_offered=None)).status_code == 302
    assert changes_told(admin_client, role) == ["Offered: yes → no"]
