"""What every test shares: a simulator over HTTP, people of the demo's company, a catalog, and a clock that moves."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, settings

from accessrequests import provisioner as provisioning
from accessrequests.provisioner import Provisioner
from auditlog import clock
from jitportal.aws import limiter
from jitportal.aws.identity_center import IdentityCenter
from jitportal.demo.organisation import ORGANISATION
from jitportal.demo.simulator import Limits, Simulator, SimulatorServer
from tests.flush import allow_flush

allow_flush()
# How long an example takes says how busy the machine is, and nothing of the portal.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


class Clock:
    """The time as this test has it; `forward` moves it."""

    def __init__(self, start: datetime) -> None:
        self.time = start
        self._stack = ExitStack()
        self._stack.enter_context(clock.moved_to(start))

    def forward(self, by: timedelta) -> datetime:
        """Moves the clock on, and gives the new time."""
        self.time += by
        self._stack.close()
        self._stack.enter_context(clock.moved_to(self.time))
        return self.time

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def moment() -> Iterator[Clock]:
    """A clock that stands still at a Monday morning until it is moved; for tests that run in one thread."""
    stopped = Clock(datetime(2026, 11, 16, 9, 0, tzinfo=UTC))
    yield stopped
    stopped.close()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """The demo's organisation in a simulated AWS, with neither limits nor delays."""
    made = Simulator(ORGANISATION, limits=Limits.lifted())
    yield made
    made.close()


@pytest.fixture
def aws(simulator: Simulator, settings: pytest.FixtureRequest) -> Iterator[Provisioner]:
    """The real provisioner, speaking HTTP to the simulator."""
    with SimulatorServer(simulator) as server:
        settings.AWS_ENDPOINT_URL = server.url  # type: ignore[attr-defined]
        # The simulator's limits are lifted here, so ours are; tests of the limits set their own.
        settings.AWS_CALLS_PER_SECOND = 10_000  # type: ignore[attr-defined]
        forget()
        yield IdentityCenter()
    forget()


def forget() -> None:
    """Forgets what a process keeps: the provisioner, the budgets, and what the cache has learned."""
    provisioning.current.cache_clear()
    limiter.budget.cache_clear()
    cache.clear()
