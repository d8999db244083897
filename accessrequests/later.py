"""Who is needed at a later stage of a request, and so not at the present one: each person decides once."""

from collections import Counter
from dataclasses import replace

from accessrequests import newcomers
from accessrequests.models import AccessRequest
from catalog import people
from catalog.deciders import Deciding, deciding, needed_at
from catalog.membership import Now
from catalog.offers import stage_with_groups
from catalog.people import Identity
from catalog.stages import Stage


def steps(request: AccessRequest) -> tuple[Deciding, ...]:
    """The later stages that nobody, or too few, have agreed at, each with those who could still decide at it."""
    votes = list(request.decisions.filter(set_aside_at=None).select_related("decided_by"))
    agreed = Counter(vote.stage for vote in votes)
    later = [
        replace(stage, approvals_needed=stage.approvals_needed - agreed[stage.position])
        for stage in _stages(request)
        if stage.position != request.stage and agreed[stage.position] < stage.approvals_needed
    ]
    if not later:
        return ()
    decided = [people.identity(vote.decided_by) for vote in votes]
    return deciding(later, Now(), people.of(request.requester), decided, newcomers.late(request, later))


def _stages(request: AccessRequest) -> list[Stage]:
    rows = request.stages.select_related("approver_group", "escalation_group")
    rows = rows.prefetch_related("approver_group__directory_groups", "escalation_group__directory_groups")
    return [stage_with_groups(row, row.rule) for row in rows]


def needed(later: tuple[Deciding, ...]) -> list[Identity]:
    """Those without whom one of these stages would lack somebody."""
    able = {each.user_id: each for step in later for each in step.able}
    return [each for each in able.values() if needed_at(each, later)]
