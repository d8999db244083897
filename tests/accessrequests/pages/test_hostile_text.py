"""What people and directories write is shown as written, and never becomes markup; the policy of the browser holds."""

import re

import pytest

from catalog.models import Environment, Role
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7|add:7 }}"
# Written where nothing may stand: an element of ours that became an element of theirs.
MARKUP = re.compile(r"<script>alert|<img src=x")


@pytest.fixture
def hostile(office: Office) -> str:
    """A request with hostile text wherever somebody could write it; its page."""
    Role.objects.update(name=EVIL[:80], description=EVIL)
    Environment.objects.update(description=EVIL)
    office.catalog.two_stages.name = EVIL[:110]
    office.catalog.two_stages.save()
    user = office.user(company.ADA)
    user.name, user.department = EVIL, EVIL
    user.save()
    office.catalog.developer.refresh_from_db()
    made = office.submit_production(reason=EVIL)
    office.decide(made, company.CHIARA, comment=EVIL)
    return f"/requests/{made.pk}/"


def test_hostile_text_stays_text_on_every_page(hostile: str, browse: Browse) -> None:
    for person in (company.ADA, company.FARID, company.CHIARA, company.INES):
        client = browse(person)
        new = "/requests/new/?role=developer&environment=production"
        for page in ("/", "/?all", "/catalog/", f"/catalog/?q={EVIL}", "/requests/new/", new, "/approvals/", hostile):
            answer = client.get(page)
            assert answer.status_code == 200
            assert not MARKUP.search(text(answer)), page


def test_hostile_text_is_shown_whole(hostile: str, browse: Browse) -> None:
    page = text(browse(company.FARID).get(hostile))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7|add:7 }}" in page


def test_a_refused_form_gives_hostile_text_back_as_text(hostile: str, browse: Browse) -> None:
    page = text(browse(company.FARID).post(f"{hostile}decide/", {"answer": EVIL, "comment": EVIL, "digest": EVIL}))
    assert not MARKUP.search(page)
    assert "&lt;script&gt;" in page


def test_no_page_asks_the_browser_to_run_or_style_anything_inline(hostile: str, browse: Browse) -> None:
    for page in ("/", "/catalog/", "/requests/new/", "/approvals/", hostile, "/requests/nothing/"):
        answer = browse(company.FARID).get(page)
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        markup = answer.content.decode()
        assert not re.search(r"<[^>]*\s(style|on[a-z]+)=", re.sub(r"&lt;.*?&gt;", "", markup))
        assert not re.search(r"<style|<script(?![^>]*\ssrc=)", markup)


def test_a_name_of_500_characters_and_one_from_right_to_left_fit(office: Office, browse: Browse) -> None:
    user = office.user(company.ADA)
    made = office.submit_production()
    for name in ("x" * 500, "\u202eבדיקה של שם"):
        user.name = name
        user.save()
        for client in (browse(company.ADA), browse(company.CHIARA)):
            assert f"<bdi>{name}</bdi>" in text(client.get(f"/requests/{made.pk}/"))
