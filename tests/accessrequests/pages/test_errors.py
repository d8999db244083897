"""Error pages say what happened, what was kept and what to do, and need nothing that may itself be broken."""

import pytest
from django.http import HttpRequest
from django.template.loader import get_template
from django.test import Client
from django.views.defaults import bad_request, server_error

from tests.accessrequests.pages.conftest import text


@pytest.mark.parametrize("page", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_an_error_page_needs_neither_a_request_nor_a_database(page: str) -> None:
    shown = get_template(page).render()
    assert "<h1>" in shown
    assert 'href="/"' in shown


def test_a_failure_of_ours_says_that_nothing_is_done_by_half() -> None:
    answer = server_error(HttpRequest())
    assert answer.status_code == 500
    assert "either carried out whole or not at all" in text(answer)


def test_what_cannot_be_read_is_answered_with_words() -> None:
    answer = bad_request(HttpRequest(), ValueError("secret detail"))
    assert answer.status_code == 400
    assert "Nothing was changed" in text(answer)
    assert "secret detail" not in text(answer)


def test_an_unknown_address_is_answered_with_words(asker: Client) -> None:
    answer = asker.get("/no/such/page/")
    assert answer.status_code == 404
    assert "the portal does not say which" in text(answer)


def test_too_many_fields_are_answered_with_words(asker: Client) -> None:
    answer = asker.post("/requests/new/", {f"field{number}": "x" for number in range(1100)})
    assert answer.status_code == 400
    assert "could not read that" in text(answer)
