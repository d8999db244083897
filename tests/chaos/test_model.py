"""People, the clock, the catalog, AWS, its faults and deaths, in any order: the promises hold after every one."""

import logging
import os
import random
import sys
from collections import Counter
from datetime import timedelta
from typing import Any, ClassVar, Final

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, run_state_machine_as_test

from accessrequests import workflow
from jitportal.demo.directory import Person
from jitportal.demo.simulator import Fault
from tests.chaos.conftest import Opening
from tests.chaos.model.asking import TICKET, Asking, askers
from tests.chaos.model.aws import CREATION, DELETION, WEATHERS, AtAws, holders
from tests.chaos.model.clockwork import Clockwork
from tests.chaos.model.deciding import Deciding
from tests.chaos.model.offering import Offering
from tests.chaos.model.stage import durations, some
from tests.chaos.process import Process

# A run in CI, always the same one; CHAOS_STEPS asks for a longer one, CHAOS_SEED for another.
IN_CI: Final = 10_000
STEPS: Final = int(os.environ.get("CHAOS_STEPS", IN_CI))
SEED: Final = os.environ.get("CHAOS_SEED", "")
A_RUN: Final = 100
# So few that people come to it.
MOST_OPEN: Final = 9


class Swallowed(logging.Handler):
    """What the product caught so that other work goes on: here nothing may go wrong in it but AWS and deaths."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.msg, dict) and record.msg.get("exc_info"):
            self.said.append(record.msg)


class Model(Asking, Deciding, Offering, AtAws, Clockwork):
    """All rules together; a feature joins by adding rules there and, in `Promises`, checks."""

    swallowed: ClassVar[Swallowed]

    @initialize(
        asks=st.lists(st.tuples(askers, durations, st.booleans()), min_size=1, max_size=4),
        standing=st.lists(st.tuples(holders, st.integers(0, 3)), max_size=2),
        weather=st.sampled_from(WEATHERS),
        seed=some,
    )
    def begin(
        self,
        asks: list[tuple[Person, timedelta, bool]],
        standing: list[tuple[Person | None, int]],
        weather: tuple[Fault, ...],
        seed: int,
    ) -> None:
        for number, (holder, account) in enumerate(standing, start=1):
            self.put_an_assignment_by_hand(holder, account, looks=number == len(standing))
        self.let_weather_come(weather, seed)
        for who, duration, production in asks:
            policy = self.catalog.two_stages if production else self.catalog.automatic
            self.ask(policy, who, {0}, duration, None, TICKET if production else "")

    @invariant()
    def the_promises_hold(self) -> None:
        self.steps += 1
        type(self).counted["steps"] += 1
        self.promises.check()
        assert not self.swallowed.said

    def teardown(self) -> None:
        calls = self.portal.simulator.calls.calls
        for operation in (CREATION, DELETION):
            type(self).counted[operation] += calls[operation]
        try:
            if sys.exc_info()[0] is None:
                self._end_well()
                assert not self.swallowed.said
        finally:
            self.swallowed.said.clear()
            self.portal.close()

    def _end_well(self) -> None:
        self.come_to_rest()
        if self.last.keys() & {"put by hand", "taken by hand", "scan"}:
            self.look_over()
        calm = self.portal.now
        with self.portal.alive(Process()):
            self.portal.until_all_is_over()
        self.promises.check_when_all_is_over()
        self.promises.check_that_nothing_was_overdue(calm)


@pytest.mark.timeout(24 * 3600)
def test_the_promises_hold_whatever_happens(
    opening: Opening, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workflow, "MOST_OPEN", MOST_OPEN)
    # Keys, too, come out the same when a run is repeated: Hypothesis seeds this source.
    monkeypatch.setattr(os, "urandom", random.randbytes)
    # Of the rest there is very much, all of it provoked.
    logging.disable(logging.WARNING)
    swallowed, logger = Swallowed(), logging.getLogger("accessrequests")
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "handlers", [swallowed])

    class Driven(Model):
        pass

    Driven.opening, Driven.counted, Driven.swallowed = opening, Counter(), swallowed
    test: Any = Driven
    seed = int(SEED or (0 if STEPS <= IN_CI else random.SystemRandom().getrandbits(32)))
    sys.stdout.write(f"\nCHAOS_SEED={seed}\n")
    sys.stdout.flush()
    try:
        # Runs are cut short here and there, so how many it takes is seen as they go.
        while (left := STEPS - Driven.counted["steps"]) > 0:
            hypothesis.seed(seed)(test)
            run_state_machine_as_test(test, settings=_settings(left // A_RUN + 1))
            seed += 1
    finally:
        logging.disable(logging.NOTSET)
        counts = Driven.counted.copy()
        steps = counts.pop("steps", 0)
        told = ", ".join(f"{count:,} × {step}" for step, count in counts.most_common())
        sys.stdout.write(f"\n{steps:,} steps: {told}\n")
    assert steps >= STEPS


def _settings(runs: int) -> settings:
    return settings(
        max_examples=runs,
        stateful_step_count=A_RUN,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        report_multiple_bugs=False,
    )
