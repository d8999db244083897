"""The promises of the product as checks that hold after every step, whatever happened in it."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q

from accessrequests.grants import AWS_MAY_TAKE
from accessrequests.models import AccessRequest, Assignment, Finding, Grant
from accessrequests.provisioner import AssignmentKey
from accessrequests.states import (
    LIVE_GRANT,
    OPEN_GRANT,
    STANDING_FINDING,
    FindingStatus,
    GrantStatus,
    RequestStatus,
)
from auditlog import integrity
from tests.chaos.offered import is_offered, policy_of, time_in_all
from tests.chaos.portal import Portal
from tests.chaos.told import MODELS, News, Told

STARTED = (GrantStatus.GRANTING, GrantStatus.ACTIVE)


class Promises:
    """Checks what a step wrote, and what AWS has become in it.

    What was done past the portal has to be told: access that others put there (`standing`) or took away (`removed`),
    and until when an admin lets some stay (`adopted`); and who was allowed to decide on what (`permitted`).
    """

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.standing: set[AssignmentKey] = set()
        self.adopted: dict[AssignmentKey, datetime] = {}
        self.removed: set[AssignmentKey] = set()
        self.permitted: set[tuple[Any, int]] = set()
        self._told = Told()
        self._news = News()
        # Whether anything was written since the last check; as long as nobody has looked, it may have been.
        self._is_changed = True
        self._active: set[AssignmentKey] = set()

    def check(self) -> None:
        """All that must be true at any moment."""
        self.every_change_of_state_has_one_event_and_was_legal()
        if self._is_changed:
            self._active = self._leaning(GrantStatus.ACTIVE)
            self.only_those_decided_who_were_allowed_to()
            self.access_begins_only_for_the_eligible()
            self.live_grants_have_an_honest_end()
            self.more_time_joins_what_it_extends()
            self.what_has_ended_is_gone_or_says_why()
        self.active_is_what_aws_has()
        self.standing_access_is_never_deleted()

    def every_change_of_state_has_one_event_and_was_legal(self) -> None:
        news = self._told.read()
        self._is_changed = news is not None
        self._news = news or News()

    def only_those_decided_who_were_allowed_to(self) -> None:
        for decision in self._news.decided:
            assert decision in self.permitted
            # Once a person.
            self.permitted.remove(decision)

    def access_begins_only_for_the_eligible(self) -> None:
        began = [key for kind, key, before, _ in self._news.moved if kind == "grant" and before in (None, "waiting")]
        if not began:
            return
        rows = AccessRequest.objects.filter(grants__in=began, grants__status__in=LIVE_GRANT)
        for request in rows.select_related("requester", "extends").distinct():
            assert is_offered(policy_of(request), request.requester, time_in_all(request))

    def live_grants_have_an_honest_end(self) -> None:
        rows = Grant.objects.filter(status__in=STARTED)
        for starts_at, ends_at, duration in rows.values_list("starts_at", "ends_at", "request__duration"):
            assert starts_at is not None
            assert ends_at is not None
            assert timedelta(0) < ends_at - starts_at <= max(duration, AWS_MAY_TAKE)

    def more_time_joins_what_it_extends(self) -> None:
        confirmed = [key for kind, key, _, now in self._news.moved if (kind, now) == ("grant", GrantStatus.ACTIVE)]
        if not confirmed:
            return
        for grant in Grant.objects.filter(pk__in=confirmed, request__extends__isnull=False):
            extended = Grant.objects.get(request__extensions=grant.request_id, account=grant.account_id)
            assert extended.ends_at
            assert grant.activated_at
            if extended.status in LIVE_GRANT and extended.ends_at > grant.activated_at:
                assert grant.starts_at == extended.ends_at
            else:
                assert grant.starts_at in (extended.ends_at, grant.activated_at)

    def what_has_ended_is_gone_or_says_why(self) -> None:
        ended = [key for kind, key, _, now in self._news.moved if (kind, now) == ("grant", GrantStatus.ENDED)]
        if not ended:
            return
        there, wanted = self.portal.in_aws(), self._leaning(*OPEN_GRANT)
        for grant in Grant.objects.filter(pk__in=ended).select_related("assignment__permission_set", "account"):
            assignment = grant.assignment
            key = AssignmentKey(assignment.principal_id, assignment.permission_set.arn, grant.account.account_id)
            # Ours and due: a lost creation came true, and goes in its turn.
            is_watched = assignment.was_begun and assignment.due_at is not None
            is_explained = "in AWS" in grant.outcome
            assert key not in there or key in wanted or is_explained or is_watched

    def active_is_what_aws_has(self) -> None:
        there = self.portal.in_aws()
        self.removed -= there
        assert self._active - self.removed <= there

    def standing_access_is_never_deleted(self) -> None:
        there = self.portal.in_aws()
        self.adopted = {key: until for key, until in self.adopted.items() if until > self.portal.now}
        assert self.standing <= there
        assert self.adopted.keys() <= there

    def _leaning(self, *statuses: str) -> set[AssignmentKey]:
        rows = Assignment.objects.filter(grants__status__in=statuses)
        return {
            AssignmentKey(*row)
            for row in rows.values_list("principal_id", "permission_set__arn", "account__account_id")
        }

    def check_after_a_sweep(self) -> None:
        """What the scheduler owes at the moment it has looked, whether or not AWS answers."""
        assert not Grant.objects.filter(status__in=STARTED, ends_at__lte=self.portal.now).exists()

    def check_after_a_tick(self) -> None:
        """What it owes once a second besides: nobody who has left holds anything, nothing undecided waits in vain."""
        self.check_after_a_sweep()
        assert not Grant.objects.filter(status__in=LIVE_GRANT, request__requester__is_active=False).exists()
        held = Grant.objects.filter(status__in=LIVE_GRANT, ends_at__gt=self.portal.now).values("request")
        too_late = Q(lapses_at__lte=self.portal.now) | Q(extends__isnull=False) & ~Q(extends__in=held)
        assert not AccessRequest.objects.filter(too_late, status=RequestStatus.PENDING).exists()

    def the_rows_stand_where_their_histories_have_brought_them(self) -> None:
        for model in MODELS.values():
            last = dict(model.history.model.objects.order_by("history_id").values_list("id", "status"))
            assert dict(model.objects.values_list("pk", "status")) == last

    def check_at_rest(self) -> None:
        """What must be true once nothing fails any more and everything due has been done."""
        self.check()
        self.check_after_a_sweep()
        self.the_rows_stand_where_their_histories_have_brought_them()
        wanted = self.portal.wanted()
        assert self.portal.in_aws() == (wanted - self.removed) | self.standing | self.adopted.keys()
        open_grants = Grant.objects.filter(status__in=OPEN_GRANT)
        assert not open_grants.exclude(status=GrantStatus.ACTIVE).exists()
        assert not Assignment.objects.filter(~Q(operation="") | Q(claimed_until__gte=self.portal.now)).exists()
        for request in AccessRequest.objects.filter(status__in=(RequestStatus.APPROVED, RequestStatus.ACTIVE)):
            is_live = request.grants.filter(status__in=LIVE_GRANT).exists()
            assert is_live == (request.status == RequestStatus.ACTIVE)
            assert is_live or (request.start_due_at is not None and request.start_due_at > self.portal.now)

    def check_when_looked_over(self) -> None:
        """At rest after a whole round of the scan: nothing in AWS is unaccounted for, and nothing wanted is missing."""
        self.removed.clear()
        self.check_at_rest()
        standing, adopted = self._found(*STANDING_FINDING), self._found(FindingStatus.ADOPTED, FindingStatus.REMOVING)
        assert standing == self.standing
        assert self.adopted.keys() <= adopted <= self.portal.in_aws()
        assert adopted - self.adopted.keys() <= self.portal.wanted()
        assert not Finding.objects.filter(status=FindingStatus.ACCEPTED, review_at__lte=self.portal.now).exists()

    def _found(self, *statuses: str) -> set[AssignmentKey]:
        rows = Finding.objects.filter(status__in=statuses)
        return {
            AssignmentKey(*row)
            for row in rows.values_list("principal_id", "permission_set__arn", "account__account_id")
        }

    def check_when_all_is_over(self) -> None:
        """At the very end: nothing but standing access in AWS, and a ledger that verifies as a whole."""
        self.check_at_rest()
        assert self.portal.in_aws() == self.standing
        verification = integrity.verify([])
        assert verification.whole, verification.problem

    def check_that_nothing_was_overdue(self, since: datetime) -> None:
        """For when AWS has answered as it should, and nobody has died, since then."""
        late = Q(ended_at__gt=F("revoke_due_at") + settings.OVERDUE_AFTER)
        assert not Grant.objects.filter(late, revoke_due_at__gt=since).exists()
