"""Who gets to see a page: what is not yours looks like what is not there."""

import re
import uuid
from urllib.parse import unquote

import pytest
from django.test import Client

from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text, typed

PAGES = ("/", "/?all", "/catalog/", "/requests/new/", "/approvals/")
VERBS = ("decide", "withdraw", "give-back", "revoke")


@pytest.mark.parametrize("page", [*PAGES, f"/requests/{uuid.uuid4()}/"])
@pytest.mark.django_db
def test_anonymous_people_are_led_to_sign_in_and_back(page: str) -> None:
    answer = Client().get(page)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("person", [company.ADA, company.HUGO, company.INES, company.JONAS], ids=lambda p: p.name)
def test_everybody_signed_in_may_open_the_pages_of_their_own(browse: Browse, person: Person, page: str) -> None:
    assert browse(person).get(page).status_code == 200


@pytest.mark.parametrize(
    ("person", "status"),
    [
        (company.ADA, 200),
        (company.CHIARA, 200),
        (company.FARID, 200),
        (company.INES, 200),
        (company.JONAS, 200),
        (company.BEN, 404),
        (company.HUGO, 404),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_request_shows_itself_to_whom_it_concerns(
    office: Office, browse: Browse, person: Person, status: int
) -> None:
    made = office.submit_production()
    assert browse(person).get(f"/requests/{made.pk}/").status_code == status


def test_a_request_of_others_looks_like_one_that_does_not_exist(office: Office, browse: Browse) -> None:
    made, ben = office.submit_production(), browse(company.BEN)
    there, nowhere = ben.get(f"/requests/{made.pk}/"), ben.get(f"/requests/{uuid.uuid4()}/")
    assert (there.status_code, _without_tokens(text(there))) == (nowhere.status_code, _without_tokens(text(nowhere)))


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_on_requests_of_others_are_not_found(office: Office, browse: Browse, verb: str) -> None:
    made = office.submit_production()
    answer = browse(company.BEN).post(f"/requests/{made.pk}/{verb}/", {"answer": "approve", "reason": "because"})
    assert answer.status_code == 404
    assert office.again(made).status == "pending"


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_take_nothing_but_post(office: Office, asker: Client, verb: str) -> None:
    made = office.submit_production()
    assert asker.get(f"/requests/{made.pk}/{verb}/").status_code == 405
    assert office.again(made).status == "pending"


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_need_the_proof_that_our_page_sent_them(office: Office, verb: str) -> None:
    made = office.submit_production()
    client = Client(enforce_csrf_checks=True)
    client.force_login(office.user(company.ADA))
    answer = client.post(f"/requests/{made.pk}/{verb}/")
    assert answer.status_code == 403
    assert "Nothing was changed" in text(answer)
    assert office.again(made).status == "pending"


def test_a_form_sent_after_the_session_ended_leads_back_and_says_so(office: Office) -> None:
    made, nobody = office.submit_production(), Client()
    answer = nobody.post(f"/requests/{made.pk}/decide/", {"answer": "approve"})
    assert answer["Location"] == f"/sign-in/?next=/requests/{made.pk}/"
    assert "nothing was sent" in text(nobody.get("/sign-in/"))
    back = nobody.post("/requests/new/", typed(office))["Location"]
    assert unquote(back) == "/sign-in/?next=/requests/new/?role=developer&environment=production"


def test_a_poll_after_the_session_ended_moves_the_whole_page(office: Office) -> None:
    made = office.submit_production()
    answer = Client().get(f"/requests/{made.pk}/", HTTP_HX_REQUEST="true")
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == f"/sign-in/?next=/requests/{made.pk}/"


def test_the_navigation_has_what_a_person_may_open(browse: Browse) -> None:
    links = {
        person.name: {link for link in ("/audit/", "/admin/") if f'href="{link}"' in text(browse(person).get("/"))}
        for person in (company.ADA, company.INES, company.JONAS)
    }
    assert links == {
        company.ADA.name: set(),
        company.INES.name: {"/audit/", "/admin/"},
        company.JONAS.name: {"/audit/"},
    }


def _without_tokens(markup: str) -> str:
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", markup)
