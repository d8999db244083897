"""People who ask, decide, extend and give back by the portal's verbs, several at once, whatever dies meanwhile."""

import random
import threading
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.db import InterfaceError, OperationalError, close_old_connections, connections

from accessrequests import decisions, permissions, workflow
from accessrequests.models import AccessRequest, Decision
from accessrequests.refusals import Refused
from accessrequests.states import LIVE_GRANT, OPEN_REQUEST, RequestStatus
from auditlog import clock
from catalog import people
from catalog.models import Account, Environment, Role
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import User

WHY: Final = "Look into the stuck settlement queue."
# Few accounts, so that grants overlap; short times, so that ends come, and a long one that somebody has to end.
ACCOUNTS: Final = 3
SECONDS: Final = (1, 3, 5, 8, 12, 20, 40, 600)
LONGEST_PAUSE: Final = 1.2
TRIES: Final = 10


@dataclass(frozen=True)
class Wish:
    """What somebody may ask for; some of it is approved at once, some is decided on."""

    person: Person
    role: str
    environment: str
    ticket: str = ""


WISHES: Final = (
    Wish(company.ADA, "Developer", "Sandbox"),
    Wish(company.ADA, "Developer", "Development"),
    Wish(company.ADA, "Production Support", "Production", "INC-4711"),
    Wish(company.BEN, "Developer", "Sandbox"),
    Wish(company.DANIEL, "DevOps Engineer", "Sandbox"),
    Wish(company.DANIEL, "Developer", "Sandbox"),
    Wish(company.EMMA, "DevOps Engineer", "Staging"),
    Wish(company.HUGO, "Data Analyst", "Sandbox"),
)


class Unanswered(Exception):
    """The portal could not carry out a verb although it was tried again and again."""


class Crowd:
    """Desks at which people act; each draws from a seed of its own, so a run's choices can be repeated."""

    def __init__(self, seed: str, desks: int = 3) -> None:
        self._random = [random.Random(f"{seed} desk {number}") for number in range(desks)]
        self._over = threading.Event()
        self.trouble: list[str] = []
        self.counted: Counter[str] = Counter()
        self.slowest = 0.0
        # What was answered with success: none of it may be lost.
        self.submitted: set[uuid.UUID] = set()
        self.ended: set[uuid.UUID] = set()
        self.permitted: set[tuple[uuid.UUID, int]] = set()
        self.decided: set[tuple[uuid.UUID, int]] = set()

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Inside, people act; when the block is left, all that they had begun has been answered."""
        self._over.clear()
        desks = [threading.Thread(target=self._act_on, args=(chance,)) for chance in self._random]
        for desk in desks:
            desk.start()
        try:
            yield
        finally:
            self._over.set()
            for desk in desks:
                desk.join()
        assert not self.trouble, "\n".join(self.trouble)

    def end_all(self) -> None:
        """Ends, or takes back, everything that still goes on."""
        for request in AccessRequest.objects.filter(status__in=OPEN_REQUEST).order_by("pk"):
            if request.grants.filter(status__in=LIVE_GRANT).exists():
                self._insist("give back", workflow.give_back, request.requester_id, request.pk)
            else:
                self._insist("withdraw", workflow.withdraw, request.requester_id, request.pk)

    def _act_on(self, chance: random.Random) -> None:
        acts: list[Callable[[random.Random], None]] = [self._ask, self._decide, self._extend, self._end, self._withdraw]
        try:
            while not self._over.wait(chance.uniform(0, LONGEST_PAUSE)):
                [act] = chance.choices(acts, (10, 6, 3, 4, 1))
                self._again_and_again(partial(act, chance))
        except Exception:  # noqa: BLE001 - told to whoever waits for this thread
            self.trouble.append(traceback.format_exc())
        finally:
            connections.close_all()

    def _ask(self, chance: random.Random) -> None:
        wish = chance.choice(WISHES)
        environment = Environment.objects.get(name=wish.environment)
        names = [account.name for account in company.ACCOUNTS[wish.environment][:ACCOUNTS]]
        many = 1 if wish.environment == "Production" else chance.randint(1, 2)
        later = chance.choice((0, 0, 0, 4))
        form = workflow.Form(
            id=uuid.UUID(int=chance.getrandbits(128)),
            role=Role.objects.get(name=wish.role),
            environment=environment,
            accounts=list(Account.objects.filter(name__in=chance.sample(names, many))),
            duration=timedelta(seconds=chance.choice(SECONDS)),
            reason=f"{WHY} ({chance.getrandbits(32)})",
            ticket=wish.ticket,
            start=clock.now() + timedelta(seconds=later) if later else None,
        )
        if self._insist("ask", workflow.submit, self._user_id(wish.person), form):
            self.submitted.add(form.id)

    def _decide(self, chance: random.Random) -> None:
        pending = list(AccessRequest.objects.filter(status=RequestStatus.PENDING).order_by("submitted_at")[:10])
        if not pending:
            return
        request = chance.choice(pending)
        able = [
            user.pk
            for user in User.objects.filter(is_active=True).order_by("pk")
            if permissions.may_agree(people.load(user.pk), request, clock.now())
        ]
        if not able:
            return
        who = chance.choice(able)
        answer = chance.choice((Decision.Answer.APPROVE,) * 7 + (Decision.Answer.DENY,))
        self.permitted.add((request.pk, who))
        if self._insist("decide", decisions.decide, who, request.pk, answer, "Not now.", request.digest):
            self.decided.add((request.pk, who))

    def _extend(self, chance: random.Random) -> None:
        if request := self._some(chance, RequestStatus.ACTIVE):
            seconds = timedelta(seconds=chance.choice(SECONDS))
            more = workflow.MoreTime(uuid.UUID(int=chance.getrandbits(128)), seconds, WHY, request.ticket)
            if self._insist("extend", workflow.extend, request.requester_id, request.pk, more):
                self.submitted.add(more.id)

    def _end(self, chance: random.Random) -> None:
        if request := self._some(chance, RequestStatus.ACTIVE, RequestStatus.APPROVED):
            if chance.random() < 0.5:
                done = self._insist("give back", workflow.give_back, request.requester_id, request.pk)
            else:
                ines = self._user_id(company.INES)
                done = self._insist("revoke", workflow.revoke, ines, request.pk, "Stop.")
            if done:
                self.ended.add(request.pk)

    def _withdraw(self, chance: random.Random) -> None:
        request = self._some(chance, RequestStatus.PENDING, RequestStatus.APPROVED)
        if request and self._insist("withdraw", workflow.withdraw, request.requester_id, request.pk):
            self.ended.add(request.pk)

    def _some(self, chance: random.Random, *statuses: RequestStatus) -> AccessRequest | None:
        newest = list(AccessRequest.objects.filter(status__in=statuses).order_by("-submitted_at")[:20])
        return chance.choice(newest) if newest else None

    def _user_id(self, person: Person) -> int:
        return User.objects.values_list("pk", flat=True).get(object_id=person.object_id)

    def _insist(self, name: str, verb: Callable[..., Any], *form: Any) -> bool:
        """Sends a form, and the same again when the database was gone; whether the portal did what it asks."""
        began = time.monotonic()
        try:
            self._again_and_again(lambda: verb(*form))
        except Refused:
            self.counted["refused"] += 1
            return False
        self.counted[name] += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        return True

    def _again_and_again(self, do: Callable[[], Any]) -> None:
        """Like a browser's request: on a connection that was looked at first, and made again if it was cut."""
        for _ in range(TRIES):
            close_old_connections()
            try:
                do()
            except (OperationalError, InterfaceError):
                self.counted["cut off"] += 1
            else:
                return
        raise Unanswered
