"""Faults that tests and demonstrations inject, and the rules by which a call meets them."""

import itertools
import random
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from .call import Call


class FaultKind(StrEnum):
    """What goes wrong."""

    THROTTLE = "throttle"
    INTERNAL = "internal"
    CONFLICT = "conflict"
    ACCESS_DENIED = "access_denied"
    UNREACHABLE = "unreachable"
    """The connection is closed before anything was done."""
    FAILURE = "failure"
    """A creation or deletion is accepted, and FAILED with ``reason`` when it settles."""
    LOST_REPLY = "lost_reply"
    """The change is made, then the connection is closed without an answer."""
    INTERNAL_AFTER = "internal_after"
    """The change is made, then the answer is a 500."""


BEFORE = frozenset({FaultKind.THROTTLE, FaultKind.INTERNAL, FaultKind.CONFLICT, FaultKind.ACCESS_DENIED})
AFTER = frozenset({FaultKind.LOST_REPLY, FaultKind.INTERNAL_AFTER})


@dataclass
class Fault:
    """One fault; a field left None matches every call.

    ``operation`` is an API name (``CreateAccountAssignment``), ``account`` twelve digits, ``principal`` an id
    of the identity store, ``first`` how many matching calls it strikes (None: all), ``rate`` the share of
    them, drawn from ``seed``; ``reason`` replaces AWS's usual words.
    """

    kind: FaultKind
    operation: str | None = None
    account: str | None = None
    principal: str | None = None
    first: int | None = None
    rate: float = 1.0
    seed: int = 0
    reason: str | None = None
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.kind = FaultKind(self.kind)
        if not 0.0 < self.rate <= 1.0:
            raise ValueError("rate must be above 0 and at most 1")
        if self.first is not None and self.first < 1:
            raise ValueError("first must be at least 1")
        self._random = random.Random(self.seed)  # noqa: S311 (repeatable on purpose)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """A fault from plain data; ValueError names what is unknown or out of range."""
        known = {each.name for each in fields(cls) if each.init}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ValueError(f"unknown field {unknown[0]!r}; known: {', '.join(sorted(known))}")
        if data.get("kind") not in tuple(FaultKind):
            raise ValueError(f"kind is required: one of {', '.join(FaultKind)}")
        for name, kinds in _TYPES.items():
            value = data.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, kinds)):
                raise ValueError(f"{name} has the wrong type")
        return cls(**data)

    def as_json(self) -> dict[str, Any]:
        """Its fields, and how often it has struck."""
        return asdict(self)

    def strikes(self, call: Call) -> bool:
        """Whether it strikes ``call``; counts it if so."""
        if self.first is not None and self.struck >= self.first:
            return False
        if self.operation not in (None, call.operation):
            return False
        if self.account is not None and self.account not in call.accounts:
            return False
        if self.principal is not None and self.principal not in call.principals:
            return False
        if self.rate < 1.0 and self._random.random() >= self.rate:
            return False
        self.struck += 1
        return True


_TYPES: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "operation": (str,),
    "account": (str,),
    "principal": (str,),
    "first": (int,),
    "rate": (int, float),
    "seed": (int,),
    "reason": (str,),
}


class Faults:
    """The faults in force, by a number that removes them."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._faults: dict[int, Fault] = {}

    def add(self, fault: Fault) -> int:
        """Put ``fault`` in force; the first that matches a call strikes it."""
        number = next(self._numbers)
        self._faults[number] = fault
        return number

    def remove(self, number: int) -> bool:
        """Lift one fault; False if there is none of that number."""
        return self._faults.pop(number, None) is not None

    def clear(self) -> None:
        """Lift all."""
        self._faults.clear()

    def strike(self, call: Call, kinds: frozenset[FaultKind]) -> Fault | None:
        """The first fault of one of ``kinds`` that strikes ``call``, now counted."""
        for fault in self._faults.values():
            if fault.kind in kinds and fault.strikes(call):
                return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """Every fault in force with its ``id``."""
        return [{"id": number, **fault.as_json()} for number, fault in self._faults.items()]
