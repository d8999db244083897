"""What ledger, histories and decisions say since they were last read; and that they say the same, each thing once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from accessrequests.models import AccessRequest, Decision, Finding, Grant
from accessrequests.states import GRANT_MOVES, REQUEST_MOVES, FindingStatus, GrantStatus, RequestStatus
from auditlog.actions import Action
from auditlog.chain import Walk
from auditlog.models import ChainHead, Event

_F: Final = FindingStatus
_SETTLED: Final = frozenset({_F.ADOPTED, _F.REMOVING})
_CLOSED: Final = frozenset({_F.REMOVED, _F.GONE})
FINDING_MOVES: Final[Mapping[str, frozenset[str]]] = {
    _F.OPEN: _SETTLED | _CLOSED | {_F.ACCEPTED},
    _F.ACCEPTED: _SETTLED | _CLOSED | {_F.OPEN},
    _F.ADOPTED: _CLOSED | {_F.REMOVING},
    _F.REMOVING: _CLOSED,
    _F.REMOVED: frozenset(),
    _F.GONE: frozenset(),
}
MOVES: Final[dict[str, Any]] = {"request": REQUEST_MOVES, "grant": GRANT_MOVES}
FIRST: Final = {"request": RequestStatus.PENDING, "grant": GrantStatus.WAITING}
TABLES: Final[dict[str, Any]] = {"request": AccessRequest.history.model, "grant": Grant.history.model}
# Findings have no machine in the product; these are the moves that its verbs and its scan make.
MODELS: Final[dict[str, Any]] = {"request": AccessRequest, "grant": Grant, "finding": Finding}
ALL_MOVES: Final[dict[str, Any]] = {**MOVES, "finding": FINDING_MOVES}
ALL_FIRST: Final[dict[str, Any]] = {**FIRST, "finding": FindingStatus.OPEN}
FINDINGS: Final = {
    Action.FINDING_OPENED,
    Action.FINDING_REOPENED,
    Action.FINDING_ADOPTED,
    Action.FINDING_REMOVED,
    Action.FINDING_ACCEPTED,
    Action.FINDING_RESOLVED,
}
# AWS may turn away one grant after another while the assignment stays as it is.
REPEATED: Final = {Action.ASSIGNMENT_CREATION_FAILED}
# One statement, for it is asked after every step: has anything been written?
_NEWEST: Final = "SELECT {}".format(
    ", ".join(
        [
            f"(SELECT number FROM {ChainHead._meta.db_table})",
            *(f"(SELECT max(history_id) FROM {model.history.model._meta.db_table})" for model in MODELS.values()),
            f"(SELECT max(id) FROM {Decision._meta.db_table})",
        ]
    )
)


@dataclass
class News:
    """What was written since the last time."""

    moved: list[tuple[str, Any, str | None, str]] = field(default_factory=list)
    """Kind of row, key, status before (None: it is new), status now; in order for each kind."""
    decided: list[tuple[Any, int]] = field(default_factory=list)
    """Request, and who decided."""


class Told:
    """Reads on from where it last stood, so that a reading costs what was written and no more."""

    def __init__(self) -> None:
        head = ChainHead.objects.get()
        self._walk = Walk(head.number, head.hash)
        self._read = dict.fromkeys((*MODELS, "decision"), 0)
        self._statuses: dict[str, dict[Any, str]] = {kind: {} for kind in MODELS}
        self._told: dict[str, str] = {}
        self._vouched: set[tuple[str, ...]] = set()
        self._newest: tuple[Any, ...] = ()

    def read(self) -> News | None:
        """What is new; None if nothing was written. The first reading has everything."""
        with connection.cursor() as cursor:
            cursor.execute(_NEWEST)
            newest = cursor.fetchone()
        if newest == self._newest:
            return None
        self._newest = newest
        news = News()
        told = self._events()
        for kind in MODELS:
            changes = [*self._changes(kind)]
            assert [(str(key), status) for _, key, _, status in changes] == told[kind]
            news.moved += changes
        rows = Decision.objects.filter(pk__gt=self._read["decision"]).order_by("pk")
        for pk, request, person, object_id in rows.values_list(
            "pk", "request_id", "decided_by_id", "decided_by__object_id"
        ):
            self._read["decision"] = pk
            news.decided.append((request, person))
            assert told["decision"].pop(0)[0] == str(request), object_id
        assert not told["decision"]
        return news

    def _events(self) -> dict[str, list[tuple[str, str]]]:
        """The changes of state that the ledger tells of, by the kind of row, each with its key."""
        told: dict[str, list[tuple[str, str]]] = {kind: [] for kind in (*MODELS, "decision")}
        for event in Event.objects.filter(number__gt=self._walk.number).order_by("number"):
            record = self._walk.step(event.canonical, event.hash, event.shown)
            data = record["data"]
            kind, _, what = event.action.partition(".")
            status = "pending" if what == "submitted" else what
            if event.action == Action.DECISION_MADE:
                told["decision"].append((event.subject_id, ""))
            elif event.action in FINDINGS:
                status = data.get("status", FindingStatus.OPEN)
                # Its end can be set again.
                if self._told.get(event.subject_id) != status:
                    told["finding"].append((event.subject_id, status))
                self._told[event.subject_id] = status
            elif kind in MOVES and status in MOVES[kind]:
                told[kind].append((event.subject_id if kind == "request" else data["grant"], status))
            self._vouches_once(event, data)
        assert ChainHead.objects.values_list("number", "hash").get() == (self._walk.number, self._walk.hash)
        return told

    def _vouches_once(self, event: Event, data: dict[str, Any]) -> None:
        """No two events tell of the same thing: of one row's version, of one start."""
        versions = [f"{row['model']} {row['history_id']}" for row in data.get("history", ())]
        if event.action in REPEATED or not (versions or event.action == Action.REQUEST_STARTED):
            return
        vouched = (event.action, event.subject, *versions)
        assert vouched not in self._vouched, vouched
        self._vouched.add(vouched)

    def _changes(self, kind: str) -> Any:
        """The legal changes of status in the histories; whatever else was changed is passed over."""
        known = self._statuses[kind]
        rows = MODELS[kind].history.model.objects.filter(history_id__gt=self._read[kind]).order_by("history_id")
        for number, key, status in rows.values_list("history_id", "id", "status"):
            self._read[kind] = number
            before = known.get(key)
            if status == before:
                continue
            assert status in ALL_MOVES[kind][before] if before else status == ALL_FIRST[kind], (kind, before, status)
            known[key] = status
            yield kind, key, before, str(status)
