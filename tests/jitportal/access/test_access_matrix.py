"""Nobody gets anything at any address, in any state, that the table does not give them; and the table names all."""

import uuid
from datetime import timedelta
from itertools import product
from typing import Any

from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accessrequests import drift, findings
from accessrequests.models import Finding
from catalog import people, proposals
from catalog.forms import newest_version
from catalog.models import Proposal
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import by_hand, key_of
from tests.jitportal.access import table
from tests.jitportal.access.conftest import World, opened, sent

Cells = dict[tuple[str, ...], tuple[table.Got, table.Got]]


def names_in(resolver: URLResolver) -> set[str | None]:
    found: set[str | None] = set()
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            found |= set() if each.app_name == "admin" else names_in(each)
        elif isinstance(each, URLPattern):
            found.add(each.name)
    return found


def test_the_table_names_every_address() -> None:
    known = {
        "request",
        "proposal",
        *table.PROPOSAL_VERBS,
        *table.PAGES,
        *table.OPEN,
        *table.SESSION,
        *table.ALIASES,
        *table.VERBS,
        *table.FINDING_VERBS,
    }
    assert names_in(get_resolver()) == known | set(table.OTHER_VERBS)


def test_every_page_is_shown_to_those_it_is_for_and_to_nobody_else(world: World, cells: Cells) -> None:
    for who in table.KINDS:
        browser = world.client(who)
        for name in table.PAGES:
            cells[name, who] = opened(browser, reverse(name)), table.expected_of_page(name, who)
        for name in table.OPEN:
            # Whoever is signed in is led on from the sign-in page; a machine whose clock stands still is not ready.
            assert browser.get(reverse(name)).status_code in (200, *((302,) if name == "sign-in" else (503,))), name


def test_the_catalog_is_explained_of_others_only_to_its_readers(world: World, cells: Cells) -> None:
    for who, question in product(table.KINDS, table.QUESTIONS):
        asked = f"{reverse('explain')}?ask={question}"
        shown = table.Got.SHOWN if who in table.QUESTIONS[question] else table.Got.FORBIDDEN
        cells["explain", question, who] = (
            opened(world.client(who), asked),
            table.Got.SIGN_IN if who in table.NOBODY else shown,
        )


def test_a_request_is_shown_to_those_it_concerns_whatever_its_state(world: World, cells: Cells) -> None:
    for who in table.KINDS:
        browser = world.client(who)
        wanted = table.Got.SHOWN if who in table.CONCERNED else table.Got.NOT_FOUND
        for status, made in world.requests.items():
            got = opened(browser, reverse("request", args=[made.pk]))
            cells["request", who, status] = got, table.Got.SIGN_IN if who in table.NOBODY else wanted


def test_a_verb_does_something_only_for_those_who_may_and_when_they_may(world: World, cells: Cells) -> None:
    for who, name in product(table.KINDS, table.VERBS):
        browser = world.client(who)
        for status, made in world.requests.items():
            got = sent(browser, reverse(name, args=[made.pk]), filled_in(name, made.digest))
            cells[name, who, status] = got, table.expected_of_verb(name, who, status)


def filled_in(name: str, digest: str) -> dict[str, Any]:
    """What a well-meant form of this verb has."""
    if name == "request-decide":
        return {"answer": "approve", "comment": "Go ahead.", "digest": digest}
    if name == "request-extend":
        reason = "It takes a little longer than thought."
        return {"id": str(uuid.uuid4()), "duration": "600", "reason": reason, "ticket": "INC-4711"}
    return {"reason": "Because the table says so."}


def test_a_verb_on_what_does_not_exist_finds_nothing(world: World) -> None:
    for who, name in product(sorted(table.CONCERNED), (*table.VERBS, *table.FINDING_VERBS)):
        answer = world.client(who).post(reverse(name, args=[uuid.uuid4()]), {"reason": "Because."})
        assert answer.status_code == (403 if name in table.FINDING_VERBS and who not in table.READERS else 404)


def test_a_verb_is_not_carried_out_by_opening_its_address(world: World) -> None:
    for name in set(table.VERBS) - {"request-extend"}:
        for who in sorted(table.CONCERNED):
            assert world.client(who).get(reverse(name, args=[world.requests["active"].pk])).status_code == 405


def test_an_ask_is_made_only_by_those_whom_a_policy_names(world: World, cells: Cells) -> None:
    account = world.office.catalog.production_accounts[1].account_id
    for who in table.KINDS:
        reason = f"The ask of the {who}."
        ask = {"id": str(uuid.uuid4()), "role": "developer", "environment": "production", "accounts": [account]}
        ask |= {"duration": "3600", "when": "now", "zone": "UTC", "reason": reason, "ticket": "INC-4711"}
        got = sent(world.client(who), reverse("request-new"), ask)
        may = table.Got.DONE if who in table.OTHER_VERBS["request-new"] else table.Got.REFUSED
        cells["request-new", who] = got, table.Got.SIGN_IN if who in table.NOBODY else may


def test_the_record_is_verified_by_its_readers_only(world: World) -> None:
    for who in table.KINDS:
        answer = world.client(who).post(reverse("audit-verify"))
        leads_to = answer.headers.get("Location", "")
        if who in table.OTHER_VERBS["audit-verify"]:
            assert leads_to == reverse("audit"), who
        else:
            assert leads_to.startswith("/sign-in/") if who in table.NOBODY else answer.status_code == 403, who


def test_leavers_are_confirmed_by_admins_only(world: World) -> None:
    for who in table.KINDS:
        answer = world.client(who).post(reverse("confirm-leavers"), {"reason": "Because of the table."})
        leads_to = answer.headers.get("Location", "")
        if who in table.OTHER_VERBS["confirm-leavers"]:
            assert leads_to == reverse("admin:index"), who
        else:
            assert leads_to.startswith("/sign-in/") if who in table.NOBODY else answer.status_code == 403, who


def test_people_are_locked_out_and_let_in_by_admins_only(world: World, cells: Cells) -> None:
    rows = {"person-lock": world.office.user(company.HUGO), "person-unlock": world.office.user(company.GRACE)}
    for who, (name, row) in product(table.KINDS, rows.items()):
        got = sent(world.client(who), reverse(name, args=[row.object_id]), {"reason": "Because of the table."})
        may = table.Got.DONE if who in table.OTHER_VERBS[name] else table.Got.FORBIDDEN
        cells[name, who] = got, table.Got.SIGN_IN if who in table.NOBODY else may


def test_what_an_admin_proposed_is_settled_by_other_admins_only(world: World, cells: Cells) -> None:
    proposer = world.office.user(company.HUGO)
    proposer.directory_groups.add(*world.office.user(company.INES).directory_groups.all())
    waiting, overridden = _deletion(world), _deletion(world)
    shown = proposals.try_out(waiting, world.office.user(company.INES))[1]
    proposals.propose(waiting, shown, people.actor_of(proposer))
    with transaction.atomic():
        proposals.overridden(overridden, shown, people.actor_of(proposer))
    fields = {"shown": shown.digest, "comment": "Because of the table."}
    for who, name in product(table.KINDS, table.PROPOSAL_VERBS):
        row = overridden if name == "proposal-look-at" else waiting
        got = sent(world.client(who), reverse(name, args=[row.pk]), fields)
        may = table.Got.DONE if who in table.PROPOSAL_VERBS[name] else table.Got.REFUSED
        outside = table.Got.SIGN_IN if who in table.NOBODY else table.Got.FORBIDDEN
        cells[name, who] = got, may if who in table.ADMINS else outside
    for who in table.KINDS:
        inside = table.Got.SHOWN if who in table.PROPOSAL else table.Got.FORBIDDEN
        got = opened(world.client(who), reverse("proposal", args=[waiting.pk]))
        cells["proposal", who] = got, table.Got.SIGN_IN if who in table.NOBODY else inside


def _deletion(world: World) -> Proposal:
    policy = world.office.catalog.automatic
    return Proposal(
        kind=Proposal.Kind.DELETE,
        model="catalog.accesspolicy",
        object_pk=str(policy.pk),
        object_kind="access policy",
        object_name=policy.name,
        payload=[["post", "yes"]],
        seen=newest_version(policy),
        why="Because of the table.",
    )


def test_a_finding_is_settled_by_admins_only_while_it_can_be(world: World, cells: Cells) -> None:
    rows = findings_in_every_state(world.office)
    forms = {
        "finding-adopt": {"until": f"{world.office.moment.time + timedelta(days=2):%Y-%m-%dT%H:%M}"},
        "finding-remove": {},
        "finding-accept": {
            "owner": "Platform",
            "review_at": f"{world.office.moment.time + timedelta(days=9):%Y-%m-%d}",
        },
    }
    for who, name in product(table.KINDS, table.FINDING_VERBS):
        browser = world.client(who)
        for status, row in rows.items():
            got = sent(browser, reverse(name, args=[row.pk]), {**forms[name], "reason": "Because of the table."})
            cells[name, who, status] = got, table.expected_of_finding(name, who, status)


def findings_in_every_state(office: Office) -> dict[str, Finding]:
    """One finding in each state; each is standing access of one person."""
    holders = dict(
        zip(
            table.FINDING_STATES, (company.BEN, company.CHIARA, company.DANIEL, company.HUGO, company.EMMA), strict=True
        )
    )
    keys = {status: by_hand(office, key_of(office, person)) for status, person in holders.items()}
    drift.scan(office.aws)
    rows = {status: Finding.objects.get(principal_id=key.principal_id) for status, key in keys.items()}
    settle: dict[str, Any] = {"user_id": office.user(company.INES).pk, "reason": "To begin with."}
    later = office.moment.time + timedelta(days=30)
    findings.accept(finding_id=rows["accepted"].pk, owner="Platform", review_at=later, **settle)
    findings.adopt(finding_id=rows["adopted"].pk, until=later, **settle)
    by_hand(office, keys["gone"], present=False)
    drift.scan(office.aws)
    findings.remove(finding_id=rows["removing"].pk, **settle)
    for row in rows.values():
        row.refresh_from_db()
    assert {status: row.status for status, row in rows.items()} == {status: status for status in rows}
    return rows
