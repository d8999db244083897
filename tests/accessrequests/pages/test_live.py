"""Pages that renew themselves: the same address, only the part that lives, nothing if nothing changed."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from auditlog.actor import Actor
from jitportal.demo import organisation as company
from jitportal.signin import local_admins
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response


def poll(client: Client, page: str, seen: str = "") -> "Response":
    return client.get(page, {"seen": seen}, HTTP_HX_REQUEST="true")


def seen_in(markup: str) -> str:
    found = re.search(r'hx-get="[^"]*\?seen=([0-9a-f]+)"', markup)
    assert found
    return found[1]


def test_a_poll_gets_the_fragment_and_caches_keep_the_two_apart(office: Office, asker: Client) -> None:
    page = f"/requests/{office.submit_production().pk}/"
    for address in ("/", page):
        whole, part = asker.get(address), poll(asker, address)
        assert "<html" in text(whole)
        assert "<html" not in text(part)
        assert 'id="live"' in text(part)
        for answer in (whole, part):
            assert "HX-Request" in answer["Vary"]
            assert "no-store" in answer["Cache-Control"]


def test_nothing_is_sent_as_long_as_nothing_changed(office: Office, asker: Client) -> None:
    made = office.submit_production()
    for address in ("/", f"/requests/{made.pk}/"):
        seen = seen_in(text(asker.get(address)))
        assert poll(asker, address, seen).status_code == 204
    seen = seen_in(text(asker.get(f"/requests/{made.pk}/")))
    office.decide(made, company.CHIARA)
    assert poll(asker, f"/requests/{made.pk}/", seen).status_code == 200


def test_a_page_that_is_open_is_told_of_a_local_administrator_and_when_they_are_gone(
    office: Office, asker: Client
) -> None:
    made = office.submit_production()
    for address in ("/", f"/requests/{made.pk}/"):
        seen = seen_in(text(asker.get(address)))
        local_admins.open_for(timedelta(hours=1), "Nobody can sign in at present.", Actor.system("test"))
        told = text(poll(asker, address, seen))
        assert '<div id="banners" hx-swap-oob="true"><aside class="banner" aria-label="Local administration">' in told
        assert told.count("is open until") == text(asker.get(address)).count("is open until") == 1
        assert poll(asker, address, seen_in(told)).status_code == 204
        local_admins.end_all(Actor.system("test"), "It is over.")
        assert '<div id="banners" hx-swap-oob="true"></div>' in text(poll(asker, address, seen_in(told)))


def test_a_final_request_is_not_asked_about_again(office: Office, asker: Client) -> None:
    made = office.submit_production()
    assert "hx-get" in text(asker.get(f"/requests/{made.pk}/"))
    asker.post(f"/requests/{made.pk}/withdraw/")
    assert "hx-get" not in text(asker.get(f"/requests/{made.pk}/"))
    assert "hx-get" not in text(asker.get("/"))


def test_a_poll_leaves_the_form_alone_while_it_still_applies(office: Office, browse: Browse) -> None:
    made, emma = office.submit_production(), browse(company.EMMA)
    address = f"/requests/{made.pk}/"
    verbs = re.compile(r'id="(verbs-[0-9a-f]+)" class="stack verbs" hx-preserve')
    first = verbs.findall(text(emma.get(address)))
    type(made).objects.filter(pk=made.pk).update(trouble="Something else changed.")
    assert verbs.findall(text(poll(emma, address))) == first
    office.decide(made, company.CHIARA)
    assert verbs.findall(text(poll(emma, address))) != first


@pytest.mark.parametrize("seen", ["", "x" * 5000, "\x00", "<script>"])
def test_a_poll_that_has_seen_nonsense_gets_the_fragment(office: Office, asker: Client, seen: str) -> None:
    office.submit_production()
    assert poll(asker, "/", seen).status_code == 200
