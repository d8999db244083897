"""Two rows never have names that a reader would take for the same."""

import pytest
from django.test import Client

from catalog import names
from catalog.models import AccessPolicy, Role
from tests.catalog.conftest import Catalog, Fill, errors

ADD = "/admin/catalog/role/add/"
ROLE = {"slug": "other", "description": "Something."}


@pytest.mark.parametrize(
    "name", ["production support", "PRODUCTION  Support ", "Production\u00a0Support", "Ｐroduction Support"]
)
def test_a_name_that_differs_only_by_case_spaces_or_width_is_refused(
    admin_client: Client, catalog: Catalog, fill: Fill, name: str
) -> None:
    said = errors(admin_client.post(ADD, fill(ADD, **ROLE, name=name)))
    assert said["name"] == ["There is one by this name already: “Production Support”."]


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u202e", "\u00ad", "\ufeff", "\ufe0f", "\u034f", "\u3164", "\u2800", "\x07"]
)
def test_an_invisible_character_is_refused_and_named(
    admin_client: Client, catalog: Catalog, fill: Fill, hidden: str
) -> None:
    said = errors(admin_client.post(ADD, fill(ADD, **ROLE, name=f"Production{hidden} Support")))
    assert "invisible character (U+" in said["name"][0]


def test_what_was_typed_is_not_lost_when_it_is_refused(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = admin_client.post(ADD, fill(ADD, **ROLE, name="production support")).content.decode()
    assert "production support" in page
    assert "Something." in page


def test_a_name_is_kept_tidy(admin_client: Client, fill: Fill) -> None:
    admin_client.post(ADD, fill(ADD, **ROLE, name="  Data \t Engineer  "))
    assert Role.objects.get().name == "Data Engineer"


def test_a_role_can_be_saved_under_its_own_name(admin_client: Client, catalog: Catalog, fill: Fill) -> None:
    page = f"/admin/catalog/role/{catalog.role.pk}/change/"
    assert admin_client.post(page, fill(page, name="Production support")).status_code == 302


def test_a_name_of_dots_is_no_name() -> None:
    with pytest.raises(ValueError, match="letter or a digit"):
        names.tidy("...")


def test_a_description_may_have_lines_but_not_turn_round_its_text(admin_client: Client, fill: Fill) -> None:
    said = errors(admin_client.post(ADD, fill(ADD, name="A", slug="a", description="safe \u202e gnihton")))
    assert "control character (U+202E)" in said["description"][0]
    assert admin_client.post(ADD, fill(ADD, name="A", slug="a", description="One.\nTwo.")).status_code == 302


@pytest.mark.parametrize("hidden", ["\x1b", "\u202e", "\u200b"])
def test_a_ticket_pattern_hides_nothing(admin_client: Client, catalog: Catalog, fill: Fill, hidden: str) -> None:
    page = f"/admin/catalog/accesspolicy/{catalog.policy.pk}/change/"
    said = errors(admin_client.post(page, fill(page, ticket_pattern=f"PAY{hidden}-[0-9]{{4}}")))
    assert "invisible character (U+" in said["ticket_pattern"][0]
    assert not AccessPolicy.objects.exclude(ticket_pattern="").exists()


def test_what_is_printed_keeps_its_lines_and_their_places_but_nothing_unseen() -> None:
    assert (
        names.printable("  a\x1b[2J\n\tb\r\u202e\n\u0645\u06cc\u200c\u062e")
        == "  a[2J\n        b\n\u0645\u06cc\u200c\u062e"
    )
