"""What pages show of access requests, read in a fixed number of queries however many there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from accessrequests.models import AccessRequest, Decision, Grant, RequestStage
from accessrequests.states import (
    LIVE_GRANT,
    NOT_IN_VAIN,
    OPEN_GRANT,
    OPEN_REQUEST,
    EndReason,
    GrantStatus,
    RequestStatus,
)
from auditlog.actions import Action
from auditlog.models import Event
from catalog.models import Account
from catalog.stages import MANAGER
from catalog.step_up import DECIDING
from catalog.wording import steps

# What comes right after says as much to whoever is not looking for a fault.
STEPS_BETWEEN: Final = frozenset({Action.GRANT_WAITING, Action.GRANT_GRANTING})


@dataclass(frozen=True)
class ShownStage:
    """A stage with what was decided at it; `state` is agreed, denied, now, next or unreached.

    `set_aside` are decisions that no longer count; `who` must agree, in words.
    """

    row: RequestStage
    decisions: tuple[Decision, ...]
    set_aside: tuple[Decision, ...]
    state: str
    who: str

    @property
    def agreed(self) -> int:
        """How many have said yes."""
        return sum(decision.answer == Decision.Answer.APPROVE for decision in self.decisions)


@dataclass(frozen=True)
class Shown:
    """One request with all that belongs to it, and the words for where it stands.

    `manager` is the requester's as the directory has it now; None if it names nobody whom the portal knows.
    """

    request: AccessRequest
    now: datetime
    manager: Any = None

    @cached_property
    def accounts(self) -> list[Account]:
        """The chosen accounts, by name."""
        return list(self.request.accounts.all())

    @cached_property
    def grants(self) -> list[Grant]:
        """One an account, once it has begun to be set up."""
        return list(self.request.grants.all())

    @cached_property
    def live(self) -> list[Grant]:
        """The grants that still want to be in AWS."""
        return [grant for grant in self.grants if grant.status in LIVE_GRANT]

    @cached_property
    def active(self) -> list[Grant]:
        """The grants that AWS has confirmed and nobody has ended."""
        return [grant for grant in self.grants if grant.status == GrantStatus.ACTIVE]

    @cached_property
    def open(self) -> list[Grant]:
        """The grants that are not finished with AWS."""
        return [grant for grant in self.grants if grant.status in OPEN_GRANT]

    @cached_property
    def stages(self) -> list[ShownStage]:
        """The stages in order."""
        decisions = list(self.request.decisions.all())
        shown = []
        for row in self.request.stages.all():
            here = [decision for decision in decisions if decision.stage == row.position]
            counted = tuple(decision for decision in here if decision.set_aside_at is None)
            set_aside = tuple(decision for decision in here if decision.set_aside_at is not None)
            state = self._state(row, counted)
            shown.append(ShownStage(row, counted, set_aside, state, self._who(row, state)))
        return shown

    def _who(self, row: RequestStage, state: str) -> str:
        if not row.approver_group.is_requesters_manager or state not in ("now", "next"):
            return row.asked(row.approvals_needed)
        if self.manager is None:
            return f"{MANAGER}, and the directory names nobody whom the portal knows"
        left = "" if self.manager.is_active else ", who is disabled or locked out"
        return f"{MANAGER}: {self.manager.name}{left}"

    def _state(self, row: RequestStage, decisions: tuple[Decision, ...]) -> str:
        if any(decision.answer == Decision.Answer.DENY for decision in decisions):
            return "denied"
        if len(decisions) >= row.approvals_needed:
            return "agreed"
        if self.request.status != RequestStatus.PENDING:
            return "unreached"
        return "now" if row.position == self.request.stage else "next"

    @property
    def stage(self) -> ShownStage | None:
        """The stage that decides now."""
        return next((stage for stage in self.stages if stage.state == "now"), None)

    @property
    def deciders(self) -> str:
        """All stages in words."""
        return steps(stage.row.asked(stage.row.approvals_needed) for stage in self.stages)

    @property
    def proofs_to_agree(self) -> list[dict[str, Any]]:
        """What those must prove who agree, as its policies had it when it was asked: context, rule, longest age."""
        return [demand for demand in self.request.terms.get("step_up", ()) if demand["when"] == DECIDING]

    @property
    def waits_for(self) -> str:
        """Who must still decide, in words: "1 of Payments leads, then 2 of Security"."""
        return steps(
            stage.row.asked(stage.row.approvals_needed - stage.agreed)
            for stage in self.stages
            if stage.state in ("now", "next")
        )

    @property
    def word(self) -> str:
        """Where it stands; Active is said only of what AWS has confirmed."""
        status = self.request.status
        if status not in (RequestStatus.APPROVED, RequestStatus.ACTIVE):
            return str(self.request.get_status_display())
        if self.active:
            wanted = len(self.grants)
            return "Active" if len(self.active) == wanted else f"Active on {len(self.active)} of {wanted} accounts"
        if self.live:
            return "Being granted"
        if self.open:
            return "Being revoked"
        return "Approved, being set up" if self.is_starting else "Approved, starts later"

    @property
    def tone(self) -> str:
        """The state that colours the word."""
        if self.request.status not in (RequestStatus.APPROVED, RequestStatus.ACTIVE):
            return str(self.request.status)
        if self.active:
            return "active"
        if self.live:
            return "granting"
        if self.open:
            return "revoking"
        return "granting" if self.is_starting else "approved"

    @property
    def is_starting(self) -> bool:
        """Approved, and its start has come."""
        return not self.request.start or self.request.start <= self.now

    @property
    def is_open(self) -> bool:
        """Whether anything can still happen to it."""
        return self.request.status in OPEN_REQUEST

    @property
    def is_moving(self) -> bool:
        """Whether AWS may answer at any moment."""
        if self.request.status == RequestStatus.APPROVED:
            return self.is_starting or bool(self.grants)
        return len(self.open) > len(self.active)

    @property
    def aws_says(self) -> list[str]:
        """What keeps AWS from taking away what has to go, in its words."""
        revoking = [grant for grant in self.grants if grant.status == GrantStatus.REVOKING]
        return list(dict.fromkeys(grant.assignment.trouble for grant in revoking if grant.assignment.trouble))

    @property
    def began_at(self) -> datetime | None:
        """When the first of what is active now was confirmed."""
        return min((grant.activated_at for grant in self.active if grant.activated_at), default=None)

    @property
    def ends_at(self) -> datetime | None:
        """When the last of what is held or being granted must be gone."""
        return max((grant.ends_at for grant in self.live if grant.ends_at), default=None)

    @property
    def own_end(self) -> datetime | None:
        """When the last of what was ever held by it alone ends or ended."""
        return max((grant.ends_at for grant in self.grants if grant.ends_at), default=None)

    @cached_property
    def extended(self) -> "Shown | None":
        """The request that this one extends; of it, its grants are read."""
        return Shown(self.request.extends, self.now) if self.request.extends else None

    @property
    def new_end(self) -> datetime | None:
        """When access ends if this extension comes to something, as far as what it extends still lives."""
        before = self.extended.ends_at if self.extended else None
        return before + self.request.duration if before and before > self.now else None

    @property
    def lapses_at(self) -> datetime:
        """When it lapses if nobody decides: an extension no later than what it extends ends."""
        before = self.extended.ends_at if self.extended else None
        return min(self.request.lapses_at, before) if before else self.request.lapses_at

    @cached_property
    def extension(self) -> AccessRequest | None:
        """The request that extends this one, unless it came to nothing."""
        return next((row for row in self.request.extensions.all() if row.status in NOT_IN_VAIN), None)

    def carries_on(self, other: "Shown") -> bool:
        """Whether this extends the other and is confirmed wherever the other is held: one access to whoever has it."""
        return self.request.extends_id == other.request.pk and self.covers(other.open)

    def covers(self, grants: Iterable[Grant]) -> bool:
        """Whether this is confirmed on the account of each of these grants."""
        return {grant.account_id for grant in grants} <= {grant.account_id for grant in self.active}

    @property
    def granted(self) -> list[Grant]:
        """The grants that did not fail."""
        return [grant for grant in self.grants if grant.status != GrantStatus.FAILED]

    @property
    def is_extended(self) -> bool:
        """Whether its time is over and something that extends it has come to something."""
        came_to_something = (RequestStatus.ACTIVE, RequestStatus.ENDED)
        return bool(
            self.request.end_reason == EndReason.EXPIRED
            and self.extension
            and self.extension.status in came_to_something
        )

    @property
    def total(self) -> timedelta:
        """The agreed duration; of an extension, with all that came before it."""
        return self.request.duration + timedelta(seconds=self.request.terms.get("already_seconds", 0))

    @property
    def seconds(self) -> int:
        """The total, for a countdown."""
        return int(self.total.total_seconds())

    @property
    def seconds_left(self) -> int:
        """What is left of it."""
        return max(0, int((self.ends_at - self.now).total_seconds())) if self.ends_at else 0

    @property
    def sessions_until(self) -> datetime | None:
        """Until when sessions already open may live: what follows from the end to come, or was recorded at the end."""
        if self.ends_at:
            return self.ends_at + self.request.permission_set.session_duration
        return max((grant.sessions_until for grant in self.grants if grant.sessions_until), default=None)

    @property
    def why_over(self) -> str:
        """Why it ended, in words; by whom and for which reason, where a person ended it."""
        label, outcome = str(self.request.get_end_reason_display()), str(self.request.outcome)
        return outcome if outcome.startswith(label) else f"{label}. {outcome}".strip()

    @property
    def stays(self) -> bool:
        """Whether an assignment stays in AWS although its grant has ended; the grant's outcome says why."""
        return any(
            grant.status == GrantStatus.ENDED and grant.activated_at and not grant.sessions_until
            for grant in self.grants
        )

    @property
    def sessions_live(self) -> bool:
        """Whether, after its end, sessions may still be open."""
        return not self.open and self.sessions_until is not None and self.sessions_until > self.now

    @property
    def parts(self) -> tuple[object, ...]:
        """What a reader sees change; see `live.signature`."""
        request = self.request
        grants = [(grant.pk, grant.status, grant.ends_at, grant.outcome) for grant in self.grants]
        decisions = [stage.agreed for stage in self.stages]
        return (
            request.pk,
            request.status,
            request.stage,
            request.trouble,
            self.word,
            self.sessions_live,
            self.aws_says,
            grants,
            decisions,
        )


def read(requests: QuerySet[AccessRequest], now: datetime) -> list[Shown]:
    """The requests with everything a page shows of them, in nine queries; one more where a manager decides."""
    rows = requests.select_related("role", "environment", "permission_set", "requester", "extends").prefetch_related(
        "accounts",
        "grants__account",
        "grants__assignment",
        "stages__approver_group",
        "stages__escalation_group",
        "decisions__decided_by",
        "extends__grants",
        "extensions",
    )
    managers = _managers(rows)
    return [Shown(row, now, managers.get(row.requester.manager_object_id)) for row in rows]


def _managers(requests: Iterable[AccessRequest]) -> dict[str, Any]:
    """The managers of those who ask, by object id, of requests at which a manager decides; often none, unasked."""
    wanted = {
        row.requester.manager_object_id
        for row in requests
        if row.status == RequestStatus.PENDING
        and any(stage.approver_group.is_requesters_manager for stage in row.stages.all())
    }
    if not any(wanted):
        return {}
    return {row.object_id: row for row in get_user_model().objects.filter(object_id__in=filter(None, wanted))}


def held_by(people: Iterable[int], now: datetime) -> dict[int, list[Shown]]:
    """What each of these people (by user id) holds or is being granted at this moment; what was extended once."""
    ids = AccessRequest.objects.filter(requester_id__in=set(people), grants__status__in=OPEN_GRANT).values("pk")
    held: dict[int, list[Shown]] = {}
    for shown in read(AccessRequest.objects.filter(pk__in=ids), now):
        held.setdefault(shown.request.requester_id, []).append(shown)
    return {
        person: [one for one in rows if not any(other.carries_on(one) for other in rows)]
        for person, rows in held.items()
    }


def still_held(ended: AccessRequest, now: datetime) -> list[Shown]:
    """The other requests of the same person that hold the access which this one has just given up, if any do."""
    assignments = Grant.objects.filter(request=ended).values("assignment")
    others = Grant.objects.filter(assignment__in=assignments, status__in=LIVE_GRANT).exclude(request=ended)
    return read(AccessRequest.objects.filter(pk__in=others.values("request")), now)


def timeline(request: AccessRequest) -> list[Event]:
    """What is told of this request, the oldest first: what came of it once it was asked, without steps in between.

    The ledger has all of it, also what was refused before the form was filled in rightly.
    """
    events = list(Event.objects.filter(subject_kind="request", subject_id=str(request.pk)).order_by("number"))
    asked = next((event.number for event in events if event.action == Action.REQUEST_SUBMITTED), 0)
    return [event for event in events if event.number >= asked and event.action not in STEPS_BETWEEN]
