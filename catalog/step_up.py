"""Fresh proof of who somebody is: what policies demand, what was shown, and whether the one meets the other. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

CONTEXTS: Final = tuple(f"c{number}" for number in range(1, 26))
ASKING: Final = "asking"
DECIDING: Final = "deciding"
BOTH: Final = "both"
# The directory's clock may be ahead of the database's by this much.
_LEEWAY: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Proof:
    """That the person of this object id met an authentication context, and when, by which of the directory's tokens."""

    context: str
    at: datetime
    object_id: str
    token_id: str = ""

    def described(self) -> dict[str, str]:
        """As rows and events keep it."""
        return {"context": self.context, "at": self.at.isoformat(), "person": self.object_id, "token": self.token_id}


@dataclass(frozen=True)
class Wanted:
    """What one policy says: an authentication context, when it is asked for, and how old the proof may be."""

    context: str
    when: str
    longest_age: timedelta
    rule: str


@dataclass(frozen=True)
class Demand:
    """What holds: the context with the policy that names it, and the shortest age with the policy that sets that."""

    context: str
    rule: str
    longest_age: timedelta
    age_rule: str


def read_proofs(kept: object) -> tuple[Proof, ...]:
    """The proofs as `Proof.described` left them; whatever else was kept proves nothing."""
    try:
        return tuple(
            Proof(each["context"], datetime.fromisoformat(each["at"]), each["person"], each["token"])
            for each in kept or ()  # type: ignore[attr-defined]
        )
    except (TypeError, KeyError, ValueError):
        return ()


def joined(wanted: Iterable[Wanted], when: str) -> tuple[Demand, ...]:
    """All contexts that are wanted at that moment, each no older than the shortest age of any of them."""
    concerned = [each for each in wanted if each.when in (when, BOTH)]
    if not concerned:
        return ()
    shortest = min(concerned, key=lambda each: each.longest_age)
    named: dict[str, str] = {}
    for each in concerned:
        named.setdefault(each.context, each.rule)
    return tuple(
        Demand(context, rule, shortest.longest_age, shortest.rule)
        for context, rule in sorted(named.items(), key=lambda pair: CONTEXTS.index(pair[0]))
    )


def unmet(demands: Iterable[Demand], proofs: Iterable[Proof], object_id: str, at: datetime) -> Iterator[Demand]:
    """The demands that none of the proofs meets for this person at this moment."""
    shown = [proof for proof in proofs if proof.object_id == object_id]
    for demand in demands:
        oldest, newest = at - demand.longest_age, at + _LEEWAY
        if not any(proof.context == demand.context and oldest <= proof.at <= newest for proof in shown):
            yield demand
