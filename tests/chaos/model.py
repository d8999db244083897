"""People, the clock, the catalog, AWS's faults and deaths, in any order: the promises hold after every one."""

import os
import random
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Final

import hypothesis
import pytest
from django.db import transaction
from django.db.models import Min
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accessrequests import decisions, tasks, workflow
from accessrequests.models import AccessRequest, Assignment, Decision, Grant
from accessrequests.provisioner import AssignmentKey
from accessrequests.refusals import Refused
from accessrequests.states import OPEN_GRANT, OPEN_REQUEST, GrantStatus, RequestStatus
from auditlog.actor import Actor
from catalog import changes
from catalog.models import AccessPolicy, ApproverGroup, DirectoryGroup
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.demo.simulator import Fault, FaultKind
from jitportal.models import User
from tests.chaos.conftest import Opening
from tests.chaos.portal import AFTER_THE_LEASE
from tests.chaos.process import Process
from tests.chaos.promises import Promises

# A run in CI, always the same one; CHAOS_STEPS asks for a longer one, with a seed of its own.
STEPS: Final = int(os.environ.get("CHAOS_STEPS", "10000"))
SEED: Final = os.environ.get("CHAOS_SEED", "")
A_RUN: Final = 50
WHY: Final = "Look into the stuck settlement queue."

ADMIN: Final = Actor.system("admin")
ASKERS: Final = (company.ADA, company.BEN, company.CHIARA)
DECIDERS: Final = (company.CHIARA, company.EMMA, company.FARID, company.GRACE)
EVERYBODY: Final = (*ASKERS, *DECIDERS, company.INES, company.JONAS)
OPERATIONS: Final = (
    None,
    "CreateAccountAssignment",
    "DeleteAccountAssignment",
    "ListAccountAssignments",
    "ListAccountAssignmentCreationStatus",
    "ListAccountAssignmentDeletionStatus",
    "DescribeAccountAssignmentDeletionStatus",
    "DescribeUser",
)
MOMENTS: Final = (0.1, 0.5, 2, 2.5, 5, 11, 31, 61, 300, 1200, 3600, 7200)

GOOD: Final[dict[str, Any]] = {"is_in_force": True, "longest_duration": timedelta(hours=8)}
CHANGES: Final[tuple[dict[str, Any], ...]] = (
    GOOD,
    GOOD,
    {"longest_duration": timedelta(hours=1)},
    {"is_in_force": False},
)

LOST: Final = (FaultKind.LOST_REPLY, FaultKind.INTERNAL_AFTER)
CREATION, DELETION = "CreateAccountAssignment", "DeleteAccountAssignment"
# What lasts until somebody mends it; the hardest are replies that are lost, and then another fault on what follows.
WEATHERS: Final[tuple[tuple[Fault, ...], ...]] = (
    (),
    *((Fault(kind, operation=operation, rate=0.5),) for kind in LOST for operation in (CREATION, DELETION)),
    *(
        (Fault(FaultKind.LOST_REPLY, operation=operation, rate=0.5), Fault(then, operation=on, rate=0.5))
        for operation in (CREATION, DELETION)
        for then, on in (
            (FaultKind.FAILURE, CREATION),
            (FaultKind.ACCESS_DENIED, CREATION),
            (FaultKind.ACCESS_DENIED, "ListAccountAssignments"),
        )
    ),
    (
        Fault(FaultKind.THROTTLE, operation=DELETION, rate=0.7),
        Fault(FaultKind.ACCESS_DENIED, operation="ListAccountAssignments", rate=0.5),
    ),
)

# Small numbers choose among whatever there is by then.
some = st.integers(0, 11)
people = st.sampled_from(EVERYBODY)
moments = st.sampled_from(MOMENTS).map(lambda seconds: timedelta(seconds=seconds))
durations = st.sampled_from((1, 4, 20, 20, 60, 60, 120, 480, 540)).map(lambda minutes: timedelta(minutes=minutes))


class Machine(RuleBasedStateMachine):
    """The portal, and what the rules may do to it; a feature joins by adding rules and, in `Promises`, checks."""

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

    # People.

    @rule(
        who=st.sampled_from(ASKERS),
        accounts=st.sets(st.integers(0, 2), min_size=1),
        duration=durations,
        later=st.sampled_from((None, None, None, 1, 30, 90)),
    )
    def ask_for_the_sandbox(self, who: Person, accounts: set[int], duration: timedelta, later: int | None) -> None:
        chosen = [self.catalog.sandbox_accounts[number] for number in accounts]
        self._ask(self.catalog.automatic, who, duration, later, accounts=chosen, environment=self.catalog.sandbox)

    @rule(
        who=st.sampled_from(ASKERS),
        accounts=st.sets(st.integers(0, 2), min_size=1),
        duration=durations,
        later=st.sampled_from((None, None, 60)),
    )
    def ask_for_production(self, who: Person, accounts: set[int], duration: timedelta, later: int | None) -> None:
        chosen = [self.catalog.production_accounts[number] for number in accounts]
        self._ask(
            self.catalog.two_stages,
            who,
            duration,
            later,
            accounts=chosen,
            environment=self.catalog.production,
            ticket="INC-4711",
        )

    @initialize(
        asks=st.lists(st.tuples(st.sampled_from(ASKERS), durations, st.booleans()), min_size=1, max_size=4),
        weather=st.sampled_from(WEATHERS),
        seed=some,
    )
    def begin(self, asks: list[tuple[Person, timedelta, bool]], weather: tuple[Fault, ...], seed: int) -> None:
        for fault in weather:
            self._let_fail(replace(fault, seed=seed))
        for who, duration, production in asks:
            if production:
                self.ask_for_production(who, {0}, duration, None)
            else:
                self.ask_for_the_sandbox(who, {0}, duration, None)

    @precondition(lambda self: self.asked)
    @rule(which=some, duration=durations)
    def ask_for_the_same_again_and_work(self, which: int, duration: timedelta) -> None:
        """Leases on one assignment that overlap, or follow each other at once."""
        request = self._request(which, "active", "approved", "ended")
        if request is None or request.environment != self.catalog.sandbox:
            return
        who = next(person for person in ASKERS if person.object_id == request.requester.object_id)
        accounts = list(request.accounts.order_by("pk"))
        self._ask(self.catalog.automatic, who, duration, None, accounts=accounts, environment=self.catalog.sandbox)
        with self.doing("ask again"):
            self.portal.work()

    def _ask(self, policy: AccessPolicy, who: Person, duration: timedelta, later: int | None, **form: Any) -> None:
        with self.doing("ask"):
            # Counted, so that a run can be repeated.
            pk = uuid.UUID(int=len(self.asked) + 1)
            self.asked.append(pk)
            start = self.portal.now + timedelta(minutes=later) if later else None
            policy.refresh_from_db()
            user = User.objects.get(pk=self.portal.user_id(who))
            in_order = (
                user.is_active
                and self.groups["Payments Engineering"].object_id in user.group_ids
                and policy.is_in_force
                and duration <= policy.longest_duration
                and len(form["accounts"]) <= policy.accounts_per_request
            )
            try:
                workflow.submit(
                    user.pk,
                    workflow.Form(
                        id=pk,
                        role=self.catalog.developer,
                        duration=duration,
                        reason=f"{WHY} ({pk.int})",
                        start=start,
                        **form,
                    ),
                )
            except Refused:
                assert not in_order
            else:
                assert in_order

    @precondition(lambda self: self.asked)
    @rule(
        who=people,
        which=some,
        yes=st.sampled_from((True, True, True, False)),
        stale=st.sampled_from((False,) * 7 + (True,)),
    )
    def decide(self, who: Person, which: int, yes: bool, stale: bool) -> None:
        request = self._request(which, RequestStatus.PENDING)
        if request is None:
            return
        with self.doing("decide"):
            user = User.objects.get(pk=self.portal.user_id(who))
            may = not stale and self._may_decide(user, request)
            if may:
                self.promises.permitted.add((request.pk, user.pk))
            answer = Decision.Answer.APPROVE if yes else Decision.Answer.DENY
            digest = "0" * 64 if stale else request.digest
            try:
                decisions.decide(user.pk, request.pk, answer, "" if yes else "Not now.", digest)
            except Refused:
                assert not may
            else:
                assert may
                self.count("decided")

    @precondition(lambda self: self.asked)
    @rule(which=some)
    def agree(self, which: int) -> None:
        """A decision by one of those who may, so that requests get somewhere."""
        request = self._request(which, RequestStatus.PENDING)
        if request is None:
            return
        deciders = User.objects.filter(pk__in=[self.portal.user_id(person) for person in DECIDERS]).order_by("pk")
        if able := [user for user in deciders if self._may_decide(user, request)]:
            with self.doing("agree"):
                self.promises.permitted.add((request.pk, able[0].pk))
                decisions.decide(able[0].pk, request.pk, Decision.Answer.APPROVE, "", request.digest)

    def _may_decide(self, user: User, request: AccessRequest) -> bool:
        """The promise in the model's own words."""
        stage = request.stages.get(position=request.stage)
        deciding = set(stage.approver_group.directory_groups.values_list("object_id", flat=True))
        return (
            user.is_active
            and request.status == RequestStatus.PENDING
            and request.lapses_at > self.portal.now
            and user.pk != request.requester_id
            and bool(deciding & user.group_ids)
            and not request.decisions.filter(decided_by=user).exists()
        )

    @precondition(lambda self: self.asked)
    @rule(who=st.sampled_from((None, None, *ASKERS)), which=some)
    def withdraw(self, who: Person | None, which: int) -> None:
        self._try("withdraw", who, self._request(which, *OPEN_REQUEST), workflow.withdraw)

    @precondition(lambda self: self.asked)
    @rule(who=st.sampled_from((None, None, None, *ASKERS)), which=some)
    def give_back(self, who: Person | None, which: int) -> None:
        self._try("give back", who, self._request(which, "active", "approved"), workflow.give_back)

    @precondition(lambda self: self.asked)
    @rule(who=st.sampled_from((company.INES, company.FARID, company.BEN)), which=some)
    def revoke(self, who: Person, which: int) -> None:
        self._try(
            "revoke",
            who,
            self._request(which, "active", "approved"),
            lambda user, pk: workflow.revoke(user, pk, "Stop."),
        )

    def _try(
        self, step: str, who: Person | None, request: AccessRequest | None, verb: Callable[[int, uuid.UUID], Any]
    ) -> None:
        """A verb by somebody, or by the person who asked; a refusal changes nothing, which the promises see."""
        if request is None:
            return
        with self.doing(step):
            try:
                verb(self.portal.user_id(who) if who else request.requester_id, request.pk)
            except Refused:
                self.count("refused")

    def _request(self, which: int, *statuses: str) -> AccessRequest | None:
        rows = AccessRequest.objects.filter(pk__in=self.asked, status__in=statuses).order_by("-submitted_at", "pk")
        found = list(rows)
        return found[which % len(found)] if found else None

    # The catalog and the directory.

    @precondition(lambda self: self.rested("change a policy", 8))
    @rule(policy=st.sampled_from(("automatic", "two_stages")), change=st.sampled_from(CHANGES))
    def change_a_policy(self, policy: str, change: dict[str, Any]) -> None:
        with self.doing("change a policy"):
            row = AccessPolicy.objects.get(pk=getattr(self.catalog, policy).pk)
            with changes.recorded(row, actor=ADMIN):
                for column, value in change.items():
                    setattr(row, column, value)
                row.save()

    @precondition(lambda self: self.rested("change who decides", 10))
    @rule(stage=st.sampled_from((1, 2)), group=st.sampled_from(("Engineering Leads", "Security Duty Officers")))
    def let_another_group_decide(self, stage: int, group: str) -> None:
        with self.doing("change who decides"):
            row = ApproverGroup.objects.get(stages__policy=self.catalog.two_stages, stages__position=stage)
            with changes.recorded(row, actor=ADMIN):
                row.directory_groups.set([self.groups[group]])
                row.save()

    @precondition(lambda self: self.rested("leave or return", 6))
    @rule(who=people, active=st.sampled_from((True, True, False)), member=st.sampled_from((True, True, False)))
    def leave_or_return(self, who: Person, active: bool, member: bool) -> None:
        with self.doing("leave or return"), transaction.atomic():
            user = User.objects.get(pk=self.portal.user_id(who))
            user.directory_groups.set([self.groups[group.name] for group in who.groups] if member else [])
            User.objects.filter(pk=user.pk).update(is_active=active)

    # AWS.

    @precondition(lambda self: self.rested("fault", 3))
    @rule(
        kind=st.sampled_from((None, None, None, *FaultKind)),
        operation=st.sampled_from(OPERATIONS),
        rate=st.sampled_from((0.3, 0.6, 1.0)),
        first=st.sampled_from((None, 1, 2)),
        seed=some,
    )
    def let_aws_fail(
        self, kind: FaultKind | None, operation: str | None, rate: float, first: int | None, seed: int
    ) -> None:
        if kind is None:
            self.count("mend")
            self.portal.simulator.faults.clear()
            return
        self.count("fault")
        self._let_fail(Fault(kind, operation=operation, rate=rate, first=first, seed=seed))

    def _let_fail(self, fault: Fault) -> None:
        self.portal.simulator.faults.add(fault)

    @precondition(lambda self: self.rested("disable", 6))
    @rule(who=st.sampled_from(ASKERS), enabled=st.booleans())
    def disable_or_enable_in_aws(self, who: Person, enabled: bool) -> None:
        self.count("disable")
        self.portal.simulator.change_user(who.user_name, enabled=enabled)

    @rule(who=st.sampled_from(ASKERS), account=st.integers(0, 2), present=st.booleans())
    def change_an_assignment_by_hand(self, who: Person, account: int, present: bool) -> None:
        principal = company.ORGANISATION.user_id(who.user_name)
        chosen = self.catalog.sandbox_accounts[account]
        key = AssignmentKey(principal, self.catalog.permission_set.arn, chosen.account_id)
        ours = Assignment.objects.filter(principal_id=principal, account=chosen).first()
        if (key in self.portal.in_aws()) == present:
            return
        if present:
            # What is put where a grant of ours was or may be cannot be told from ours, by anybody.
            if ours and (ours.was_begun or ours.operation or ours.grants.filter(status__in=OPEN_GRANT).exists()):
                return
            self.promises.standing.add(key)
        else:
            self.promises.standing.discard(key)
            self.promises.removed.add(key)
        self.count("by hand")
        self.portal.put_by_hand(key, present=present)

    # Time, work and death.

    @precondition(lambda self: self.rested("time", 3))
    @rule(by=moments)
    def let_time_go_by(self, by: timedelta) -> None:
        self.count("time")
        self.portal.forward(by)

    @rule()
    def work(self) -> None:
        with self.doing("work"):
            self.portal.work()
            self.promises.check_after_a_sweep()

    @rule(by=moments)
    def let_time_go_by_and_work(self, by: timedelta) -> None:
        self.portal.forward(by)
        with self.doing("time and work"):
            self.portal.work()
            self.promises.check_after_a_sweep()

    @rule(late=st.sampled_from((0.0, 0.0, 1.0, 40.0)))
    def let_the_next_end_come(self, late: float) -> None:
        live = Grant.objects.filter(status__in=(GrantStatus.GRANTING, GrantStatus.ACTIVE))
        ends_at = live.aggregate(at=Min("ends_at"))["at"]
        if ends_at is None:
            return
        self.portal.forward(max(ends_at - self.portal.now, timedelta(0)) + timedelta(seconds=late))
        with self.doing("next end"):
            self.portal.work()
            self.promises.check_after_a_sweep()

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
                if request := self._request(which, *RequestStatus.values):
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
    @rule()
    def mend_aws_and_come_to_rest(self) -> None:
        self.count("rest")
        self._come_to_rest()
        self.promises.check_at_rest()

    def _come_to_rest(self) -> None:
        self.portal.simulator.faults.clear()
        # The next death was to come in a step that is not this one.
        self.dies_at = None
        with self.portal.alive(Process()):
            self.portal.forward(AFTER_THE_LEASE)
            self.portal.come_to_rest()

    @invariant()
    def the_promises_hold(self) -> None:
        self.steps += 1
        type(self).counted["steps"] += 1
        self.promises.check()

    def teardown(self) -> None:
        calls = self.portal.simulator.calls.calls
        for operation in (CREATION, DELETION):
            type(self).counted[operation] += calls[operation]
        try:
            if sys.exc_info()[0] is None:
                self._come_to_rest()
                self.promises.check_at_rest()
                with self.portal.alive(Process()):
                    self.portal.until_all_is_over()
                self.promises.check_when_all_is_over()
        finally:
            self.portal.close()


@pytest.mark.timeout(24 * 3600)
def test_the_promises_hold_whatever_happens(opening: Opening, capsys: pytest.CaptureFixture[str]) -> None:
    longer = STEPS > 10_000
    chosen = settings(
        # Some runs are cut shorter.
        max_examples=STEPS // (A_RUN - 13),
        stateful_step_count=A_RUN,
        deadline=None,
        database=None,
        derandomize=not (longer or SEED),
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )

    class Driven(Machine):
        pass

    Driven.opening, Driven.counted = opening, Counter()
    test: Any = Driven
    if longer or SEED:
        seed = SEED or str(random.getrandbits(32))
        hypothesis.seed(int(seed))(test)
        with capsys.disabled():
            sys.stdout.write(f"\nCHAOS_SEED={seed}\n")
    run_state_machine_as_test(test, settings=chosen)
    steps = Driven.counted.pop("steps")
    with capsys.disabled():
        told = ", ".join(f"{count:,} × {step}" for step, count in Driven.counted.most_common())
        sys.stdout.write(f"\n{steps:,} steps: {told}\n")
    assert steps >= STEPS
