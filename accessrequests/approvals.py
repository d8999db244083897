"""The approver's queue: what waits for them, what waits for others though they are in the group, what they decided."""

from datetime import datetime
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accessrequests import judging, newcomers, permissions
from accessrequests.findings_shown import past_the_portal
from accessrequests.live import signed_in
from accessrequests.models import Decision
from accessrequests.reader import reader
from accessrequests.shown import Shown, held_by, read
from auditlog import clock
from catalog.people import Person
from catalog.policy import Verdict

RECENT: Final = 10
PER_QUEUE: Final = 20


@signed_in
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What waits for my decision, each with all that a decision needs; below it, what I decided lately."""
    person, now = reader(request), clock.now()
    queue = permissions.queue_of(person, now)
    page = Paginator(queue, PER_QUEUE).get_page(request.GET.get("page"))
    waiting = read(queue.filter(pk__in=[row.pk for row in page]), now)
    asking = {shown.request.requester_id for shown in waiting}
    held, past = held_by(asking, now), past_the_portal(asking)
    verdicts, refused = _verdicts(person, waiting, now), judging.refused_if_now([each.request for each in waiting], now)
    decided = (
        Decision.objects.filter(decided_by_id=person.user_id)
        .order_by("-decided_at")
        .select_related("request__role", "request__environment", "request__requester", "approver_group")
    )
    own = permissions.own_at_their_stage(person, now).select_related("role", "environment", "requester")
    context = {
        "now": now,
        "page": page,
        "cards": [
            {
                "shown": shown,
                "held": held.get(shown.request.requester_id, []),
                "past_the_portal": past.get(shown.request.requester_id, []),
                "refused": refused.get(shown.request.pk),
                "verdicts": verdicts.get(shown.request.pk, {"agree": permissions.YES, "deny": permissions.YES}),
            }
            for shown in waiting
        ],
        "for_others": [(row, permissions.is_of_another(person, row)) for row in own[:RECENT]],
        "decided": decided[:RECENT],
    }
    return render(request, "accessrequests/approvals.html", context)


def _verdicts(person: Person, waiting: list[Shown], now: datetime) -> dict[Any, dict[str, Verdict]]:
    """Whether this person may agree to each, and deny it; looked into only where it is not plain.

    That is, where they have changed groups since it was asked, or could decide at another stage of it.
    """
    if not waiting:
        return {}
    doubtful = {shown.request.pk for shown in waiting}
    if not newcomers.has_moved_since(person, min(shown.request.submitted_at for shown in waiting)):
        doubtful &= permissions.could_decide_later(person, doubtful)
    found = {}
    for shown in waiting:
        if shown.request.pk in doubtful:
            deny = permissions.may_deny(person, shown.request, now)
            agree = deny and permissions.against_agreeing(person, shown.request)
            found[shown.request.pk] = {"agree": agree, "deny": deny}
    return found
