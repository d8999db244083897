"""Those who ask: for access, for the same again, for more time, too often, and in vain."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from accessrequests import workflow
from accessrequests.models import AccessRequest, Grant
from accessrequests.states import NOT_IN_VAIN, OPEN_REQUEST, GrantStatus, RequestStatus
from catalog.models import AccessPolicy
from jitportal.demo.directory import Person
from jitportal.models import User
from tests.chaos.model.stage import ASKERS, Stage, durations, some
from tests.chaos.offered import could_be_approved, is_offered, policy_of, time_in_all

WHY: Final = "Look into the stuck settlement queue."
TICKET: Final = "INC-4711"
A_MONTH: Final = 31 * 24 * 60
askers: Final = st.sampled_from(ASKERS)
additions: Final = st.sampled_from((1, 4, 20, 60, 60, 300)).map(lambda minutes: timedelta(minutes=minutes))
accounts: Final = st.sets(st.integers(0, 2), min_size=1)
often: Final = st.sampled_from((True, True, True, True, True, True, False))


class Asking(Stage):
    """What the people who need access do."""

    @rule(
        who=askers,
        accounts=accounts,
        duration=durations,
        later=st.sampled_from((None, None, None, None, 1, 30, -10)),
        work=st.booleans(),
    )
    def ask_for_the_sandbox(
        self, who: Person, accounts: set[int], duration: timedelta, later: int | None, work: bool
    ) -> None:
        self.ask(self.catalog.automatic, who, accounts, duration, later)
        if work:
            self.work_through("work on it")

    @rule(
        who=askers,
        accounts=accounts,
        duration=durations,
        later=st.sampled_from((None, None, None, 60, A_MONTH)),
        ticket=often,
        new=often,
    )
    def ask_for_production(
        self, who: Person, accounts: set[int], duration: timedelta, later: int | None, ticket: bool, new: bool
    ) -> None:
        self.ask(self.catalog.two_stages, who, accounts, duration, later, TICKET if ticket else "", new=new)

    @precondition(lambda self: self.asked)
    @rule(which=some, duration=durations)
    def ask_for_the_same_again_and_work(self, which: int, duration: timedelta) -> None:
        """Leases on one assignment that overlap, or follow each other at once."""
        request = self.request(which, "active", "approved", "ended")
        if request is None or request.environment != self.catalog.sandbox:
            return
        who = next(person for person in ASKERS if person.object_id == request.requester.object_id)
        chosen = list(request.accounts.order_by("pk"))
        numbers = {number for number, account in enumerate(self.catalog.sandbox_accounts) if account in chosen}
        self.ask(self.catalog.automatic, who, numbers, duration, None)
        self.work_through("work on it")

    @precondition(lambda self: self.asked and self.rested("send again", 6))
    @rule(which=some, who=st.sampled_from((None, None, *ASKERS)))
    def send_the_same_form_again(self, which: int, who: Person | None) -> None:
        """It is the same request, and nobody else's."""
        if (request := self.request(which, *RequestStatus.values)) is None:
            return
        user = self.user(who) if who else request.requester
        form = self._form(request.pk, policy_of(request), list(request.accounts.all()), request.duration, TICKET)
        self.attempt("send again", lambda: workflow.submit(user.pk, form), may=user == request.requester)

    def ask(
        self,
        policy: AccessPolicy,
        who: Person,
        accounts: set[int],
        duration: timedelta,
        later: int | None,
        ticket: str = "",
        *,
        new: bool = True,
    ) -> None:
        """Asks for the accounts of these numbers, `later` minutes from now; not `new`: for the last reason."""
        user, policy = self.user(who), AccessPolicy.objects.select_related("environment").get(pk=policy.pk)
        sandbox = policy == self.catalog.automatic
        of_all = self.catalog.sandbox_accounts if sandbox else self.catalog.production_accounts
        chosen = [of_all[number] for number in sorted(accounts)]
        start = self.portal.now + timedelta(minutes=later) if later is not None else None
        form = self._form(self.next_id(), policy, chosen, duration, ticket, start, new=new)
        may = (
            is_offered(policy, user, duration)
            and could_be_approved(policy, user, duration)
            and len(chosen) <= policy.accounts_per_request
            and (sandbox or ticket == TICKET)
            and (later is None or 0 <= later < A_MONTH)
            and not self._is_pending(user, form)
            and self._has_room(user)
        )
        self.attempt("ask", lambda: workflow.submit(user.pk, form), may=may)

    def _form(
        self,
        pk: uuid.UUID,
        policy: AccessPolicy,
        accounts: list[Any],
        duration: timedelta,
        ticket: str,
        start: datetime | None = None,
        *,
        new: bool = True,
    ) -> workflow.Form:
        return workflow.Form(
            id=pk,
            role=self.catalog.developer,
            environment=policy.environment,
            accounts=accounts,
            duration=duration,
            reason=f"{WHY} ({pk.int if new else pk.int - 1})",
            ticket=ticket,
            start=start,
        )

    def _is_pending(self, user: User, form: workflow.Form) -> bool:
        pending = AccessRequest.objects.filter(requester=user, status=RequestStatus.PENDING, extends=None)
        alike = pending.filter(reason=form.reason, environment=form.environment, start=form.start)
        return alike.filter(accounts__in=form.accounts).exists()

    def _has_room(self, user: User) -> bool:
        still_open = AccessRequest.objects.filter(requester=user, status__in=OPEN_REQUEST)
        return still_open.count() < workflow.MOST_OPEN

    @precondition(lambda self: self.asked)
    @rule(which=some, who=st.sampled_from((None,) * 5 + ASKERS), duration=additions, ticket=often, work=often)
    def ask_for_more_time(self, which: int, who: Person | None, duration: timedelta, ticket: bool, work: bool) -> None:
        request = self.request(which, *(("active",) if which else ("approved", "active", "ended")))
        if request is None:
            return
        user, policy = self.user(who) if who else request.requester, policy_of(request)
        held = request.grants.filter(status=GrantStatus.ACTIVE, ends_at__gt=self.portal.now).count()
        may = (
            user == request.requester
            and request.status == RequestStatus.ACTIVE
            and 0 < held <= policy.accounts_per_request
            and not request.extensions.filter(status__in=NOT_IN_VAIN).exists()
            and is_offered(policy, user, time_in_all(request) + duration)
            and could_be_approved(policy, user, time_in_all(request) + duration)
            and (policy == self.catalog.automatic or ticket)
            and self._has_room(user)
        )
        more = workflow.MoreTime(self.next_id(), duration, WHY, TICKET if ticket else "")
        self.attempt("ask for more time", lambda: workflow.extend(user.pk, request.pk, more), may=may)
        if work:
            self.work_through("work on it")

    @precondition(lambda self: self.rested("end of what is extended", 4))
    @rule(late=st.sampled_from((-1.0, 0.0, 1.0)))
    def let_the_end_of_what_is_extended_come(self, late: float) -> None:
        """The end of access whose extension is undecided, under way or there."""
        extended = Grant.objects.filter(
            request__extensions__status__in=("pending", "approved", "active"),
            status=GrantStatus.ACTIVE,
            ends_at__gt=self.portal.now,
        )
        if (grant := extended.order_by("ends_at").first()) and grant.ends_at:
            self.portal.forward(max(grant.ends_at + timedelta(seconds=late) - self.portal.now, timedelta(0)))
            self.work_through("end of what is extended")
