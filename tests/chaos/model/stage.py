"""What all rules of the model share: a portal, its promises, and processes that may die on the way."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from accessrequests.models import AccessRequest
from accessrequests.refusals import Refused
from catalog.models import DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import User
from tests.chaos.conftest import Opening
from tests.chaos.process import Process
from tests.chaos.promises import Promises

ASKERS: Final = (company.ADA, company.BEN, company.CHIARA)
DECIDERS: Final = (company.CHIARA, company.EMMA, company.FARID, company.GRACE)
EVERYBODY: Final = (*ASKERS, *DECIDERS, company.INES, company.JONAS)

# Small numbers choose among whatever there is by then.
some: Final = st.integers(0, 11)
people: Final = st.sampled_from(EVERYBODY)
durations: Final = st.sampled_from((1, 4, 20, 20, 60, 60, 120, 480, 540)).map(
    lambda minutes: timedelta(minutes=minutes)
)


class Stage(RuleBasedStateMachine):
    """The portal as one run of the model has it."""

    opening: ClassVar[Opening]
    counted: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.portal = type(self).opening()
        self.catalog = self.portal.catalog
        self.promises = Promises(self.portal)
        self.asked: list[uuid.UUID] = []
        self.groups = {group.name: group for group in DirectoryGroup.objects.all()}
        self.dies_at: int | None = None
        self.last: dict[str, int] = {}
        self.steps = 0
        self.messages_are_lost = False

    def count(self, step: str) -> None:
        """Counts what was done, for the sum at the end and for `rested`."""
        type(self).counted[step] += 1
        self.last[step] = self.steps

    def rested(self, step: str, steps: int) -> bool:
        """Whether a step was not taken lately: what changes the world comes less often than what lives in it."""
        return self.steps - self.last.get(step, -steps) >= steps

    @contextmanager
    def doing(self, step: str) -> Iterator[None]:
        """One step, by a process that dies on the way if `die` has chosen so; what it was doing is then half done."""
        self.count(step)
        process, self.dies_at = Process(self.dies_at), None
        with self.portal.alive(process):
            yield
        if process.dead:
            self.count("died")
            if self.messages_are_lost:
                self.portal.broker.messages.clear()

    def attempt(self, step: str, verb: Callable[[], Any], *, may: bool) -> None:
        """A verb of somebody, refused if and only if it may not be; what a refusal changes the promises see."""
        with self.doing(step):
            try:
                verb()
            except Refused:
                self.count(f"{step}: refused")
                assert not may
            else:
                assert may

    def work_through(self, step: str) -> None:
        """Has all that is due done, as far as AWS and the process let it."""
        with self.doing(step):
            self.portal.work()
            self.promises.check_after_a_tick()

    def user(self, person: Person) -> User:
        """One of the company's people, as the portal knows them now."""
        return User.objects.get(pk=self.portal.user_id(person))

    def request(self, which: int, *statuses: str) -> AccessRequest | None:
        """One of the requests in these states, the newest first; None if there is none."""
        rows = AccessRequest.objects.filter(pk__in=self.asked, status__in=statuses).order_by("-submitted_at", "pk")
        found = list(rows)
        return found[which % len(found)] if found else None

    def next_id(self) -> uuid.UUID:
        """The id of the next ask: counted, so that a run can be repeated."""
        pk = uuid.UUID(int=len(self.asked) + 1)
        self.asked.append(pk)
        return pk
