"""A person signs in through every page on the way, and out again."""

from dataclasses import replace

import pytest
from celery.signals import before_task_publish
from pytest_django import Settings

from auditlog.models import Event
from jitportal.demo.directory import Directory, DirectoryServer
from jitportal.models import User
from tests.browser import Browser
from tests.directory import ADMINS, APPROVER, ENGINEER, PAYMENTS, PLATFORM, is_signed_in, pick, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_first_sign_in_makes_the_person_and_goes_on_to_the_page_they_wanted(browser: Browser) -> None:
    page = sign_in(browser, ENGINEER, "/catalog/")
    assert (page.status_code, page.url) == (200, f"{browser.home}/catalog/")
    person = User.objects.get()
    assert (person.object_id, person.name, person.user_name) == (
        ENGINEER.object_id,
        "Erin Engineer",
        "erin@example.com",
    )
    assert (person.email, person.department) == ("erin@example.com", "Payments")
    assert person.group_ids == {PAYMENTS.object_id}


def test_a_first_sign_in_is_recorded_as_three_events(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    events = Event.objects.order_by("number")
    assert [event.action for event in events] == [
        "person.created",
        "person.groups_changed",
        "person.signed_in",
    ]
    assert {event.actor for event in events} == {f"person:{ENGINEER.object_id}"}
    assert events[1].data["joined"] == [PAYMENTS.object_id]


def test_a_second_sign_in_records_only_itself(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    sign_in(Browser(browser.home), ENGINEER)
    assert User.objects.count() == 1
    assert Event.objects.latest("number").action == "person.signed_in"
    assert Event.objects.count() == 4


def test_a_change_in_the_directory_arrives_with_the_next_sign_in(browser: Browser, directory: Directory) -> None:
    sign_in(browser, ENGINEER)
    directory.add(replace(ENGINEER, name="Erin Married", department="Cards", groups=(PLATFORM, ADMINS)))
    sign_in(Browser(browser.home), ENGINEER)
    person = User.objects.get()
    assert (person.name, person.department) == ("Erin Married", "Cards")
    assert person.group_ids == {PLATFORM.object_id, ADMINS.object_id}
    changed, signed_in = Event.objects.order_by("number")[3:]
    assert changed.data["left"] == [PAYMENTS.object_id]
    assert sorted(changed.data["joined"]) == sorted([PLATFORM.object_id, ADMINS.object_id])
    assert signed_in.data["changes"] == {
        "name": ["Erin Engineer", "Erin Married"],
        "department": ["Payments", "Cards"],
    }


def test_the_session_key_is_another_after_sign_in(browser: Browser, settings: Settings) -> None:
    callback = pick(browser, ENGINEER)
    before = browser.session.cookies[settings.SESSION_COOKIE_NAME]
    browser.get(callback)
    after = browser.session.cookies[settings.SESSION_COOKIE_NAME]
    assert before != after
    stolen = Browser(browser.home)
    stolen.session.cookies.set(settings.SESSION_COOKIE_NAME, before)
    assert not is_signed_in(stolen)


def test_another_person_who_signs_in_with_the_same_browser_ends_the_first_ones_session(
    browser: Browser,
) -> None:
    callback = pick(browser, APPROVER)
    other = sign_in(browser, ENGINEER)
    assert "Erin Engineer" in other.text
    assert "Ari Approver" in browser.get(callback).text
    ended = Event.objects.get(action="person.signed_out")
    assert ended.subject_id == ENGINEER.object_id


def test_whoever_is_signed_in_goes_straight_on_from_the_sign_in_page(browser: Browser) -> None:
    sign_in(browser, ENGINEER)
    assert browser.get("/sign-in/?next=/catalog/").url == f"{browser.home}/catalog/"


def test_the_sign_in_page_has_one_button_and_no_password(browser: Browser) -> None:
    text = browser.get("/sign-in/").text
    assert text.count("<button") == 1
    assert "Sign in with Entra ID" in text
    assert "password" not in text.lower()


def test_two_tabs_can_both_finish_their_sign_in(browser: Browser) -> None:
    first = pick(browser, ENGINEER)
    second = pick(browser, ENGINEER)
    assert "Erin Engineer" in browser.get(second).text
    assert "Erin Engineer" in browser.get(first).text


def test_a_first_sign_in_asks_for_a_sync_and_waits_for_nothing(
    browser: Browser, directory_server: DirectoryServer
) -> None:
    sent: list[str] = []

    def note(sender: str, **_: object) -> None:
        sent.append(sender)

    directory_server.graph.permissions.clear()
    before_task_publish.connect(note)
    try:
        assert sign_in(browser, ENGINEER).status_code == 200
        assert sent == ["jitportal.tasks.sync_people"]
        User.objects.update(to_check=False)
        sign_in(Browser(browser.home), ENGINEER)
        assert len(sent) == 1
    finally:
        before_task_publish.disconnect(note)
