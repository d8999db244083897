"""The portal's background work in one thread: real tasks, a broker to lose messages in, and a clock that is moved."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import pytest
from celery.app.task import Task
from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Max, Min, Q

from accessrequests import convergence, due, provisioner, tasks
from accessrequests.models import AccessRequest, Assignment, Grant
from accessrequests.provisioner import AssignmentKey
from accessrequests.states import LIVE_GRANT, GrantStatus, RequestStatus
from auditlog.models import ChainHead
from jitportal.aws.identity_center import IdentityCenter
from jitportal.demo.organisation import ORGANISATION
from jitportal.demo.simulator import AssignmentKey as InAws
from jitportal.demo.simulator import Limits, Simulator, SimulatorServer
from jitportal.demo.simulator.app import Application
from jitportal.models import User
from tests.accessrequests.conftest import Catalog
from tests.chaos.process import Died, Process
from tests.conftest import Clock

BEGINNING: Final = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
DELAY: Final = 2.0
AFTER_THE_LEASE: Final = convergence.LEASE + timedelta(seconds=1)
# How far AWS's clock and the portal's are ever apart here.
MOST_ASKEW: Final = timedelta(seconds=60)


class Broker:
    """Celery's broker: a message stays until its task has returned, and may be lost, late, or delivered again."""

    def __init__(self) -> None:
        self.messages: list[tuple[Any, tuple[Any, ...]]] = []

    def deliver(self, number: int = 0) -> None:
        """Has a worker do what one message asks for; the worker's death leaves the message."""
        message = self.messages[number]
        task, arguments = message
        task.run(*arguments)
        self.messages.remove(message)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Every message that is sent inside comes here."""

        def keep(task: Any, args: Any = (), kwargs: Any = None, **_: Any) -> None:
            self.messages.append((task, tuple(args)))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Task, "apply_async", keep)
            yield


class Portal:
    """A catalog and its people over one fresh simulator; everything that is written is undone at `close`."""

    def __init__(self, catalog: Catalog, server: SimulatorServer) -> None:
        self.catalog = catalog
        self.moment = Clock(BEGINNING)
        self.simulator = Simulator(ORGANISATION, clock=self._seconds, limits=Limits.lifted(delay=DELAY))
        server._simulated = Application(self.simulator)
        self.broker = Broker()
        self.aws = cast(IdentityCenter, provisioner.current())
        self._users: dict[str, int] = dict(User.objects.values_list("object_id", "pk"))
        cache.clear()
        self._askew = timedelta(0)
        self._is_closed = False
        self._stack = ExitStack()
        self._stack.enter_context(self.broker.connected())
        self._undo = transaction.savepoint()

    def close(self) -> None:
        """Undoes all of it; harmless if done already."""
        if self._is_closed:
            return
        self._is_closed = True
        transaction.savepoint_rollback(self._undo)
        self._stack.close()
        self.simulator.close()
        self.moment.close()

    def _seconds(self) -> float:
        return self.moment.time.timestamp()

    def user_id(self, person: Any) -> int:
        """The key of one of the company's people."""
        return self._users[person.object_id]

    @property
    def now(self) -> datetime:
        return self.moment.time

    def forward(self, by: timedelta) -> None:
        """Lets time go by, at AWS as well."""
        self.moment.forward(by)

    def step_clock(self, by: timedelta) -> bool:
        """Sets the portal's clock forward or back, but not AWS's; False if they would be too far apart."""
        apart = self._askew + by
        if abs(apart) > MOST_ASKEW:
            return False
        self._askew = apart
        self.moment.forward(by)
        self.simulator.clock.advance(-by.total_seconds())
        return True

    # Background work.

    @contextmanager
    def alive(self, process: Process) -> Iterator[None]:
        """What is done inside is done by this process; its death ends the block, and is looked up in `process`."""
        try:
            with process.running(self.aws):
                yield
        except Died:
            pass

    def sweep(self) -> None:
        """One look of the scheduler; what it finds is in the broker."""
        # Not the whole tick: this clock is moved, so it would be found wrong.
        due.lapse_requests(self.now)
        due.end_grants_of_inactive(self.now)
        tasks._hand_out(self.now)

    def work(self) -> None:
        """Sweeps and delivers until nothing is due at this moment.

        Raises:
            RuntimeError: it goes on and on.
        """
        for _ in range(100):
            self.sweep()
            if not self.broker.messages:
                return
            while self.broker.messages:
                self.broker.deliver()
        raise RuntimeError("what is due at one moment does not come to an end")

    def come_to_rest(self) -> None:
        """Works, and lets as much time go by as that takes, until only starts and ends that lie ahead are left.

        Raises:
            RuntimeError: it does not come to rest.
        """
        for _ in range(200):
            self.work()
            moments = self._moments()
            if not moments:
                return
            later = min((at for at in moments if at > self.now), default=self.now)
            self.forward(max(later - self.now, timedelta(seconds=0.5)))
        raise RuntimeError("what is due does not come to rest")

    def _moments(self) -> list[datetime]:
        """When something is to be done that is not merely a start or an end ahead."""
        unsettled = Q(due_at__isnull=False) | ~Q(operation="")
        adopted = Q(operation="", due_at__gt=self.now, due_at=F("adopted_until"))
        rows = Assignment.objects.filter(unsettled).exclude(adopted).values_list("due_at", "claimed_until")
        starting = AccessRequest.objects.filter(
            status=RequestStatus.APPROVED, start_due_at__lte=self.now + timedelta(minutes=2)
        )
        found = [at or self.now for row in rows for at in (row[0], row[1]) if at or row == (None, None)]
        return found + [at for at in starting.values_list("start_due_at", flat=True) if at]

    def until(self, moment: datetime) -> None:
        """Lets time go by until then, at rest at each end on the way."""
        while True:
            self.come_to_rest()
            if self.now >= moment:
                return
            live = Grant.objects.filter(status__in=(GrantStatus.GRANTING, GrantStatus.ACTIVE))
            adopted = Assignment.objects.filter(adopted_until__gt=self.now)
            ends = (live.aggregate(at=Min("ends_at"))["at"], adopted.aggregate(at=Min("adopted_until"))["at"])
            following = min(filter(None, ends), default=moment)
            self.moment.forward(max(min(following, moment) - self.now, timedelta(seconds=1)))

    def until_all_is_over(self) -> None:
        """Lets time go by until all access has ended, adopted access too, and all requests that will start have."""
        for _ in range(20):
            self.come_to_rest()
            ends = Grant.objects.filter(status__in=LIVE_GRANT).aggregate(at=Max("ends_at"))["at"]
            starts = AccessRequest.objects.filter(status=RequestStatus.APPROVED).aggregate(at=Max("start_due_at"))["at"]
            adopted = Assignment.objects.filter(adopted_until__gt=self.now).aggregate(at=Max("adopted_until"))["at"]
            if not (ends or starts or adopted):
                return
            self.until(max(filter(None, (ends, starts, adopted))))
        raise RuntimeError("it is never over")

    def look_over(self) -> None:
        """Has the scan go round, and comes to rest with what it found, until it finds nothing more.

        Raises:
            RuntimeError: it finds something each time.
        """
        # The first slice may only end a round that began earlier.
        tasks.scan.run()
        for _ in range(5):
            number = ChainHead.objects.get().number
            tasks.scan.run()
            self.come_to_rest()
            if ChainHead.objects.get().number == number:
                return
        raise RuntimeError("what a scan finds does not come to an end")

    # What is so.

    def in_aws(self) -> set[AssignmentKey]:
        """What AWS holds, asked past the portal."""
        return {
            AssignmentKey(key.principal_id, key.permission_set_arn, key.account_id)
            for key in self.simulator.assignments()
        }

    def put_by_hand(self, key: AssignmentKey, *, present: bool, holder: str = "USER") -> None:
        """Makes an assignment exist or not in AWS, as somebody with a console would; `holder` USER or GROUP."""
        self.simulator.put_assignment(
            InAws(key.account_id, key.permission_set_arn, holder, key.principal_id), present=present
        )

    def wanted(self) -> set[AssignmentKey]:
        """The assignments on which a live grant leans."""
        rows = Assignment.objects.filter(grants__status__in=LIVE_GRANT)
        return {
            AssignmentKey(*row)
            for row in rows.values_list("principal_id", "permission_set__arn", "account__account_id")
        }


@contextmanager
def serving(settings: Any) -> Iterator[SimulatorServer]:
    """A server for one simulator after another, to which the settings point."""
    first = Simulator(ORGANISATION, clock=BEGINNING.timestamp, limits=Limits.lifted())
    with SimulatorServer(first) as server:
        settings.AWS_ENDPOINT_URL = server.url
        settings.AWS_CALLS_PER_SECOND = 10_000
        # What goes wrong with messages to people delays nothing else; tests of the outbox are elsewhere.
        settings.NOTIFICATION_CHANNELS = []
        yield server
    first.close()
