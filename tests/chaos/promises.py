"""The promises of the product as checks that hold after every step, whatever happened in it."""

from datetime import timedelta
from typing import Any, Final

from django.db.models import Q

from accessrequests.grants import AWS_MAY_TAKE
from accessrequests.models import AccessRequest, Assignment, Decision, Grant
from accessrequests.provisioner import AssignmentKey
from accessrequests.states import (
    GRANT_MOVES,
    LIVE_GRANT,
    OPEN_GRANT,
    REQUEST_MOVES,
    GrantStatus,
    RequestStatus,
)
from auditlog import integrity
from auditlog.chain import Walk
from auditlog.models import ChainHead, Event
from tests.chaos.portal import Portal

FIRST: Final = {"request": RequestStatus.PENDING, "grant": GrantStatus.WAITING}
MOVES: Final[dict[str, Any]] = {"request": REQUEST_MOVES, "grant": GRANT_MOVES}
TABLES: Final[dict[str, Any]] = {"request": AccessRequest.history.model, "grant": Grant.history.model}


class Promises:
    """Reads on from where it last stood, so that a check costs what a step wrote and no more."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.standing: set[AssignmentKey] = set()
        self.removed: set[AssignmentKey] = set()
        self.permitted: set[tuple[Any, int]] = set()
        head = ChainHead.objects.get()
        self._walk = Walk(head.number, head.hash)
        self._read = {"request": 0, "grant": 0, "decision": 0}
        self._statuses: dict[Any, str] = {}

    def check(self) -> None:
        """All that must be true at any moment."""
        self.every_change_of_state_has_one_event_and_was_legal()
        self.only_those_decided_who_were_allowed_to()
        self.live_grants_have_an_honest_end()
        self.active_is_what_aws_has()
        self.standing_access_is_never_deleted()

    def every_change_of_state_has_one_event_and_was_legal(self) -> None:
        told: dict[str, list[tuple[str, str]]] = {"request": [], "grant": []}
        for event in Event.objects.filter(number__gt=self._walk.number).order_by("number"):
            record = self._walk.step(event.canonical, event.hash, event.shown)
            kind, _, what = event.action.partition(".")
            status = "pending" if what == "submitted" else what
            if kind in MOVES and status in MOVES[kind]:
                told[kind].append((event.subject_id if kind == "request" else record["data"]["grant"], status))
        assert ChainHead.objects.values_list("number", "hash").get() == (self._walk.number, self._walk.hash)
        for kind, table in TABLES.items():
            changes = []
            rows = table.objects.filter(history_id__gt=self._read[kind]).order_by("history_id")
            for number, key, status in rows.values_list("history_id", "id", "status"):
                self._read[kind] = number
                before = self._statuses.get(key)
                if status == before:
                    continue
                assert status in MOVES[kind][before] if before else status == FIRST[kind], (kind, before, status)
                self._statuses[key] = status
                changes.append((str(key), str(status)))
            assert changes == told[kind]

    def only_those_decided_who_were_allowed_to(self) -> None:
        rows = Decision.objects.filter(pk__gt=self._read["decision"]).order_by("pk")
        for pk, request, person in rows.values_list("pk", "request_id", "decided_by_id"):
            self._read["decision"] = pk
            assert (request, person) in self.permitted
            # Once a person.
            self.permitted.remove((request, person))

    def live_grants_have_an_honest_end(self) -> None:
        rows = Grant.objects.filter(status__in=(GrantStatus.GRANTING, GrantStatus.ACTIVE))
        for starts_at, ends_at, duration in rows.values_list("starts_at", "ends_at", "request__duration"):
            assert starts_at is not None
            assert ends_at is not None
            assert timedelta(0) < ends_at - starts_at <= max(duration, AWS_MAY_TAKE)

    def active_is_what_aws_has(self) -> None:
        rows = Assignment.objects.filter(grants__status=GrantStatus.ACTIVE).distinct()
        active = {
            AssignmentKey(*row)
            for row in rows.values_list("principal_id", "permission_set__arn", "account__account_id")
        }
        there = self.portal.in_aws()
        self.removed -= there
        assert active - self.removed <= there

    def standing_access_is_never_deleted(self) -> None:
        assert self.standing <= self.portal.in_aws()

    def check_after_a_sweep(self) -> None:
        """What the scheduler owes at the moment it has looked, whether or not AWS answers."""
        live = Grant.objects.filter(status__in=(GrantStatus.GRANTING, GrantStatus.ACTIVE))
        assert not live.filter(ends_at__lte=self.portal.now).exists()

    def check_at_rest(self) -> None:
        """What must be true once nothing fails any more and everything due has been done."""
        self.check()
        self.check_after_a_sweep()
        wanted = self.portal.wanted()
        assert self.portal.in_aws() == (wanted - self.removed) | self.standing
        open_grants = Grant.objects.filter(status__in=OPEN_GRANT)
        assert not open_grants.exclude(status=GrantStatus.ACTIVE).exists()
        assert not Assignment.objects.filter(~Q(operation="") | Q(claimed_until__gte=self.portal.now)).exists()
        for request in AccessRequest.objects.filter(status__in=(RequestStatus.APPROVED, RequestStatus.ACTIVE)):
            is_live = request.grants.filter(status__in=LIVE_GRANT).exists()
            assert is_live == (request.status == RequestStatus.ACTIVE)
            assert is_live or (request.start_due_at is not None and request.start_due_at > self.portal.now)

    def check_when_all_is_over(self) -> None:
        """At the very end: nothing but standing access in AWS, and a ledger that verifies as a whole."""
        self.check_at_rest()
        assert self.portal.in_aws() == self.standing
        verification = integrity.verify([])
        assert verification.whole, verification.problem
