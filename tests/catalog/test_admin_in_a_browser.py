"""The admin's own scripts work under the portal's strict Content-Security-Policy."""

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from catalog.models import AccessPolicy, Role
from jitportal.models import User
from tests.catalog.conftest import Catalog, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(live_server: LiveServer, admin_person: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrowserContext]:
    """An admin's browser; it fails the test if a page complains of anything."""
    # Playwright runs a loop of its own in this thread, and Django takes any loop for an asynchronous view.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    client = signed_in(admin_person)
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox", "--no-proxy-server"]
        )
        context = chromium.new_context(base_url=live_server.url)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        context.on("console", listen)
        context.on("weberror", lambda error: said.append(str(error.error)))
        yield context
        chromium.close()
        # While Playwright's loop runs, Django gives this thread a connection of its own, that nobody else would close.
        connections.close_all()
    assert said == []


def choose(page: Page, field: str, text: str) -> None:
    """Chooses from a list that is searched on the server."""
    page.locator(f".field-{field} .select2-selection:visible").last.click()
    page.keyboard.type(text)
    page.locator(".select2-results__option", has_text=text).first.click()


def test_an_admin_adds_a_policy_with_stages_by_searching_and_clicking(
    browser: BrowserContext, catalog: Catalog
) -> None:
    page = browser.new_page()
    page.goto("/admin/catalog/accesspolicy/add/")
    page.get_by_label("Name:").fill("Second policy")
    choose(page, "role", "Production Support")
    choose(page, "environment", "Production")
    choose(page, "permission_set", "Support")
    choose(page, "requestable_by", "Payments")
    page.get_by_label("Longest duration:").fill("90m")
    page.get_by_text("Add another stage").click()
    choose(page, "approver_group", "Payments")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    policy = AccessPolicy.objects.get(name="Second policy")
    assert [str(stage) for stage in policy.stages.all()] == ["1. 1 of Payments leads"]


def test_the_form_of_a_policy_shows_what_its_choices_leave_to_be_said_and_sends_nothing_else(
    browser: BrowserContext, catalog: Catalog
) -> None:
    page = browser.new_page()
    page.goto(f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/")
    rows = {name: page.locator(f".form-row.field-{name}") for name in ("automatic_up_to", "on_call_schedule")}
    choice, limit = page.locator("#id_automatic_approval"), page.locator("#id_automatic_up_to")
    for chosen, shown in (("never", []), ("up_to", ["automatic_up_to"]), ("on_call", list(rows)), ("always", [])):
        choice.select_option(chosen)
        assert [name for name, row in rows.items() if row.is_visible()] == shown, chosen
    expect(page.locator(".form-row.field-step_up_for")).to_be_hidden()
    page.locator("#id_step_up_context").select_option("c1")
    expect(page.locator(".form-row.field-step_up_for")).to_be_visible()
    page.locator("#id_step_up_context").select_option("")
    choice.select_option("up_to")
    limit.fill("30m")
    choice.select_option("never")
    page.get_by_label("Longest duration:").fill("90m")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Nothing is saved yet").or_(page.get_by_text("was changed successfully")).wait_for()
    assert page.locator('input[name="automatic_up_to"]').count() == 0


def test_without_a_script_the_form_of_a_policy_shows_all_there_is_to_say(
    live_server: LiveServer, admin_person: User, catalog: Catalog
) -> None:
    page = signed_in(admin_person).get(f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/").content.decode()
    for name in ("automatic_up_to", "on_call_schedule", "on_call_group", "step_up_for", "step_up_longest_age"):
        row = page.partition(f"field-{name}")[0].rpartition("<div")[2]
        assert "hidden" not in row


def test_an_admin_adds_a_role_in_a_window_beside_the_policy(browser: BrowserContext, catalog: Catalog) -> None:
    page = browser.new_page()
    page.goto("/admin/catalog/accesspolicy/add/")
    with page.expect_popup() as opened:
        page.locator("#add_id_role").click()
    window = opened.value
    window.get_by_label("Name:").type("Data Engineer")
    assert window.get_by_label("Slug:").input_value() == "data-engineer"
    window.get_by_label("Description:").fill("Mends pipelines.")
    with window.expect_event("close"):
        window.get_by_role("button", name="Save").click()
    page.locator(".field-role .select2-selection", has_text="Data Engineer").wait_for()
    assert Role.objects.filter(name="Data Engineer").exists()


def test_stages_are_in_view_with_their_labels_on_a_phone(browser: BrowserContext, catalog: Catalog) -> None:
    page = browser.new_page()
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/")
    page.get_by_text("Add another stage").click()
    stages = page.locator("#stages-group")
    for label in ("Position", "Approver group", "Approvals needed", "Escalates after"):
        expect(stages.get_by_text(f"{label}:", exact=True).filter(visible=True)).to_have_count(2)
    expect(stages.get_by_label("Approvals needed:").filter(visible=True)).to_have_count(2)
    boxes = stages.locator("input, .select2-container").filter(visible=True).all()
    assert max(box["x"] + box["width"] for each in boxes if (box := each.bounding_box())) <= 360 - 15


def test_lists_filters_history_and_deletion_open_without_complaint(browser: BrowserContext, catalog: Catalog) -> None:
    page = browser.new_page()
    for address in (
        "/admin/",
        "/admin/catalog/",
        "/admin/catalog/accesspolicy/?q=payments&is_in_force__exact=1",
        f"/admin/catalog/accesspolicy/{catalog.policy.pk}/history/",
        f"/admin/catalog/accesspolicy/{catalog.policy.pk}/delete/",
        "/admin/accessrequests/grant/?overdue=yes",
        "/admin/jitportal/user/",
    ):
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, address
        page.wait_for_load_state("load")
