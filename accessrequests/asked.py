"""What was asked, as the one canonical text that approvers are shown, decide on, and that is granted."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, timedelta

from accessrequests.models import AccessRequest

# Position, approver group id, approvals needed; escalation group id and after how long, where it escalates.
AskedStage = tuple[int, int, int, int | None, timedelta | None]


def digest(request: AccessRequest, account_ids: Iterable[str], stages: Iterable[AskedStage]) -> str:
    """SHA-256, in hexadecimal, over everything about a request that a decision depends on.

    An approver's form carries it back: had anything changed in between, the decision does not count.

    Args:
        request: saved or not.
        account_ids: of the chosen accounts.
        stages: of each, as `AskedStage` says.
    """
    rows = sorted(stages, key=lambda stage: stage[:3])
    escalations = [[position, group, after.total_seconds()] for position, _, _, group, after in rows if group and after]
    text = json.dumps(
        {
            "request": str(request.pk),
            "requester": request.requester.object_id,
            "role": request.role_id,
            "environment": request.environment_id,
            "permission_set": request.permission_set.arn,
            "accounts": sorted(account_ids),
            "seconds": int(request.duration.total_seconds()),
            "start": request.start.astimezone(UTC).isoformat() if request.start else None,
            "reason": request.reason,
            "ticket": request.ticket,
            "stages": [list(stage[:3]) for stage in rows],
            # Only where there is one: the digests of all other requests stay what they were.
            **({"extends": str(request.extends_id)} if request.extends_id else {}),
            **({"proof": request.proof} if request.proof else {}),
            **({"escalations": escalations} if escalations else {}),
        },
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()


def digest_now(request: AccessRequest) -> str:
    """The digest of a saved request as the database holds it at this moment."""
    return digest(
        request,
        request.accounts.values_list("account_id", flat=True),
        request.stages.values_list(
            "position", "approver_group_id", "approvals_needed", "escalation_group_id", "escalates_after"
        ),
    )
