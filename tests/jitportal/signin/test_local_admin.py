"""Break-glass sign-in for the portal itself: one link, one browser, a few hours, and everybody sees it."""

import hashlib
import json
import logging
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from auditlog.actor import Actor
from auditlog.models import Event
from catalog import people
from catalog.models import DirectoryGroup
from catalog.offers import offers_for
from jitportal import logs
from jitportal.demo.directory import Directory
from jitportal.models import LocalAdministrator, User
from jitportal.signin import local_admins
from jitportal.tasks import end_local_admins
from tests.browser import Browser
from tests.conftest import Clock
from tests.directory import ENGINEER, is_signed_in, known, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Entra ID has been away since eight."


def opened(lasts: str = "1h") -> str:
    """The path of the link that the command prints."""
    said = StringIO()
    call_command("local_admin", duration=lasts, reason=WHY, stdout=said)
    (link,) = (word for word in said.getvalue().split() if "/sign-in/local/" in word)
    return "/" + link.split("/", 3)[3]


def used(link: str) -> Client:
    """A browser that the link has let in."""
    browser = Client()
    assert browser.post(link).status_code == 302
    return browser


def actions() -> list[str]:
    return list(
        Event.objects.filter(action__startswith="local_admin").order_by("number").values_list("action", flat=True)
    )


@pytest.mark.parametrize("lasts", ["0h", "4m 59s", "4h 1s", "1d", "-1h", "for ever", "", "1h 1h"])
def test_a_time_that_cannot_be_is_refused_and_opens_nothing(lasts: str) -> None:
    with pytest.raises(CommandError, match=r"lasts from 5 minutes to 4 hours|Write a duration"):
        call_command("local_admin", f"--for={lasts}", f"--reason={WHY}")
    assert not LocalAdministrator.objects.exists()


@pytest.mark.parametrize("why", ["", "because", "x" * 501, "Entra is\u202e away today", "Entra is \x1b[2J away"])
def test_without_a_reason_that_can_be_read_nothing_is_opened(why: str) -> None:
    with pytest.raises(CommandError, match=r"Say why|type the text afresh"):
        call_command("local_admin", duration="1h", reason=why)
    assert not LocalAdministrator.objects.exists()


def test_the_link_is_kept_nowhere_but_as_what_it_hashes_to() -> None:
    secret = opened().split("/")[-2]
    assert len(secret) >= 43
    assert LocalAdministrator.objects.get().link_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert not Event.objects.filter(canonical__contains=secret).exists()


def test_who_only_looks_at_the_link_uses_nothing_up(browser: Browser) -> None:
    link = opened()
    for _ in range(3):
        page = browser.get(link)
        assert page.status_code == 200
        assert "Sign in as local administrator" in page.text
        assert "password" not in page.text.lower()
    assert not is_signed_in(browser)
    assert actions() == ["local_admin.opened"]


def test_the_button_lets_one_browser_in_once(browser: Browser, directory: Directory) -> None:
    link = opened()
    browser.get(link)
    other = Browser(browser.home)
    other.get(link)
    waiting = other.form(link)
    page = browser.send(browser.form(link))
    assert page.url == f"{browser.home}/admin/"
    assert browser.get("/admin/catalog/role/add/").status_code == 200
    for refused in (other.send(waiting), other.get(link), browser.get(link)):
        assert refused.status_code == 403
        assert "It works once." in refused.text
    assert not is_signed_in(other)
    assert actions() == ["local_admin.opened", "local_admin.used", "local_admin.refused"]
    assert Event.objects.latest("number").data["rule"] == "local-admin.used"
    other.close()


def test_another_site_cannot_use_the_link(browser: Browser) -> None:
    link = opened()
    browser.get(link)
    form = browser.form(link)
    form.fields.clear()
    assert browser.send(form).status_code == 403
    assert actions() == ["local_admin.opened"]


def test_a_link_that_was_made_up_is_refused_and_fills_no_record() -> None:
    opened()
    for answer in (Client().get("/sign-in/local/made-up/"), Client().post("/sign-in/local/made-up/")):
        assert answer.status_code == 403
        assert "no such link" in answer.content.decode()
    assert actions() == ["local_admin.opened"]


def test_a_link_whose_time_is_over_lets_nobody_in_and_that_is_recorded(moment: Clock) -> None:
    link = opened()
    moment.forward(timedelta(hours=1))
    browser = Client()
    assert browser.post(link).status_code == 403
    assert browser.get("/").status_code == 302
    assert Event.objects.latest("number").data["rule"] == "local-admin.over"


def test_the_session_ends_at_the_moment_that_was_set_by_the_clock_of_the_database(moment: Clock) -> None:
    # This machine's own clock is days ahead of the one that counts, and ends nothing.
    link = opened("30m")
    browser = used(link)
    moment.forward(timedelta(minutes=30) - timedelta(seconds=1))
    assert browser.get("/admin/").status_code == 200
    moment.forward(timedelta(seconds=1))
    answer = browser.get("/catalog/", follow=True)
    assert answer.redirect_chain == [("/sign-in/?next=/catalog/", 302)]
    assert "Your time as local administrator is over." in answer.content.decode()


def test_its_end_is_recorded_once_by_itself(moment: Clock) -> None:
    used(opened("30m"))
    end_local_admins()
    assert actions() == ["local_admin.opened", "local_admin.used"]
    moment.forward(timedelta(minutes=31))
    for _ in range(2):
        end_local_admins()
    assert actions() == ["local_admin.opened", "local_admin.used", "local_admin.ended"]
    assert "the time was over" in Event.objects.latest("number").sentence
    assert not User.objects.get().is_active


def test_the_command_ends_it_at_once_with_its_session() -> None:
    browser = used(opened())
    waiting = opened()
    call_command("local_admin", end=True, reason="Entra ID is back again.", stdout=StringIO())
    assert browser.get("/").status_code == 302
    assert Client().post(waiting).status_code == 403
    assert actions().count("local_admin.ended") == 2
    with pytest.raises(CommandError, match="No local administrator is open"):
        call_command("local_admin", end=True)


def test_signing_out_ends_it_without_the_directory(settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = (
        "http://127.0.0.1:9/nobody"
    )
    browser = used(opened())
    assert browser.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert actions()[-1] == "local_admin.ended"
    assert local_admins.standing() == []


def test_who_leaves_the_browser_alone_is_signed_out_and_it_ends(moment: Clock) -> None:
    browser = used(opened("4h"))
    browser.get("/")
    moment.forward(timedelta(minutes=61))
    assert browser.get("/").status_code == 302
    assert actions()[-1] == "local_admin.ended"


def test_a_session_of_somebody_else_in_the_same_browser_ends_first(settings: Settings) -> None:
    browser = Client()
    browser.force_login(known(ENGINEER, settings.ENTRA_TENANT_ID))
    browser.post(opened())
    signed_out = Event.objects.get(action="person.signed_out")
    assert signed_out.actor_name == ENGINEER.name
    assert "Local administrator" in browser.get("/you/").content.decode()


def test_every_page_tells_everybody_that_one_is_open_and_the_reason_to_those_who_answer_for_it(
    browser: Browser, directory: Directory
) -> None:
    sign_in(browser, ENGINEER)
    assert "Local administration" not in browser.get("/").text
    local = used(opened())
    for address in ("/", "/catalog/", "/you/"):
        page = browser.get(address).text
        assert 'aria-label="Local administration"' in page
        assert WHY not in page
    for address in ("/", "/admin/", "/admin/catalog/role/", "/audit/"):
        page = local.get(address).content.decode()
        assert WHY in page
        assert "That is you" in page
    assert "Local administration" not in Browser(browser.home).get("/sign-in/").text


def test_monitors_read_of_it_and_the_portal_stays_ready() -> None:
    assert Client().get("/readyz").json()["local administration"] == "ok"
    before = Client().get("/readyz").status_code
    opened()
    answer = Client().get("/readyz")
    assert answer.json()["local administration"].startswith("open until ")
    assert answer.status_code == before


def test_an_alarm_is_logged_when_it_is_opened_used_and_for_as_long_as_it_is_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    used(opened())
    end_local_admins()
    alarms = [line.getMessage() for line in caplog.records if line.levelno == logging.ERROR]
    for event in ("local_admin_opened", "local_admin_used", "local_admin_open"):
        assert any(event in alarm for alarm in alarms), event


def test_the_secret_of_a_link_is_not_in_the_log() -> None:
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter(for_people=False, colours=False))
    logging.getLogger("django.request").addHandler(handler)
    try:
        Client().post("/sign-in/local/made-up/")
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert json.loads(written.getvalue())["event"] == "Forbidden: /sign-in/local/…/"


def test_nothing_is_offered_to_a_local_administrator_whatever_group_they_are_put_in() -> None:
    _, made = local_admins.open_for(timedelta(hours=1), WHY, Actor.system("test"))
    group = DirectoryGroup.objects.create(object_id=ENGINEER.groups[0].object_id, name="Payments")
    made.person.directory_groups.add(group)
    person = people.load(made.person_id)
    assert (person.is_admin, person.is_compliance, person.is_local) == (True, False, True)
    assert offers_for(person) == ()
    browser = Client()
    browser.force_login(made.person)
    assert "A local administrator asks for no access." in browser.get("/requests/new/").content.decode()
    assert "asks for no access" in browser.get("/catalog/").content.decode()
