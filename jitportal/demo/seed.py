"""Fills an empty demo: the catalog, the people, a fortnight of requests; all through the verbs that everybody uses."""

import heapq
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Model

from accessrequests import decisions, drift, provisioner, standing, workflow
from accessrequests.models import AccessRequest, Decision, Notification, ScanCursor
from auditlog import checkpoints, clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.history import attribute
from auditlog.ledger import record
from auditlog.models import Event
from catalog import changes, joining, mirror
from catalog.models import (
    AccessPolicy,
    Account,
    AccountRule,
    ApprovalStage,
    ApproverGroup,
    DirectoryGroup,
    Environment,
    OnCallPerson,
    OnCallSchedule,
    PermissionSet,
    Role,
    Sensitivity,
)
from catalog.step_up import BOTH, Proof
from jitportal.aws.inventory import AwsInventory
from jitportal.demo import history, organisation
from jitportal.demo.directory import Person
from jitportal.demo.drain import drain
from jitportal.demo.history import Told
from jitportal.demo.simulator import AssignmentKey, Limits, Simulator
from jitportal.demo.starting_over import start_over
from jitportal.entra.hold import SYNC
from jitportal.models import User
from jitportal.people import replace_manager, subject_of
from jitportal.signin.claims import Claims
from jitportal.signin.people import take_in

SEED: Final = Actor.system("seed")
WHY: Final = "The demo's catalog."
HISTORY: Final = timedelta(days=15)
# How long ago the scan found the access that the demo's findings begin with.
LEFT_OVER: Final = timedelta(days=2, hours=3)
# Since when the ticket system is asked, by the one policy that has it so.
CHECKED_SINCE: Final = timedelta(hours=20)
PURPOSES: Final = {
    "Sandbox": "to try things in",
    "Development": "where services are built",
    "Staging": "where releases are rehearsed",
    "Production": "that customers use",
}


def is_needed() -> bool:
    """Whether this demo has not been filled, or not to its end."""
    return not _marker().exists()


def plant(simulator: Simulator) -> None:
    """Fills the demo; the simulator's limits are lifted meanwhile. What an earlier filling left half done goes.

    Raises:
        SeedCutShort: the database holds something that is not ours to throw away.
    """
    if Event.objects.exists():
        start_over(simulator)
    now = clock.now()
    today = now.replace(minute=0, second=0, microsecond=0)
    agenda = Agenda()
    for told in history.PAST:
        _tell(agenda, told, today.replace(hour=told.hour) - timedelta(days=told.days) + timedelta(minutes=7))
    for present in history.PRESENT:
        _tell(agenda, present, now - timedelta(minutes=present.minutes))
    agenda.add(now - LEFT_OVER, partial(_leave_over, simulator))
    agenda.add(now - CHECKED_SINCE, _check_tickets)
    with _unlimited(simulator):
        with clock.moved_to(today - HISTORY):
            found_company()
        agenda.carry_out(until=now)
        mirror.sync(AwsInventory(urgency=None))
    # They were told at the time.
    Notification.objects.filter(created_at__lt=now - timedelta(hours=1)).update(due_at=None, sent_at=F("created_at"))
    checkpoints.make()
    _marker().write_text("The demo in this folder is complete.\n")


@contextmanager
def _unlimited(simulator: Simulator) -> Iterator[None]:
    limits, simulator.limiter.limits = simulator.limiter.limits, Limits.lifted()
    try:
        yield
    finally:
        simulator.limiter.limits = limits


def _marker() -> Path:
    folder: Path = settings.ENVIRONMENT.data_dir
    return folder / "seeded"


def _claims(person: Person) -> Claims:
    return Claims(
        tenant_id=settings.ENTRA_TENANT_ID,
        object_id=person.object_id,
        user_name=person.user_name,
        name=person.name,
        email=person.email,
        department=person.department,
        groups=frozenset(group.object_id for group in person.groups),
    )


def found_company() -> None:
    """The company's catalog and its people, before anything has been asked for."""
    groups = {
        group.object_id: DirectoryGroup(object_id=group.object_id, name=group.name) for group in organisation.GROUPS
    }
    for row in groups.values():
        _keep(row)
    # People before the rest, for schedules name them.
    for person in organisation.PEOPLE:
        take_in(_claims(person))
    for person in organisation.PEOPLE:
        _note_manager(person)
    _catalog(groups)


@transaction.atomic
def _note_manager(person: Person) -> None:
    """As the sync would, which no sign-in of these people has been followed by."""
    row = User.objects.get(object_id=person.object_id)
    if changed := replace_manager(row, person.manager):
        record(SYNC, Action.PERSON_CHANGED, subject_of(row), {"person": row.name, "changes": changed})


def _catalog(groups: Mapping[str, DirectoryGroup]) -> None:
    inventory = AwsInventory(urgency=None)
    mirror.sync(inventory)
    roles = {name: Role(name=name, slug=_slug(name), description=words) for name, words in organisation.ROLES.items()}
    environments = {
        name: Environment(
            name=name,
            slug=_slug(name),
            description=f"The accounts {PURPOSES[name]}.",
            sensitivity=Sensitivity[name.upper()],
        )
        for name in organisation.ENVIRONMENTS
    }
    for row in roles.values():
        _keep(row)
    for name, environment in environments.items():
        with changes.recorded(environment, actor=SEED, why=WHY):
            environment.save()
            rule = AccountRule(environment=environment, ou_path=f"Workloads/{name}")
            attribute(rule, SEED, WHY)
            rule.save()
    joining.apply(inventory.tags_of)
    approvers = {
        name: ApproverGroup(name=name, is_requesters_manager=None if drawn_from else True)
        for name, drawn_from in organisation.APPROVERS.items()
    }
    for name, approver_group in approvers.items():
        with changes.recorded(approver_group, actor=SEED, why=WHY):
            approver_group.save()
            approver_group.directory_groups.set(groups[group.object_id] for group in organisation.APPROVERS[name])
    schedules = {name: _schedule(name, people) for name, people in organisation.ON_CALL_SCHEDULES.items()}
    for plan in organisation.POLICIES:
        policy = AccessPolicy(
            name=f"{plan.role} in {plan.environment}",
            role=roles[plan.role],
            environment=environments[plan.environment],
            permission_set=PermissionSet.objects.get(name=plan.permission_set),
            default_duration=timedelta(hours=plan.default_hours),
            longest_duration=timedelta(hours=plan.longest_hours),
            accounts_per_request=plan.accounts,
            ticket_pattern=plan.ticket,
            automatic_approval=_automatic(plan),
            automatic_up_to=timedelta(hours=plan.at_once_hours) if plan.at_once_hours else None,
            on_call_group=groups[plan.on_call_group.object_id] if plan.on_call_group else None,
            on_call_schedule=schedules.get(plan.on_call_schedule),
            least_reason=plan.least_reason,
            step_up_context=plan.step_up or None,
            step_up_for=BOTH if plan.step_up else None,
            step_up_longest_age=timedelta(minutes=15) if plan.step_up else None,
        )
        with changes.recorded(policy, actor=SEED, why=WHY):
            policy.save()
            policy.requestable_by.set(groups[group.object_id] for group in plan.groups)
            for position, (approver_group_name, needed) in enumerate(plan.stages, start=1):
                stage = ApprovalStage(
                    policy=policy,
                    position=position,
                    approver_group=approvers[approver_group_name],
                    approvals_needed=needed,
                )
                attribute(stage, SEED, WHY)
                stage.save()


def _schedule(name: str, people: Sequence[Person]) -> OnCallSchedule:
    """A schedule whose first turn begins when the demo does: before, people decide."""
    schedule = OnCallSchedule(
        name=name, zone="Europe/Berlin", first_handover=(clock.now() + HISTORY).replace(second=0, microsecond=0)
    )
    with changes.recorded(schedule, actor=SEED, why=WHY):
        schedule.save()
        for position, person in enumerate(people, start=1):
            row = OnCallPerson(schedule=schedule, position=position, person_id=_user_id(person))
            attribute(row, SEED, WHY)
            row.save()
    return schedule


def _automatic(plan: organisation.PolicyPlan) -> str:
    if plan.on_call_group or plan.on_call_schedule:
        return "on_call"
    if plan.at_once_hours:
        return "up_to"
    return "never" if plan.stages else "always"


def _keep(row: Model) -> None:
    with changes.recorded(row, actor=SEED, why=WHY):
        row.save()


class Agenda:
    """What happened when, carried out in that order, so that the ledger's times run forward."""

    def __init__(self) -> None:
        self._steps: list[tuple[datetime, int, Callable[[], object]]] = []
        self._number = count()

    def add(self, moment: datetime, step: Callable[[], object]) -> None:
        """Puts a step on the agenda."""
        heapq.heappush(self._steps, (moment, next(self._number), step))

    def carry_out(self, until: datetime) -> None:
        """Does every step at its time, and after it all that is then due."""
        while self._steps and self._steps[0][0] <= until:
            moment, _, step = heapq.heappop(self._steps)
            with clock.moved_to(moment):
                step()
                drain(provisioner.current())


def _tell(agenda: Agenda, told: Told, asked: datetime) -> None:
    """Puts one request on the agenda, from its ask to its end."""
    form = workflow.Form(
        id=uuid.uuid4(),
        role=Role(name=told.role),
        environment=Environment(name=told.environment),
        accounts=(),
        duration=timedelta(hours=told.hours),
        reason=told.reason,
        ticket=told.ticket,
    )
    agenda.add(asked, lambda: _ask(told, form))
    agreed = asked
    for person in told.agreed:
        agreed += timedelta(minutes=4)
        agenda.add(agreed, partial(_decide, person, form.id, Decision.Answer.APPROVE, ""))
    over = agreed + timedelta(minutes=told.after)
    by = told.by or told.person
    ends: dict[str, Callable[[], object]] = {
        "given_back": lambda: workflow.give_back(_user_id(by), form.id),
        "revoked": lambda: workflow.revoke(_user_id(by), form.id, told.words),
        "withdrawn": lambda: workflow.withdraw(_user_id(by), form.id),
        "denied": lambda: _decide(by, form.id, Decision.Answer.DENY, told.words),
    }
    if told.ended in ends:
        agenda.add(over, ends[told.ended])
    elif told.ended == "expired":
        agenda.add(agreed + form.duration, _only_what_is_due)
    elif told.ended == "lapsed":
        agenda.add(asked + settings.REQUEST_LAPSES_AFTER, _only_what_is_due)


def _leave_over(simulator: Simulator) -> None:
    """Somebody holds what the portal did not give, as everywhere before the portal came; a scan has found it."""
    account = Account.objects.get(name="Ledger Production")
    permission_set = PermissionSet.objects.get(name="DatabaseAdministrator")
    holder = organisation.BEN.user_name
    key = AssignmentKey(account.account_id, permission_set.arn, "USER", simulator.organisation.user_id(holder))
    simulator.put_assignment(key)
    now = clock.now()
    with transaction.atomic():
        ScanCursor.objects.create(started_at=now, finished_at=now, last_seen=drift.pair_count())
        standing.opened(account, permission_set, key.principal_type, key.principal_id, holder, now)


def _check_tickets() -> None:
    """From this time on one policy has its tickets checked; what was asked for before was not."""
    policy = AccessPolicy.objects.get(name="Database Administrator in Production")
    with changes.recorded(policy, actor=SEED, why="Tickets that were closed long ago were used again."):
        policy.tickets_checked = True
        policy.save()


def _only_what_is_due() -> None:
    """Nobody does anything at this time; the agenda does what is due after each step."""


def _ask(told: Told, form: workflow.Form) -> None:
    names = [f"{workload} {told.environment}" for workload in told.workloads]
    filled = replace(
        form,
        role=Role.objects.get(name=told.role),
        environment=Environment.objects.get(name=told.environment),
        accounts=list(Account.objects.filter(name__in=names)),
        proofs=_proofs(told.person),
    )
    workflow.submit(_user_id(told.person), filled)


def _decide(person: Person, request_id: uuid.UUID, answer: Decision.Answer, words: str) -> None:
    request = AccessRequest.objects.get(pk=request_id)
    decisions.decide(_user_id(person), request_id, answer, words, request.digest, _proofs(person))


def _proofs(person: Person) -> tuple[Proof, ...]:
    """What the demo's directory confirms of whoever presses its button; these people pressed it a minute before."""
    return (Proof("c1", clock.now() - timedelta(minutes=1), person.object_id, "demo"),)


def _user_id(person: Person) -> int:
    return User.objects.values_list("pk", flat=True).get(object_id=person.object_id)


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")
