"""Assignments, and the asynchronous operations that create and delete them.

An operation is accepted, stays IN_PROGRESS until it is due, and is settled by the first call afterwards.
"""

import heapq
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from .errors import conflict


class AssignmentKey(NamedTuple):
    """What makes two assignments the same one."""

    account_id: str
    permission_set_arn: str
    principal_type: str
    principal_id: str


class Kind(StrEnum):
    """What an operation does."""

    CREATION = "creation"
    DELETION = "deletion"


class Status(StrEnum):
    """AWS's words for how an operation stands."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass
class Operation:
    """One accepted call; ``created`` and ``due`` are seconds since the epoch.

    ``planned_failure`` is an injected reason to fail with.
    """

    request_id: str
    kind: Kind
    key: AssignmentKey
    created: float
    due: float
    planned_failure: str | None = None
    status: Status = Status.IN_PROGRESS
    failure_reason: str | None = None
    number: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain data that ``from_json`` reads."""
        return asdict(self) | {"key": list(self.key)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Operation":
        """What ``as_json`` wrote."""
        return cls(
            **{
                **data,
                "kind": Kind(data["kind"]),
                "key": AssignmentKey(*data["key"]),
                "status": Status(data["status"]),
            }
        )


class Assignments:
    """The assignments that exist, found by account and permission set or by principal."""

    def __init__(self) -> None:
        self._by_target: dict[tuple[str, str], set[AssignmentKey]] = {}
        self._by_principal: dict[tuple[str, str], set[AssignmentKey]] = {}

    def __contains__(self, key: AssignmentKey) -> bool:
        return key in self._by_target.get((key.account_id, key.permission_set_arn), ())

    def __iter__(self) -> Iterator[AssignmentKey]:
        for keys in self._by_target.values():
            yield from sorted(keys)

    def put(self, key: AssignmentKey, *, present: bool) -> None:
        """Make ``key`` exist or not; repeating it changes nothing."""
        for index, name in (
            (self._by_target, (key.account_id, key.permission_set_arn)),
            (self._by_principal, (key.principal_type, key.principal_id)),
        ):
            if present:
                index.setdefault(name, set()).add(key)
            else:
                index.get(name, set()).discard(key)

    def on(self, account_id: str, permission_set_arn: str) -> list[AssignmentKey]:
        """The assignments of one permission set in one account, in a stable order."""
        return sorted(self._by_target.get((account_id, permission_set_arn), ()))

    def of(self, principal_type: str, principal_id: str) -> list[AssignmentKey]:
        """The assignments made directly to one principal, in a stable order."""
        return sorted(self._by_principal.get((principal_type, principal_id), ()))


class Operations:
    """Every operation since the state began, in the order of acceptance."""

    def __init__(self) -> None:
        self._all: list[Operation] = []
        self._by_request_id: dict[str, Operation] = {}
        self._in_flight: dict[AssignmentKey, Operation] = {}
        self._due: list[tuple[float, int]] = []
        self._next_number = 0

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._all)

    @property
    def outstanding(self) -> int:
        """How many are in flight, creations and deletions together."""
        return len(self._in_flight)

    def refuse_conflict(self, key: AssignmentKey) -> None:
        """AwsError if an operation on ``key`` is in flight."""
        if key in self._in_flight:
            raise conflict()

    def add(self, operation: Operation) -> None:
        """Take in an accepted or a remembered operation, and number it."""
        operation.number = self._next_number
        self._next_number += 1
        self._all.append(operation)
        self._by_request_id[operation.request_id] = operation
        if operation.status is Status.IN_PROGRESS:
            self._in_flight[operation.key] = operation
            heapq.heappush(self._due, (operation.due, operation.number))

    def due(self, now: float) -> Iterator[Operation]:
        """The operations in flight that are due at ``now``, the earliest first; the caller settles each."""
        while self._due and self._due[0][0] <= now:
            _, number = heapq.heappop(self._due)
            operation = self._all[number]
            if operation.status is Status.IN_PROGRESS:
                yield operation

    def settle(self, request_id: str, failure_reason: str | None) -> Operation:
        """Record the outcome of one operation."""
        operation = self._by_request_id[request_id]
        operation.status = Status.FAILED if failure_reason is not None else Status.SUCCEEDED
        operation.failure_reason = failure_reason
        self._in_flight.pop(operation.key, None)
        return operation

    def get(self, kind: Kind, request_id: str) -> Operation | None:
        """The operation of that kind with that request id."""
        operation = self._by_request_id.get(request_id)
        return operation if operation is not None and operation.kind is kind else None

    def newest_first(self, kind: Kind, status: Status | None, before: int | None) -> Iterator[Operation]:
        """Operations of one kind, the newest first, of numbers below ``before`` (None: all)."""
        rows: list[Operation]
        if status is Status.IN_PROGRESS:
            rows = sorted(self._in_flight.values(), key=lambda operation: operation.number)
        else:
            rows = self._all
        end = len(rows) if before is None else bisect_right(rows, before - 1, key=lambda row: row.number)
        for position in range(end - 1, -1, -1):
            operation = rows[position]
            if operation.kind is kind and (status is None or operation.status is status):
                yield operation
