"""The pages of a person's requests, and the verbs behind their buttons."""

import uuid
from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST, require_safe

from accessrequests import decisions, extensions, judging, live, permissions, step_up, workflow
from accessrequests.findings_shown import past_the_portal
from accessrequests.forms import (
    DecisionForm,
    RevocationForm,
    add_refusals,
)
from accessrequests.live import respond, signature, signed_in
from accessrequests.models import AccessRequest, Decision, Grant
from accessrequests.reader import reader, visible
from accessrequests.refusals import Refused
from accessrequests.shown import Shown, held_by, read, still_held, timeline
from accessrequests.states import LIVE_GRANT, OPEN_REQUEST, RequestStatus
from auditlog import clock
from catalog.people import Person
from catalog.policy import spell
from catalog.wording import some_of

RECENT: Final = 10
PER_PAGE: Final = 25


@signed_in
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """My access: what I hold, what I wait for, what is over."""
    person, now = reader(request), clock.now()
    mine = AccessRequest.objects.filter(requester_id=person.user_id)
    if "all" in request.GET:
        page = Paginator(mine, PER_PAGE).get_page(request.GET.get("page"))
        shown = read(mine.filter(pk__in=[row.pk for row in page]), now)
        return render(request, "accessrequests/all.html", {"page": page, "shown": shown, "now": now})
    open_ = read(mine.filter(status__in=OPEN_REQUEST), now)
    over = read(mine.exclude(status__in=OPEN_REQUEST)[:RECENT], now)
    pending = [shown for shown in open_ if shown.request.status == RequestStatus.PENDING]
    coming = [shown for shown in open_ if shown.tone == "approved"]
    held = [shown for shown in open_ if shown not in pending and shown not in coming]
    held = [shown for shown in held if not any(other.carries_on(shown) for other in held)]
    past = past_the_portal([person.user_id]).get(person.user_id, [])
    refused = judging.refused_if_now([shown.request for shown in [*pending, *coming]], now)

    def waiting(shown: Shown) -> dict[str, Any]:
        may_withdraw = permissions.may_withdraw(person, shown.request)
        return {"shown": shown, "may_withdraw": may_withdraw, "refused": refused.get(shown.request.pk)}

    context = {
        "now": now,
        "held": [
            {
                "shown": shown,
                "may_give_back": permissions.may_give_back(person, shown.request),
                "may_extend": permissions.may_extend(person, shown.request, now),
            }
            for shown in held
        ],
        "pending": [waiting(shown) for shown in pending],
        "coming": [waiting(shown) for shown in coming],
        "over": over,
        "past_the_portal": past,
        "poll": bool(open_) and (live.SOON if any(shown.is_moving for shown in open_) else live.LATER),
        "signature": signature(
            *(shown.parts for shown in [*open_, *over]),
            *((row.pk, row.status) for row in past),
            *refused.items(),
        ),
    }
    return respond(request, "accessrequests/home.html", "accessrequests/_home.html", context)


@signed_in
@require_safe
def request_page(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """One request, to whom it concerns."""
    person = reader(request)
    typed = step_up.back(request.session, person.user_id, request.GET.get("kept"))
    found = visible(person, request_id)
    return _page(request, person, found, decision_form=DecisionForm(typed)) if typed else _page(request, person, found)


def _page(
    request: HttpRequest, person: Person, found: AccessRequest, *, status: int = 200, **forms: Any
) -> HttpResponse:
    now = clock.now()
    shown = read(AccessRequest.objects.filter(pk=found.pk), now)[0]
    row = shown.request
    deny = permissions.may_deny(person, row, now)
    verdicts = {
        "agree": deny and permissions.against_agreeing(person, row),
        "deny": deny,
        "withdraw": permissions.may_withdraw(person, row),
        "give_back": permissions.may_give_back(person, row),
        "revoke": permissions.may_revoke(person, row),
        "extend": permissions.may_extend(person, row, now),
    }
    mine = row.requester_id == person.user_id
    ids = extensions.chain(row.pk)
    chain = read(permissions.visible_to(person).filter(pk__in=ids), now) if len(ids) > 1 else []
    chain.sort(key=lambda part: ids.index(part.request.pk))
    later = chain[[part.request for part in chain].index(row) + 1 :] if chain else []
    ends_with_it = Grant.objects.filter(request__in=ids, status__in=LIVE_GRANT).values("account").distinct().count()
    goes_on = next((part for part in reversed(later) if part.active), None)
    events = timeline(row)
    decides = row.status == RequestStatus.PENDING
    refused = judging.refused_if_now([row], now).get(row.pk)
    context = {
        "now": now,
        "shown": shown,
        "mine": mine,
        "verdicts": verdicts,
        # As long as this is the same, a poll leaves the forms as they are, with what has been typed into them.
        "verbs_key": signature(
            row.status, verdicts["extend"].reason, *(bool(verdict) for verdict in verdicts.values())
        ),
        "chain": chain,
        "refused": refused,
        "deciders": some_of(permissions.deciders(row)) if decides else "",
        "goes_on": goes_on,
        "goes_on_whole": goes_on is not None and goes_on.covers(shown.granted),
        "ends_with_it": ends_with_it,
        "held": [held for held in held_by([row.requester_id], now).get(row.requester_id, []) if held.request != row]
        if decides and not mine
        else [],
        "past_the_portal": past_the_portal([row.requester_id]).get(row.requester_id, [])
        if decides and not mine
        else [],
        "events": events,
        "decision_form": DecisionForm(),
        "revocation_form": RevocationForm(),
        "poll": (live.SOON if shown.is_moving else live.LATER) if shown.is_open else 0,
        "signature": signature(
            shown.parts,
            len(events),
            [verdict.reason for verdict in verdicts.values()],
            refused,
            [part.parts for part in chain],
        ),
        **forms,
    }
    return respond(request, "accessrequests/request.html", "accessrequests/_request.html", context, status=status)


@require_POST
@signed_in
def decide(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Approve or deny."""
    person = reader(request)
    found = visible(person, request_id)
    form = DecisionForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            decided = decisions.decide(
                person.user_id,
                found.pk,
                Decision.Answer(given["answer"]),
                given["comment"],
                given["digest"],
                step_up.held(request.session, person),
            )
        except Refused as refusal:
            page = reverse("request", args=[found.pk])
            if step_up.is_to_prove(request, person, refusal, str(found.pk), page, is_decision=True):
                return redirect("step-up")
            add_refusals(form, refusal.refusals)
        else:
            step_up.forget(request.session)
            messages.success(request, _decided(decided, given["answer"]))
            return redirect("approvals") if request.POST.get("back") == "approvals" else redirect("request", found.pk)
    return _page(request, person, found, status=422, decision_form=form)


def _decided(decided: AccessRequest, answer: str) -> str:
    if answer == Decision.Answer.DENY:
        return f"You denied {decided} for {decided.requester}, who is told why."
    said = f"You approved {decided} for {decided.requester}."
    if decided.status == RequestStatus.PENDING:
        return f"{said} It still waits for {Shown(decided, decided.submitted_at).waits_for}."
    if decided.extends_id:
        return f"{said} The access that they have goes on for {spell(decided.duration)} longer."
    when = "at the time that was asked for" if decided.start else "once AWS has confirmed it"
    return f"{said} It begins {when}."


@require_POST
@signed_in
def withdraw(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Take my request back."""
    return _carry_out(request, request_id, workflow.withdraw, "Withdrawn. Nothing was granted.")


@require_POST
@signed_in
def give_back(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """I'm done: end my access now."""
    return _carry_out(request, request_id, workflow.give_back, "Thank you. You gave the access back.")


def _carry_out(
    request: HttpRequest, request_id: uuid.UUID, verb: Callable[[int, uuid.UUID], AccessRequest], done: str
) -> HttpResponse:
    """A verb that needs no words."""
    person = reader(request)
    found = visible(person, request_id)
    try:
        verb(person.user_id, found.pk)
    except Refused as refusal:
        for verdict in refusal.refusals:
            messages.error(request, f"{verdict.in_full} Nothing was changed.")
    else:
        _tell_of_end(request, found, done)
    return redirect("request", found.pk)


def _tell_of_end(request: HttpRequest, ended: AccessRequest, said: str) -> None:
    """Says that it ends, and, if it stays by another request, by which."""
    if not (others := still_held(ended, clock.now())):
        messages.success(request, said)
        return
    links = format_html_join(
        ", ", '<a href="{}">{}</a>', ((reverse("request", args=[each.request.pk]), each.request) for each in others)
    )
    messages.warning(request, format_html("{} The access itself stays, by another request: {}.", said, links))


@require_POST
@signed_in
def revoke(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """End somebody's access now."""
    person = reader(request)
    found = visible(person, request_id)
    form = RevocationForm(request.POST)
    if form.is_valid():
        try:
            workflow.revoke(person.user_id, found.pk, form.cleaned_data["reason"])
        except Refused as refusal:
            add_refusals(form, refusal.refusals)
        else:
            _tell_of_end(request, found, f"You revoked {found} of {found.requester}, who is told why.")
            return redirect("request", found.pk)
    return _page(request, person, found, status=422, revocation_form=form)
