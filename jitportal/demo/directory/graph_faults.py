"""What a test or a demonstration lets go wrong with Graph, and for how many calls."""

import json
import threading
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, Self

from werkzeug.wrappers import Response


class FaultKind(StrEnum):
    """What goes wrong."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    TOO_OLD = "too_old"
    CUT = "cut"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True)
class Fault:
    """A fault of calls whose path contains `path`: of the next `times`, after `spare` that are answered.

    `retry_after` is in seconds, for those throttled.
    """

    kind: FaultKind
    path: str = ""
    times: int = 1
    spare: int = 0
    retry_after: int = 0

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Raises ValueError or TypeError if it cannot be one."""
        known = {field.name: field.type for field in fields(cls)}
        if unknown := sorted(set(body) - set(known)):
            raise ValueError(f"unknown {unknown[0]!r}; known: {', '.join(known)}")
        if not all(isinstance(body.get(name, 0), int) for name in ("times", "spare", "retry_after")):
            raise TypeError("times, spare and retry_after are whole numbers")
        return cls(**{**body, "kind": FaultKind(body.get("kind", ""))})


_STATUSES = {
    FaultKind.THROTTLED: (429, "TooManyRequests", "Too many requests."),
    FaultKind.UNAVAILABLE: (503, "serviceNotAvailable", "The service is temporarily unavailable."),
    FaultKind.TOO_OLD: (410, "syncStateNotFound", "The sync state generation is not found."),
    FaultKind.REFUSED: (400, "Request_BadRequest", "The request cannot be processed."),
    FaultKind.FORBIDDEN: (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
}


class Faults:
    """The faults that wait for a call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def meet(self, path: str) -> Response | None:
        """The faulty answer to a call, if it meets a fault."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.path not in path:
                    continue
                if fault.spare:
                    self._waiting[place] = replace(fault, spare=fault.spare - 1)
                    continue
                if fault.times > 1:
                    self._waiting[place] = replace(fault, times=fault.times - 1)
                else:
                    del self._waiting[place]
                return _answer(fault)
        return None


def _answer(fault: Fault) -> Response:
    if fault.kind is FaultKind.CUT:
        return Response('{"value": [{"id": "', mimetype="application/json")
    if fault.kind is FaultKind.NOT_FOUND:
        # As a proxy or a wrong address says it, and not Graph: nobody is known to be gone.
        return Response("404 Not Found", status=404, mimetype="text/plain")
    status, code, message = _STATUSES[fault.kind]
    answer = Response(json.dumps({"error": {"code": code, "message": message}}), status, mimetype="application/json")
    if fault.kind is FaultKind.THROTTLED:
        answer.headers["Retry-After"] = str(fault.retry_after)
    return answer
