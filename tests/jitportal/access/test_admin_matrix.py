"""The admin opens to admins alone; what is a record there can be read and not changed, by them neither."""

from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from jitportal.models import User
from tests.jitportal.access import table
from tests.jitportal.access.conftest import World, state

OUTSIDERS = sorted(frozenset(table.KINDS) - table.ADMINS)


def names_in_admin() -> set[str]:
    """The names of all addresses of the admin; the two without one lead on, or are its catch-all."""
    patterns = [each for each in get_resolver().url_patterns if getattr(each, "app_name", "") == "admin"]
    found: set[str] = set()
    while patterns:
        each = patterns.pop()
        if isinstance(each, URLPattern):
            found.add(each.name or "")
        else:
            patterns += each.url_patterns
    return found - {""}


def test_the_table_names_every_address_of_the_admin() -> None:
    models_named = table.EDITED | table.READ
    assert {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry} == models_named
    possible = table.ADMIN_PAGES | {f"{model}_{page}" for model in models_named for page in table.MODEL_PAGES}
    assert names_in_admin() <= possible


def addresses(world: World) -> dict[str, str]:
    """Every page of the admin that a row or a model has, by its name; a row is any that is there."""
    named = names_in_admin()
    found = {}
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        for page in ("changelist", "add"):
            found[f"{name}_{page}"] = reverse(f"admin:{name}_{page}")
        if row is not None:
            for page in ("history", "delete", "change"):
                found[f"{name}_{page}"] = reverse(f"admin:{name}_{page}", args=[row.pk])
            if f"{name}_simple_history" in named and (version := version_of(row)):
                found[f"{name}_simple_history"] = reverse(f"admin:{name}_simple_history", args=[row.pk, version])
    return found


def version_of(row: models.Model) -> object:
    newest = row.history.first()  # type: ignore[attr-defined]
    return newest.pk if newest else None


def test_nobody_but_an_admin_gets_past_its_door(world: World) -> None:
    everywhere = [*addresses(world).values(), *map(reverse, ("admin:index", "admin:jsi18n", "admin:autocomplete"))]
    # Those next to the door try every address; the others share them out.
    others = [who for who in OUTSIDERS if who not in (table.ANONYMOUS, table.COMPLIANCE)]
    tries = {who: everywhere[number :: len(others)] for number, who in enumerate(others)}
    for who in OUTSIDERS:
        browser = world.client(who)
        for address in tries.get(who, everywhere):
            for answer in (browser.get(address), browser.post(address, {"name": "Mine now", "post": "yes"})):
                if who in table.NOBODY:
                    assert answer.status_code == 302, (who, address)
                    assert answer.headers["Location"].startswith(("/sign-in/", "/admin/login/")), (who, address)
                else:
                    assert answer.status_code == 403, (who, address)


def test_an_admin_reads_all_and_edits_the_catalog_alone(world: World) -> None:
    for who in table.ADMINS:
        reads_all_and_edits_the_catalog(world, world.client(who))


def reads_all_and_edits_the_catalog(world: World, browser: Client) -> None:
    for name, address in addresses(world).items():
        model, _, page = name.rpartition("_") if not name.endswith("simple_history") else (name[:-15], "", "history")
        wanted = 403 if model in table.READ and page in ("add", "delete") else 200
        assert browser.get(address).status_code == wanted, name


def test_nothing_that_an_admin_sends_changes_a_record(world: World) -> None:
    browser, before = world.client(table.ADMIN), state()
    for name, address in addresses(world).items():
        model = next(each for each in table.READ | table.EDITED if name.startswith(f"{each}_"))
        if model in table.READ and not name.endswith(("changelist", "history")):
            sent = {"status": "active", "reason": "Mine", "is_active": "on", "post": "yes", "_save": "Save"}
            assert browser.post(address, sent).status_code == 403, name
    assert state() == before
    assert User.objects.filter(is_active=False).count() == 1
