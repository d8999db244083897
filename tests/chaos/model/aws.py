"""AWS and those who change it past the portal; the scan that finds out, and the admins who settle what it found."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from django.db.models import Q
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from accessrequests import drift, findings, provisioner, tasks
from accessrequests.models import Assignment, Finding
from accessrequests.provisioner import AssignmentKey
from accessrequests.states import ADOPTED_FINDING, OPEN_GRANT, STANDING_FINDING, FindingStatus, Presence
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.demo.simulator import Fault, FaultKind
from jitportal.models import User
from tests.chaos.model.stage import ASKERS, Stage, some

CREATION, DELETION = "CreateAccountAssignment", "DeleteAccountAssignment"
OPERATIONS: Final = (
    None,
    CREATION,
    DELETION,
    "ListAccountAssignments",
    "ListAccountAssignmentCreationStatus",
    "ListAccountAssignmentDeletionStatus",
    "DescribeAccountAssignmentDeletionStatus",
    "DescribeUser",
)
LOST: Final = (FaultKind.LOST_REPLY, FaultKind.INTERNAL_AFTER)
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
# A group of the directory: the portal neither gives to groups nor takes from them.
CONTRACTORS: Final = "c0000000-0000-4000-8000-000000000001"
# None is that group.
holders: Final = st.sampled_from((*ASKERS, *ASKERS, None))
ADMIN: Final = company.INES


class AtAws(Stage):
    """Faults, hands and drift."""

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
        self.portal.simulator.faults.add(Fault(kind, operation=operation, rate=rate, first=first, seed=seed))

    def let_weather_come(self, weather: tuple[Fault, ...], seed: int) -> None:
        """Faults that last."""
        for fault in weather:
            self.portal.simulator.faults.add(replace(fault, seed=seed))

    @precondition(lambda self: self.rested("disable", 6))
    @rule(who=st.sampled_from(ASKERS), enabled=st.sampled_from((True, True, False)))
    def disable_or_enable_in_aws(self, who: Person, enabled: bool) -> None:
        self.count("disable")
        self.portal.simulator.change_user(who.user_name, enabled=enabled)

    @rule(holder=holders, account=st.integers(0, 3), looks=st.sampled_from((True, True, False)))
    def put_an_assignment_by_hand(self, holder: Person | None, account: int, looks: bool) -> None:
        """Standing access; it is seen by a scan at once, or later."""
        key = self._key(holder, account)
        ours = self._row(key)
        # What is put where a grant of ours was or may be cannot be told from ours, by anybody.
        if ours and (ours.was_begun or ours.operation or ours.grants.filter(status__in=OPEN_GRANT).exists()):
            return
        if key not in self.portal.in_aws():
            self.count("put by hand")
            self.promises.standing.add(key)
            self.portal.put_by_hand(key, present=True, holder="USER" if holder else "GROUP")
        if looks:
            self._scan()

    @precondition(lambda self: self.portal.in_aws())
    @rule(which=some, looks=st.booleans())
    def take_an_assignment_away_by_hand(self, which: int, looks: bool) -> None:
        """Somebody's access, ours or not."""
        there = sorted(self.portal.in_aws(), key=str)
        key = there[which % len(there)]
        self.count("taken by hand")
        self.promises.standing.discard(key)
        self.promises.adopted.pop(key, None)
        self.promises.removed.add(key)
        holder = "GROUP" if key.principal_id == CONTRACTORS else "USER"
        self.portal.put_by_hand(key, present=False, holder=holder)
        if looks:
            self._scan()

    def _key(self, holder: Person | None, account: int) -> AssignmentKey:
        principal = company.ORGANISATION.user_id(holder.user_name) if holder else CONTRACTORS
        chosen = (*self.catalog.sandbox_accounts, *self.catalog.production_accounts)[account]
        return AssignmentKey(principal, self.catalog.permission_set.arn, chosen.account_id)

    @precondition(lambda self: self.rested("scan", 5))
    @rule(calls=st.sampled_from((1, 3, 200)))
    def scan(self, calls: int) -> None:
        self._scan(calls)

    def _scan(self, calls: int = drift.MOST_CALLS) -> None:
        with self.doing("scan"):
            if calls == drift.MOST_CALLS:
                tasks.scan.run()
            else:
                drift.scan(provisioner.current(), most_calls=calls)

    @precondition(lambda self: self.promises.standing or self.promises.adopted)
    @rule(
        which=some,
        who=st.sampled_from((ADMIN, ADMIN, ADMIN, ADMIN, company.FARID)),
        verb=st.sampled_from(("adopt", "adopt", "remove", "accept")),
        minutes=st.sampled_from((1, 20, 200, 1800, 1800, -1, 370 * 24 * 60)),
        why=st.sampled_from(("It was found.",) * 5 + (" ",)),
    )
    def settle_a_finding(self, which: int, who: Person, verb: str, minutes: int, why: str) -> None:
        rows = Finding.objects.select_related("account", "permission_set")
        found = list(rows.order_by("closed_at", "-first_seen_at", "account__account_id", "principal_id"))
        found = [finding for finding in found if finding.closed_at is None] or found[:1]
        if not found:
            self._scan()
            return
        finding, user = found[which % len(found)], self.user(who)
        until = self.portal.now + timedelta(minutes=minutes)
        is_dated = verb == "remove" or 0 < minutes <= 366 * 24 * 60
        may = is_dated and bool(why.strip()) and self._may_settle(user, finding, verb)
        told: dict[str, Any] = {"user_id": user.pk, "finding_id": finding.pk, "reason": why}
        if verb == "adopt":
            told["until"] = until
        if verb == "accept":
            told |= {"owner": "The payments team", "review_at": until}
        self.attempt(verb, lambda: getattr(findings, verb)(**told), may=may)
        finding.refresh_from_db()
        key = AssignmentKey(finding.principal_id, finding.permission_set.arn, finding.account.account_id)
        is_there = key in self.promises.standing or key in self.promises.adopted
        if is_there and finding.status in ADOPTED_FINDING and finding.until:
            self.promises.standing.discard(key)
            self.promises.adopted[key] = finding.until

    def _may_settle(self, user: User, finding: Finding, verb: str) -> bool:
        settled = STANDING_FINDING if verb == "accept" else STANDING_FINDING | {FindingStatus.ADOPTED}
        is_open = user.is_active and company.ADMINS.object_id in user.group_ids and finding.status in settled
        by_name = Q(user_name__iexact=finding.principal_name or "nobody's")
        holders = User.objects.filter(Q(principal_id=finding.principal_id) | by_name)
        is_user = finding.principal_type == Finding.Principal.USER
        if verb != "remove" and is_user and any(each == user or not each.is_active for each in holders):
            return False
        if verb == "accept" or not is_open:
            return is_open
        same = Q(principal_id=finding.principal_id)
        if finding.principal_name:
            same |= Q(principal_id="", user_name=finding.principal_name)
        is_known = verb == "remove" or User.objects.filter(same).exists()
        key = AssignmentKey(finding.principal_id, finding.permission_set.arn, finding.account.account_id)
        row = self._row(key)
        is_busy = row is not None and (
            bool(row.operation)
            or (row.was_begun and not row.is_standing and row.presence != Presence.ABSENT and row.adopted_until is None)
        )
        return finding.principal_type == Finding.Principal.USER and is_known and not is_busy

    def _row(self, key: AssignmentKey) -> Assignment | None:
        rows = Assignment.objects.filter(principal_id=key.principal_id, account__account_id=key.account_id)
        return rows.filter(permission_set__arn=key.permission_set_arn).first()
