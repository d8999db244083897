"""Time, the work that it makes due, messages, and deaths."""

from datetime import timedelta
from typing import Final

from django.db.models import Min
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from accessrequests import tasks
from accessrequests.models import AccessRequest, Assignment, Grant
from accessrequests.states import GrantStatus, RequestStatus
from tests.chaos.model.stage import ASKERS, Stage, some
from tests.chaos.portal import AFTER_THE_LEASE, MOST_ASKEW
from tests.chaos.process import Process

MOMENTS: Final = (0.1, 0.5, 2, 2.5, 5, 11, 31, 61, 300, 1200, 3600, 7200)
moments: Final = st.sampled_from(MOMENTS).map(lambda seconds: timedelta(seconds=seconds))


class Clockwork(Stage):
    """What nobody does, and happens all the same."""

    @precondition(lambda self: self.rested("time", 3))
    @rule(by=moments)
    def let_time_go_by(self, by: timedelta) -> None:
        self.count("time")
        self.portal.forward(by)

    @precondition(lambda self: self.rested("clock", 4))
    @rule(seconds=st.sampled_from((-60, -31, -5, -1, 1, 5, 31, 60)))
    def step_the_clock(self, seconds: int) -> None:
        if self.portal.step_clock(timedelta(seconds=seconds)):
            self.count("clock")

    @rule()
    def work(self) -> None:
        self.work_through("work")

    @rule(by=moments)
    def let_time_go_by_and_work(self, by: timedelta) -> None:
        self.portal.forward(by)
        self.work_through("time and work")

    @rule(late=st.sampled_from((0.0, 0.0, 1.0, 40.0)))
    def let_the_next_end_come(self, late: float) -> None:
        live = Grant.objects.filter(status__in=(GrantStatus.GRANTING, GrantStatus.ACTIVE))
        adopted = Assignment.objects.filter(adopted_until__gt=self.portal.now)
        ends = (live.aggregate(at=Min("ends_at"))["at"], adopted.aggregate(at=Min("adopted_until"))["at"])
        if any(ends):
            end = min(filter(None, ends))
            self.portal.forward(max(end - self.portal.now, timedelta(0)) + timedelta(seconds=late))
            self.work_through("next end")

    @precondition(lambda self: self.rested("lapse", 25))
    @rule()
    def let_the_next_request_lapse(self) -> None:
        pending = AccessRequest.objects.filter(status=RequestStatus.PENDING)
        if lapses_at := pending.aggregate(at=Min("lapses_at"))["at"]:
            self.portal.forward(max(lapses_at - self.portal.now, timedelta(0)))
            self.work_through("lapse")

    @precondition(lambda self: self.portal.broker.messages)
    @rule(which=some)
    def deliver_one_message(self, which: int) -> None:
        with self.doing("deliver"):
            self.portal.broker.deliver(which % len(self.portal.broker.messages))

    @precondition(lambda self: self.asked)
    @rule(which=some, kind=st.sampled_from(("converge", "watch", "start")))
    def deliver_an_old_message_again(self, which: int, kind: str) -> None:
        with self.doing("deliver again"):
            if kind == "start":
                if request := self.request(which, *RequestStatus.values):
                    tasks.start.run(str(request.pk))
            elif rows := list(Assignment.objects.order_by("principal_id", "account").values_list("pk", flat=True)):
                pk = str(rows[which % len(rows)])
                if kind == "converge":
                    tasks.converge.run(pk)
                else:
                    tasks.watch.run([pk])

    @precondition(lambda self: self.rested("die", 6))
    @rule(boundary=st.integers(0, 8), messages_are_lost=st.booleans())
    def let_the_next_step_die(self, boundary: int, messages_are_lost: bool) -> None:
        self.count("die")
        self.dies_at, self.messages_are_lost = boundary, messages_are_lost

    @rule(by=moments, boundary=st.integers(0, 30), messages_are_lost=st.booleans())
    def work_and_die(self, by: timedelta, boundary: int, messages_are_lost: bool) -> None:
        self.dies_at, self.messages_are_lost = boundary, messages_are_lost
        self.portal.forward(by)
        with self.doing("work until death"):
            self.portal.work()

    @precondition(lambda self: self.rested("rest", 20))
    @rule(looks=st.booleans())
    def mend_aws_and_come_to_rest(self, looks: bool) -> None:
        self.count("rest")
        self.come_to_rest()
        if looks:
            self.look_over()

    def come_to_rest(self) -> None:
        """Mends all that is wrong at AWS, and lets everything that is due be done."""
        self.portal.simulator.faults.clear()
        for person in ASKERS:
            self.portal.simulator.change_user(person.user_name, enabled=True)
        # The next death was to come in a step that is not this one.
        self.dies_at = None
        with self.portal.alive(Process()):
            # A claim may date from when the clock was as fast as it is slow now.
            self.portal.forward(AFTER_THE_LEASE + 2 * MOST_ASKEW)
            self.portal.come_to_rest()
        self.promises.check_at_rest()
        self.promises.check_after_a_tick()

    def look_over(self) -> None:
        """At rest, has the scan see all there is."""
        self.count("look over")
        with self.portal.alive(Process()):
            self.portal.look_over()
        self.promises.check_when_looked_over()
