"""Those who decide, and all who end what was asked for: withdraw, give back, revoke."""

import uuid
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from accessrequests import decisions, workflow
from accessrequests.models import AccessRequest, Decision, Grant
from accessrequests.states import LIVE_GRANT, OPEN_REQUEST, RequestStatus
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.models import User
from tests.chaos.model.stage import ASKERS, DECIDERS, Stage, people, some
from tests.chaos.offered import chain_of


class Deciding(Stage):
    """What is done about a request once it is made."""

    @precondition(lambda self: self.asked)
    @rule(
        who=people,
        which=some,
        yes=st.sampled_from((True, True, True, False)),
        stale=st.sampled_from((False,) * 7 + (True,)),
        silent=st.sampled_from((False,) * 3 + (True,)),
    )
    def decide(self, who: Person, which: int, yes: bool, stale: bool, silent: bool) -> None:
        # Some decide on what is decided.
        if (request := self.request(which, *(("pending",) if which else RequestStatus.values))) is None:
            return
        user = self.user(who)
        decides = self._may_agree if yes else self._may_deny
        may = not stale and (yes or not silent) and decides(user, request)
        if may:
            self.promises.permitted.add((request.pk, user.pk))
        answer = Decision.Answer.APPROVE if yes else Decision.Answer.DENY
        digest, comment = "0" * 64 if stale else request.digest, "" if silent else "Not now."
        self.attempt("decide", lambda: decisions.decide(user.pk, request.pk, answer, comment, digest), may=may)

    @precondition(lambda self: self.asked)
    @rule(which=some)
    def agree(self, which: int) -> None:
        """A decision by one of those who may, so that requests get somewhere."""
        if (request := self.request(which, RequestStatus.PENDING)) is None:
            return
        deciders = User.objects.filter(pk__in=[self.portal.user_id(person) for person in DECIDERS]).order_by("pk")
        if able := next((user for user in deciders if self._may_agree(user, request)), None):
            self.promises.permitted.add((request.pk, able.pk))
            with self.doing("agree"):
                decisions.decide(able.pk, request.pk, Decision.Answer.APPROVE, "", request.digest)

    def _may_agree(self, user: User, request: AccessRequest) -> bool:
        # Each decides once: nobody whom alone the stage after this one is left with.
        return self._may_deny(user, request) and not any(
            self._able(request, stage) == {user.pk} for stage in range(request.stage + 1, 3)
        )

    def _may_deny(self, user: User, request: AccessRequest) -> bool:
        """The promise in the model's own words."""
        if request.status != RequestStatus.PENDING or request.lapses_at <= self.portal.now:
            return False
        if request.extends_id and not self._holds({request.extends_id}, ends_at__gt=self.portal.now):
            return False
        return (
            user.is_active
            and user.pk != request.requester_id
            and user.pk in self._able(request, request.stage)
            and not request.decisions.filter(decided_by=user).exists()
        )

    def _able(self, request: AccessRequest, position: int) -> set[int]:
        """Who could decide at one of its two stages, each of which asks one of a group, as far as groups say."""
        group = request.stages.get(position=position).approver_group_id
        able = User.objects.filter(directory_groups__approver_groups=group, is_active=True)
        return set(able.exclude(pk=request.requester_id).values_list("pk", flat=True))

    @precondition(lambda self: self.asked)
    @rule(who=st.sampled_from((None, None, *ASKERS)), which=some)
    def withdraw(self, who: Person | None, which: int) -> None:
        if (request := self.request(which, *(("pending",) if which else OPEN_REQUEST))) is None:
            return
        user = self.user(who) if who else request.requester
        waits = request.status == RequestStatus.PENDING or self._has_not_begun(request)
        may = user == request.requester and waits
        self.attempt("withdraw", lambda: workflow.withdraw(user.pk, request.pk), may=may)

    @precondition(lambda self: self.asked)
    @rule(who=st.sampled_from((None, None, None, *ASKERS)), which=some)
    def give_back(self, who: Person | None, which: int) -> None:
        if (request := self.request(which, *(("active",) if which else OPEN_REQUEST))) is None:
            return
        user = self.user(who) if who else request.requester
        may = user == request.requester and self._holds(chain_of(request))
        self.attempt("give back", lambda: self._end(workflow.give_back, user, request.pk), may=may)

    @precondition(lambda self: self.asked)
    @rule(
        who=st.sampled_from((company.INES, company.INES, company.FARID, company.BEN)),
        which=some,
        why=st.sampled_from(("Stop.", "Stop.", "Stop.", " ")),
    )
    def revoke(self, who: Person, which: int, why: str) -> None:
        # Some has not begun yet.
        if (request := self.request(which, *(("active",) if which else ("approved",)))) is None:
            return
        user = self.user(who)
        deciding = request.stages.values_list("approver_group__directory_groups__object_id", flat=True)
        is_asked = company.ADMINS.object_id in user.group_ids or bool(set(deciding) & user.group_ids)
        there = self._has_not_begun(request) or self._holds(chain_of(request))
        may = user.is_active and is_asked and there and bool(why.strip())
        self.attempt("revoke", lambda: self._end(workflow.revoke, user, request.pk, why), may=may)

    def _end(self, verb: Any, user: User, pk: uuid.UUID, *why: str) -> None:
        """Whoever ends access ends all of its chain, at once."""
        ended = verb(user.pk, pk, *why)
        assert not self._holds(chain_of(ended))
        assert not self._has_not_begun(ended)

    def _has_not_begun(self, request: AccessRequest) -> bool:
        return request.status == RequestStatus.APPROVED and not request.grants.exists()

    def _holds(self, requests: set[Any], **more: Any) -> bool:
        return Grant.objects.filter(request__in=requests, status__in=LIVE_GRANT, **more).exists()
