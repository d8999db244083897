"""The catalog and the directory, which change while requests are under way."""

from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from accessrequests.states import RequestStatus
from auditlog.actor import Actor
from catalog import changes
from catalog.models import AccessPolicy, ApproverGroup
from jitportal.demo.directory import Person
from jitportal.models import User
from tests.chaos.model.stage import ASKERS, EVERYBODY, Stage, some

ADMIN: Final = Actor.system("admin")
GOOD: Final[dict[str, Any]] = {"is_in_force": True, "longest_duration": timedelta(hours=8)}
CHANGES: Final[tuple[dict[str, Any], ...]] = (
    GOOD,
    GOOD,
    GOOD,
    {"longest_duration": timedelta(hours=1)},
    {"is_in_force": False},
)
mostly: Final = st.sampled_from((True, True, True, True, False))


class Offering(Stage):
    """What admins and the directory do."""

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
    @rule(who=st.sampled_from((*ASKERS, *ASKERS, *EVERYBODY)), active=mostly, member=mostly, works=st.booleans())
    def leave_or_return(self, who: Person, active: bool, member: bool, works: bool) -> None:
        self._leave_or_return(who, active, member)
        if works:
            self.work_through("work after it")

    @precondition(lambda self: self.asked and self.rested("leave or return", 12))
    @rule(which=some)
    def let_somebody_leave_who_holds_access(self, which: int) -> None:
        if request := self.request(which, RequestStatus.ACTIVE):
            holder = next(person for person in ASKERS if person.object_id == request.requester.object_id)
            self._leave_or_return(holder, active=False, member=True)
            self.work_through("work after it")

    def _leave_or_return(self, who: Person, active: bool, member: bool) -> None:
        with self.doing("leave or return"), transaction.atomic():
            user = User.objects.get(pk=self.portal.user_id(who))
            user.directory_groups.set([self.groups[group.name] for group in who.groups] if member else [])
            User.objects.filter(pk=user.pk).update(is_active=active)
