"""One office with a request in every state, a person of every kind, and what each of them gets at an address."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import models, transaction
from django.test import Client

from accessrequests import workflow
from accessrequests.models import AccessRequest, Assignment, Decision, Finding, Grant, Notification
from auditlog.actor import Actor
from catalog.models import ApprovalStage, ApproverGroup, Proposal
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import User
from jitportal.signin import local_admins
from tests.accessrequests.conftest import Office, catalog, groups, office, user  # noqa: F401
from tests.jitportal.access import table
from tests.jitportal.access.table import Got

PEOPLE: Mapping[str, Person] = {
    table.OFFBOARDED: company.GRACE,
    table.ENGINEER: company.BEN,
    table.REQUESTER: company.ADA,
    table.APPROVER: company.FARID,
    table.OTHER_STAGE: company.CHIARA,
    table.OTHER_APPROVER: company.DANIEL,
    table.FORMER: company.EMMA,
    table.ADMIN: company.INES,
    table.COMPLIANCE: company.JONAS,
}
# What a verb does shows in these rows, and refusals show in none of them. Claims and dues are the workers' own.
WATCHED: tuple[type[models.Model], ...] = (
    AccessRequest,
    Decision,
    Grant,
    Assignment,
    Finding,
    Notification,
    User,
    Proposal,
)
PASSING = frozenset({"due_at", "claim", "claimed_until", "last_login"})


class World:
    """The office, one request in each state, and a browser for each kind of person."""

    def __init__(self, office: Office) -> None:  # noqa: F811 - the office it is given
        self.office = office
        self.requests: dict[str, AccessRequest] = {}
        self._clients: dict[str, Client] = {}
        self._found_another_group()
        # In this order: each is made while the rows of those before stay where they are.
        self._make("ended", lambda made: self._over(made, workflow.give_back))
        self._make("active", self._granted)
        self._make("failed", self._failed)
        self._make("denied", lambda made: office.decide(made, company.FARID, "deny", "Not now."))
        self._make("withdrawn", lambda made: workflow.withdraw(office.user(company.ADA).pk, made.pk))
        self._make("lapsed", lambda made: None)
        office.pass_time(minutes=1)
        self._lapse()
        start = office.moment.time + timedelta(days=2)
        self._make("approved", lambda made: office.decide(made, company.FARID), start=start)
        self._make("pending", lambda made: None)
        self._let_go()

    def client(self, who: str) -> Client:
        """A browser that is signed in as somebody of that kind; those who left were signed in before."""
        if who not in self._clients:
            browser = self._clients[who] = Client(raise_request_exception=False)
            if who == table.LOCAL:
                _, made = local_admins.open_for(timedelta(hours=4), "To try every address.", Actor.system("test"))
                browser.force_login(made.person)
            elif who != table.ANONYMOUS:
                browser.force_login(self.office.user(PEOPLE[who]))
        return self._clients[who]

    def _make(self, status: str, finish: Callable[[AccessRequest], object], **changes: Any) -> None:
        made = self.office.submit_production(reason=f"The one that will be {status}.", **changes)
        self.office.decide(made, company.EMMA)
        finish(made)
        self.requests[status] = made

    def _granted(self, made: AccessRequest) -> None:
        self.office.decide(made, company.FARID)
        self.office.work()

    def _over(self, made: AccessRequest, end: Callable[[int, Any], object]) -> None:
        self._granted(made)
        end(self.office.user(company.ADA).pk, made.pk)
        self.office.work()

    def _failed(self, made: AccessRequest) -> None:
        policy = self.office.catalog.two_stages
        policy.is_in_force = False
        policy.save()
        self._granted(made)
        policy.is_in_force = True
        policy.save()

    def _lapse(self) -> None:
        AccessRequest.objects.filter(pk=self.requests["lapsed"].pk).update(lapses_at=self.office.moment.time)
        self.office.work()

    def _found_another_group(self) -> None:
        """A group that decides, but on nothing that Ada asks for."""
        others = ApproverGroup.objects.create(name="Those who decide elsewhere")
        others.directory_groups.set(self.office.user(company.DANIEL).directory_groups.all())
        ApprovalStage.objects.create(policy=self.office.catalog.automatic, position=1, approver_group=others)

    def _let_go(self) -> None:
        """Emma leaves the approver group, and Grace the company."""
        emma = self.office.user(company.EMMA)
        emma.directory_groups.clear()
        User.objects.filter(pk=self.office.user(company.GRACE).pk).update(is_active=False)


@pytest.fixture
def world(office: Office) -> World:  # noqa: F811
    made = World(office)
    at = {status: made.office.again(row).status for status, row in made.requests.items()}
    assert at == {str(status): status for status in table.EVERY_STATE}
    return made


def state() -> str:
    """Stands for all that a verb can change."""
    digest = hashlib.sha256()
    for model in WATCHED:
        kept = [field.attname for field in model._meta.concrete_fields if field.attname not in PASSING]
        rows = list(model._default_manager.order_by("pk").values_list(*kept))
        digest.update(repr(rows).encode())
    return digest.hexdigest()


def sent(browser: Client, address: str, fields: Mapping[str, Any]) -> Got:
    """What comes of sending a form; whatever it did is taken back afterwards."""
    before = state()
    with transaction.atomic():
        answer = browser.post(address, fields)
        changed = state() != before
        transaction.set_rollback(True)
    got = _read(answer)
    if changed:
        assert got is Got.REFUSED and answer.status_code == 302, f"{address}: {answer.status_code}, yet rows changed"  # noqa: PT018
        return Got.DONE
    return got


def opened(browser: Client, address: str) -> Got:
    """What comes of opening a page; an answer that leads elsewhere in the portal was none."""
    answer = browser.get(address)
    return Got.SHOWN if answer.status_code == 200 else _read(answer)


def _read(answer: Any) -> Got:
    if answer.status_code == 302 and answer["Location"].startswith("/sign-in/"):
        return Got.SIGN_IN
    by_status = {403: Got.FORBIDDEN, 404: Got.NOT_FOUND, 405: Got.NO_SUCH_VERB, 422: Got.REFUSED, 302: Got.REFUSED}
    assert answer.status_code in by_status, f"{answer.status_code} is no answer that the table knows"
    return by_status[answer.status_code]


@pytest.fixture
def cells() -> Iterator[dict[tuple[str, ...], tuple[Got, Got]]]:
    """Collects what came of each cell beside what should have; the test fails with all that differ at once."""
    collected: dict[tuple[str, ...], tuple[Got, Got]] = {}
    yield collected
    assert collected
    assert {cell: pair for cell, pair in collected.items() if pair[0] != pair[1]} == {}
