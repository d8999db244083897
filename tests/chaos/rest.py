"""When a portal in processes has come to rest, and the promises that must hold of it then."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, cast

from django.db.models import Q

from accessrequests import overdue
from accessrequests.models import AccessRequest, Assignment, Decision, Grant, Notification
from accessrequests.provisioner import AssignmentKey
from accessrequests.states import LIVE_GRANT, OPEN_GRANT, GrantStatus, RequestStatus
from auditlog import checkpoints, clock, integrity
from auditlog.models import Event
from tests.chaos.crowd import Crowd
from tests.chaos.portal import Portal
from tests.chaos.promises import Promises
from tests.chaos.told import FIRST, MOVES, TABLES
from tests.chaos.world import World

# What is due after this is not waited for: the doubt about a lost creation lasts five minutes.
SOON: Final = timedelta(seconds=61)
SENT: Final = {"creation": "assignment.creation_sent", "deletion": "assignment.deletion_sent"}
CONFIRMED: Final = {"creation": "assignment.creation_confirmed", "deletion": "assignment.deletion_confirmed"}


class Outside:
    """A world as `Promises` looks at a portal: what AWS holds, what the grants want, and the time."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def now(self) -> datetime:
        return clock.now()

    def in_aws(self) -> set[AssignmentKey]:
        held = self._world.aws.held()["assignments"]
        return {AssignmentKey(row["principal_id"], row["permission_set_arn"], row["account_id"]) for row in held}

    def wanted(self) -> set[AssignmentKey]:
        """The assignments on which a live grant leans."""
        rows = Assignment.objects.filter(grants__status__in=LIVE_GRANT)
        return {_key(row) for row in rows.select_related("permission_set", "account").distinct()}


class AtRest(Promises):
    """The promises of a portal on which several act at once: what happened has an order for each thing by itself."""

    def __init__(self, world: World, crowd: Crowd) -> None:
        super().__init__(cast(Portal, Outside(world)))
        self._world = world
        self._crowd = crowd
        self.standing = self.portal.in_aws()

    def open(self) -> list[str]:
        """What still goes on, in words."""
        now = clock.now()
        unsettled = Grant.objects.filter(status__in=OPEN_GRANT - {GrantStatus.ACTIVE})
        ending = Grant.objects.filter(status=GrantStatus.ACTIVE, ends_at__lte=now)
        in_hand = Assignment.objects.filter(~Q(operation="") | Q(due_at__lte=now + SOON) | Q(claimed_until__gte=now))
        starting = AccessRequest.objects.filter(status=RequestStatus.APPROVED)
        return [
            *(f"grant {row.pk} {row.status} until {row.ends_at}" for row in (*unsettled, *ending)),
            *(
                f"assignment {row.pk} {row.operation or 'nothing'} in flight, due {row.due_at}, claimed until "
                f"{row.claimed_until}, {row.attempts} attempts: {row.trouble}"
                for row in in_hand
            ),
            *(f"request {row.pk} approved, to start {row.start_due_at}: {row.trouble}" for row in starting),
            *(f"notification {row.pk}: {row.trouble}" for row in Notification.objects.filter(due_at__isnull=False)),
        ]

    def hold(self) -> bool:
        """Whether nothing goes on now, having held all the promises against it; what happens meanwhile breaks it off.

        Raises:
            AssertionError: a promise was broken.
        """
        recorded = self._world.recorded()
        if self.open():
            return False
        try:
            self.check_at_rest()
            self.nothing_that_was_answered_is_lost()
            self.nothing_was_asked_of_aws_for_nothing()
        except AssertionError:
            if self._world.recorded() == recorded:
                raise
            return False
        return self._world.recorded() == recorded

    def every_change_of_state_has_one_event_and_was_legal(self) -> None:
        told: dict[str, dict[str, list[str]]] = {kind: defaultdict(list) for kind in MOVES}
        for event in Event.objects.order_by("number").iterator():
            kind, _, what = event.action.partition(".")
            status = "pending" if what == "submitted" else what
            if kind in MOVES and status in MOVES[kind]:
                told[kind][event.subject_id if kind == "request" else event.data["grant"]].append(status)
        for kind, table in TABLES.items():
            changes: dict[str, list[str]] = defaultdict(list)
            for key, status in table.objects.order_by("history_id").values_list("id", "status"):
                known = changes[str(key)]
                before = known[-1] if known else None
                if status == before:
                    continue
                assert status in MOVES[kind][before] if before else status == FIRST[kind], (kind, before, status)
                known.append(status)
            assert changes == told[kind], (kind, changes.items() ^ told[kind].items())

    def only_those_decided_who_were_allowed_to(self) -> None:
        made = set(Decision.objects.values_list("request_id", "decided_by_id"))
        assert made <= self._crowd.permitted

    def nothing_that_was_answered_is_lost(self) -> None:
        """What a person was told is done."""
        assert self._crowd.submitted <= set(AccessRequest.objects.values_list("pk", flat=True))
        assert self._crowd.decided <= set(Decision.objects.values_list("request_id", "decided_by_id"))
        ended = Grant.objects.filter(request__in=self._crowd.ended)
        assert not ended.filter(status__in=LIVE_GRANT).exists()

    def nothing_was_asked_of_aws_for_nothing(self) -> None:
        """AWS was asked for each thing once, but for that whose fate could not be known: this may be repeated."""
        lives: dict[AssignmentKey, list[Mapping[str, Any]]] = defaultdict(list)
        for operation in self._world.aws.held()["operations"]:
            account, permission_set, _, principal = operation["key"]
            lives[AssignmentKey(principal, permission_set, account)].append(operation)
        for row in Assignment.objects.select_related("permission_set", "account"):
            operations, unknown = lives[_key(row)], _unknown_fates(row)
            repeated = sum(
                before["kind"] == after["kind"] and before["status"] == "SUCCEEDED"
                for before, after in pairwise(operations)
            )
            # The creation that was repeated, and one more deletion when the doubt is over.
            assert repeated <= 2 * unknown, (row, repeated, unknown, operations)
            self._events_name_each_operation_once(row, operations, unknown)

    def _events_name_each_operation_once(
        self, row: Assignment, operations: list[Mapping[str, Any]], unknown: int
    ) -> None:
        events = list(Event.objects.filter(subject_kind="assignment", subject_id=str(row.pk)))
        told = Counter((event.action, event.data.get("operation", "")) for event in events)
        assert all(times == 1 for (_, operation), times in told.items() if operation), told
        for kind in SENT:
            accepted = {each["request_id"] for each in operations if each["kind"] == kind}
            sent = {operation for action, operation in told if action == SENT[kind]}
            confirmed = {operation for action, operation in told if action == CONFIRMED[kind] and operation}
            assert confirmed <= sent <= accepted
            assert len(accepted - sent) <= unknown, (row, accepted - sent, unknown)

    def check_when_all_is_over(self) -> None:
        self.check_at_rest()
        assert self.portal.in_aws() == self.standing
        self.the_ledger_is_whole()

    def the_ledger_is_whole(self) -> None:
        verification = integrity.verify([checkpoints.public_key()])
        assert verification.whole, verification.problem
        assert not self._world.circles()
        assert not overdue.count(clock.now())


def _key(row: Assignment) -> AssignmentKey:
    return AssignmentKey(row.principal_id, row.permission_set.arn, row.account.account_id)


def _unknown_fates(row: Assignment) -> int:
    """How often we had to give up to know what became of an operation, as the history tells."""
    moments = row.history.order_by("history_id").values_list("doubt_until", "may_vanish_until")
    return len({("creation", at) for at, _ in moments if at} | {("deletion", at) for _, at in moments if at})


def _lateness() -> Iterator[float]:
    for grant in Grant.objects.filter(status=GrantStatus.ENDED, revoke_due_at__isnull=False):
        if grant.ended_at and grant.revoke_due_at:
            yield (grant.ended_at - grant.revoke_due_at).total_seconds()


def lateness() -> list[float]:
    """Seconds from when each revocation fell due until it was known to be done, the shortest first."""
    return sorted(_lateness())
