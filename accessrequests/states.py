"""The states of access requests and grants and every legal move between them, as data."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.db import models


class RequestStatus(models.TextChoices):
    """Where an access request stands."""

    PENDING = "pending", "Waiting for a decision"
    APPROVED = "approved", "Approved"
    ACTIVE = "active", "Active"
    ENDED = "ended", "Ended"
    DENIED = "denied", "Denied"
    WITHDRAWN = "withdrawn", "Withdrawn"
    LAPSED = "lapsed", "Lapsed"
    FAILED = "failed", "Failed"


class GrantStatus(models.TextChoices):
    """Where the lease on one account stands."""

    WAITING = "waiting", "Waiting for AWS"
    GRANTING = "granting", "Being granted"
    ACTIVE = "active", "Active"
    REVOKING = "revoking", "Being revoked"
    ENDED = "ended", "Ended"
    FAILED = "failed", "Failed"


class EndReason(models.TextChoices):
    """Why access ended."""

    EXPIRED = "expired", "The time was up"
    GIVEN_BACK = "given_back", "Given back"
    REVOKED = "revoked", "Revoked"
    OFFBOARDED = "offboarded", "The person left"
    LOCKED = "locked", "The person was locked out"


class Presence(models.TextChoices):
    """What AWS last confirmed of an assignment; unknown until it has been asked, and after a lost reply."""

    UNKNOWN = "unknown", "Not known"
    ABSENT = "absent", "Not in AWS"
    PRESENT = "present", "In AWS"


class Operation(models.TextChoices):
    """What we have begun at AWS on an assignment and have not yet seen the end of."""

    NONE = "", "Nothing in flight"
    CREATE = "create", "Creation in flight"
    DELETE = "delete", "Deletion in flight"


class FindingStatus(models.TextChoices):
    """What became of standing access that was found in AWS."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    ADOPTED = "adopted", "Adopted"
    REMOVING = "removing", "Being removed"
    REMOVED = "removed", "Removed"
    GONE = "gone", "Gone by itself"


_R = RequestStatus
_G = GrantStatus

REQUEST_MOVES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        _R.PENDING: frozenset({_R.APPROVED, _R.DENIED, _R.WITHDRAWN, _R.LAPSED}),
        _R.APPROVED: frozenset({_R.ACTIVE, _R.WITHDRAWN, _R.FAILED, _R.ENDED}),
        _R.ACTIVE: frozenset({_R.ENDED}),
        _R.ENDED: frozenset(),
        _R.DENIED: frozenset(),
        _R.WITHDRAWN: frozenset(),
        _R.LAPSED: frozenset(),
        _R.FAILED: frozenset(),
    }
)
GRANT_MOVES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        _G.WAITING: frozenset({_G.GRANTING, _G.ACTIVE, _G.REVOKING, _G.FAILED}),
        _G.GRANTING: frozenset({_G.ACTIVE, _G.REVOKING, _G.FAILED}),
        _G.ACTIVE: frozenset({_G.REVOKING}),
        _G.REVOKING: frozenset({_G.ENDED}),
        _G.ENDED: frozenset(),
        _G.FAILED: frozenset(),
    }
)

# A live grant wants its assignment to be in AWS; an open one is not finished with it.
LIVE_GRANT: Final = frozenset({_G.WAITING, _G.GRANTING, _G.ACTIVE})
# Live grants that have an end.
ENDING_GRANT: Final = frozenset({_G.GRANTING, _G.ACTIVE})
OPEN_GRANT: Final = LIVE_GRANT | {_G.REVOKING}
OPEN_REQUEST: Final = frozenset({_R.PENDING, _R.APPROVED, _R.ACTIVE})
# Standing access that AWS still holds and is not ours; and that which an admin has made ours, until it is gone.
STANDING_FINDING: Final = frozenset({FindingStatus.OPEN, FindingStatus.ACCEPTED})
ADOPTED_FINDING: Final = frozenset({FindingStatus.ADOPTED, FindingStatus.REMOVING})
UNFINISHED_FINDING: Final = STANDING_FINDING | ADOPTED_FINDING
# What is still wanted or did come to something: its time counts, and a request has one such extension at most.
NOT_IN_VAIN: Final = OPEN_REQUEST | {_R.ENDED}


def diagram() -> str:
    """Both state machines as a Mermaid document; docs/states.md is this text, and `make check` compares them."""
    lines = ["# States", "", "Generated from `accessrequests/states.py` by `manage.py state_diagram`; do not edit.", ""]
    for title, moves, first in (("Access request", REQUEST_MOVES, _R.PENDING), ("Grant", GRANT_MOVES, _G.WAITING)):
        lines += [f"## {title}", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {first.value}"]
        for status, following in moves.items():
            lines += [f"    {status!s} --> {after!s}" for after in sorted(following)]
            if not following:
                lines.append(f"    {status!s} --> [*]")
        lines += ["```", ""]
    return "\n".join(lines)
