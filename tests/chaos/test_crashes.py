"""Whatever a process dies at – a commit, a message, a call to AWS – the next one goes on from what is written."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from accessrequests import decisions, workflow
from accessrequests.models import AccessRequest, Decision
from accessrequests.states import LIVE_GRANT, RequestStatus
from jitportal.demo import organisation as company
from tests.chaos.conftest import Opening
from tests.chaos.portal import AFTER_THE_LEASE, BEGINNING, Portal
from tests.chaos.process import Process
from tests.chaos.promises import Promises

HOUR = timedelta(hours=1)
FIRST, SECOND = uuid.UUID(int=1), uuid.UUID(int=2)


def ask(portal: Portal, pk: uuid.UUID = FIRST, *, hours: int = 1, production: bool = False, **changes: Any) -> None:
    catalog = portal.catalog
    accounts = catalog.production_accounts if production else catalog.sandbox_accounts
    form: dict[str, Any] = {
        "id": pk,
        "role": catalog.developer,
        "environment": catalog.production if production else catalog.sandbox,
        "accounts": accounts[:1],
        "duration": hours * HOUR,
        "reason": "Look into the stuck settlement queue.",
        "ticket": "INC-4711" if production else "",
    }
    workflow.submit(portal.user_id(company.ADA), workflow.Form(**{**form, **changes}))


def agree(portal: Portal, person: Any) -> None:
    request = AccessRequest.objects.get(pk=FIRST)
    decisions.decide(portal.user_id(person), FIRST, Decision.Answer.APPROVE, "", request.digest)


def status(pk: uuid.UUID = FIRST) -> str:
    return AccessRequest.objects.get(pk=pk).status


@dataclass
class Scenario:
    """What a process does until it dies; and what a person, or the clock, does again after the restart.

    `prepare` is done by a process that lives; `act` by one that dies somewhere; `again` brings about what `act` should
    have, if it was cut short; and then each request must be where `reaches` says.
    """

    prepare: Callable[[Portal], None]
    act: Callable[[Portal], None]
    again: Callable[[Portal], None]
    reaches: dict[uuid.UUID, str]


def nothing(portal: Portal) -> None:
    pass


def rest(portal: Portal) -> None:
    portal.come_to_rest()


def approved(portal: Portal) -> None:
    ask(portal)


def active(portal: Portal) -> None:
    ask(portal)
    portal.come_to_rest()


def past_the_end(portal: Portal) -> None:
    active(portal)
    portal.forward(2 * HOUR)


def ask_and_work(portal: Portal) -> None:
    ask(portal)
    portal.work()


def ask_and_rest(portal: Portal) -> None:
    # The same form again is the same request.
    ask(portal)
    portal.come_to_rest()


def work(portal: Portal) -> None:
    portal.work()


def two_on_one(portal: Portal) -> None:
    ask(portal, FIRST, hours=1)
    ask(portal, SECOND, hours=3)


def until_the_first_has_ended(portal: Portal) -> None:
    portal.until(BEGINNING + 2 * HOUR)


def in_flight(portal: Portal) -> None:
    ask(portal)
    portal.work()


def revoke(portal: Portal) -> None:
    request = AccessRequest.objects.get(pk=FIRST)
    if request.grants.filter(status__in=LIVE_GRANT).exists():
        workflow.revoke(portal.user_id(company.INES), FIRST, "Stop this.")
    portal.come_to_rest()


def give_back(portal: Portal) -> None:
    request = AccessRequest.objects.get(pk=FIRST)
    if request.grants.filter(status__in=LIVE_GRANT).exists():
        workflow.give_back(portal.user_id(company.ADA), FIRST)
    portal.work()


def starting_later(portal: Portal) -> None:
    ask(portal, start=portal.now + HOUR)
    portal.come_to_rest()
    portal.forward(HOUR)


def half_decided(portal: Portal) -> None:
    ask(portal, production=True)
    agree(portal, company.CHIARA)


def decide(portal: Portal) -> None:
    if status() == RequestStatus.PENDING:
        agree(portal, company.FARID)
    portal.work()


SCENARIOS = {
    "create": Scenario(approved, rest, nothing, {FIRST: "active"}),
    "delete": Scenario(past_the_end, rest, nothing, {FIRST: "ended"}),
    "ask": Scenario(nothing, ask_and_work, ask_and_rest, {FIRST: "active"}),
    "two grants on one assignment": Scenario(
        two_on_one, until_the_first_has_ended, until_the_first_has_ended, {FIRST: "ended", SECOND: "active"}
    ),
    "revoke during creation": Scenario(in_flight, revoke, revoke, {FIRST: "ended"}),
    "give back": Scenario(active, give_back, give_back, {FIRST: "ended"}),
    "start": Scenario(starting_later, work, nothing, {FIRST: "active"}),
    "decide": Scenario(half_decided, decide, decide, {FIRST: "active"}),
}


def live_through(portal: Portal, scenario: Scenario, process: Process) -> None:
    """Carries the scenario out, with `process` acting; and goes on with another one if it dies."""
    promises = Promises(portal)
    with portal.alive(Process()):
        scenario.prepare(portal)
    if AccessRequest.objects.filter(pk=FIRST).exists() and AccessRequest.objects.get(pk=FIRST).stages.exists():
        promises.permitted |= {(FIRST, portal.user_id(person)) for person in (company.CHIARA, company.FARID)}
    with portal.alive(process):
        scenario.act(portal)
    promises.check()
    # The broker's memory goes with the process, too.
    portal.broker.messages.clear()
    portal.forward(AFTER_THE_LEASE)
    with portal.alive(Process()):
        portal.come_to_rest()
        promises.check_at_rest() if process.dead else None
        scenario.again(portal)
        portal.come_to_rest()
        promises.check_at_rest()
        assert {pk: status(pk) for pk in scenario.reaches} == scenario.reaches
        portal.until_all_is_over()
    promises.check_when_all_is_over()
    assert {status(pk) for pk in scenario.reaches} == {"ended"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_process_may_die_at_any_boundary(opening: Opening, name: str) -> None:
    scenario, survivor = SCENARIOS[name], Process()
    portal = opening()
    live_through(portal, scenario, survivor)
    portal.close()
    assert not survivor.dead
    for number, boundary in survivor.deaths.items():
        portal, mortal = opening(), Process(dies_at=number)
        try:
            live_through(portal, scenario, mortal)
        except Exception as error:
            error.add_note(f"It died at boundary {number}: {boundary}.")
            raise
        finally:
            portal.close()
        assert mortal.dead, (number, boundary)
    assert len(survivor.deaths) > 8
