"""The pages of a person's requests and approvals, and the verbs behind their buttons."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accessrequests import decisions, extensions, live, permissions, step_up, workflow
from accessrequests.findings_shown import past_the_portal
from accessrequests.forms import (
    AskForm,
    DecisionForm,
    ExtensionForm,
    RequestForm,
    RevocationForm,
    WhatForm,
    add_objections,
    add_refusals,
)
from accessrequests.live import respond, signature, signed_in
from accessrequests.models import AccessRequest, Decision, Grant
from accessrequests.refusals import Refused
from accessrequests.shown import Shown, held_by, read, still_held, timeline
from accessrequests.states import LIVE_GRANT, OPEN_REQUEST, RequestStatus
from auditlog import clock
from catalog import people
from catalog.offers import Offer, offers_for
from catalog.people import Person
from catalog.step_up import Proof
from catalog.wording import some_of

RECENT: Final = 10
PER_PAGE: Final = 25


def _person(request: HttpRequest) -> Person:
    return people.load(cast(int, request.user.pk))


@signed_in
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """My access: what I hold, what I wait for, what is over."""
    person, now = _person(request), clock.now()
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
        "pending": [
            {"shown": shown, "may_withdraw": permissions.may_withdraw(person, shown.request)} for shown in pending
        ],
        "coming": [
            {"shown": shown, "may_withdraw": permissions.may_withdraw(person, shown.request)} for shown in coming
        ],
        "over": over,
        "past_the_portal": past,
        "poll": bool(open_) and (live.SOON if any(shown.is_moving for shown in open_) else live.LATER),
        "signature": signature(*(shown.parts for shown in [*open_, *over]), *((row.pk, row.status) for row in past)),
    }
    return respond(request, "accessrequests/home.html", "accessrequests/_home.html", context)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Ask for access: first for what, unless the address says so, then the form."""
    person = _person(request)
    offers = offers_for(person)
    if request.method == "POST":
        return _ask(request, person, offers)
    typed = step_up.back(request.session, person.user_id, request.GET.get("kept"))
    if typed is not None:
        form = RequestForm(typed, offer=_offer(offers, WhatForm(typed)))
        form.full_clean()
        return _new_form(request, form, status=200)
    what = WhatForm(request.GET) if request.GET.get("role") or request.GET.get("environment") else None
    offer = _offer(offers, what) if what else (offers[0] if len(offers) == 1 else None)
    if offer is None:
        return render(request, "accessrequests/choose.html", {"offers": offers, "what": what})
    return _new_form(request, RequestForm(offer=offer), status=200)


def _offer(offers: tuple[Offer, ...], what: WhatForm) -> Offer | None:
    """The offer that the form names; what stands in the way is added to the form."""
    if not what.is_valid():
        return None
    role, environment = what.cleaned_data["role"], what.cleaned_data["environment"]
    offer = next((offer for offer in offers if (offer.role, offer.environment) == (role, environment)), None)
    if offer is None:
        what.add_error("role", f"You may not ask for {role} in {environment} at present.")
    return offer


def _ask(request: HttpRequest, person: Person, offers: tuple[Offer, ...]) -> HttpResponse:
    """Sends the ask on even if nothing like it is offered: the policies say why not, and the attempt is recorded."""
    form = RequestForm(request.POST, offer=_offer(offers, WhatForm(request.POST)))
    if form.is_valid():
        ask = form.ask()
        answer = _send(
            request, person, form, lambda proofs: workflow.submit(person.user_id, replace(ask, proofs=proofs))
        )
        if answer is not None:
            return answer
    elif draft := form.draft():
        add_objections(form, workflow.objections(person.user_id, draft))
    return _new_form(request, form, status=422)


def _send(
    request: HttpRequest, person: Person, form: AskForm, verb: Callable[[tuple[Proof, ...]], AccessRequest]
) -> HttpResponse | None:
    """Sends an ask on with what was proved: to the request it made, or to the proof that it lacks.

    None if it was refused; the form says why.
    """
    form_id = form.cleaned_data["id"]
    again = AccessRequest.objects.filter(pk=form_id, requester_id=person.user_id).exists()
    try:
        made = verb(step_up.held(request.session, person))
    except Refused as refusal:
        if _is_to_prove(request, person, refusal, str(form_id), request.path):
            return redirect("step-up")
        add_refusals(form, refusal.refusals)
        return None
    step_up.forget(request.session)
    messages.success(request, _asked(made, again))
    return redirect("request", made.pk)


def _is_to_prove(request: HttpRequest, person: Person, refusal: Refused, form_id: str, page: str) -> bool:
    """Whether fresh proof is all that is missing; then what was typed is kept until the person is back with it."""
    needs = step_up.wanted(refusal)
    return bool(needs) and step_up.keep(request.session, person.user_id, form_id, page, request.POST, needs)


def _asked(made: AccessRequest, again: bool) -> str:
    if again:
        return (
            "This form had been sent before; this is the request it made. To ask for something else, begin a new one."
        )
    if made.status == RequestStatus.PENDING:
        shown = Shown(made, made.submitted_at)
        return f"Asked. It waits for {shown.waits_for}; they have been told."
    # What is said once stays on the page while the request goes on: it must remain true.
    return "Approved at once by its policy."


def _new_form(request: HttpRequest, form: RequestForm, *, status: int) -> HttpResponse:
    given = form.cleaned_data if form.is_bound else {}
    context = {
        "form": form,
        "offer": form.offer,
        "role": form.offer.role if form.offer else given.get("role"),
        "environment": form.offer.environment if form.offer else given.get("environment"),
    }
    return render(request, "accessrequests/new.html", context, status=status)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def extend(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Ask for more time on what I hold."""
    person, now = _person(request), clock.now()
    found = _visible(person, request_id)
    what = (found.role_id, found.environment_id)
    offer = next((each for each in offers_for(person) if (each.role.pk, each.environment.pk) == what), None)
    left = offer.terms.longest_duration.value - extensions.taken(found) if offer else None
    typed = step_up.back(request.session, person.user_id, request.GET.get("kept"))
    sends = request.method == "POST"
    form = ExtensionForm(request.POST if sends else typed, offer=offer, left=left)
    if sends and form.is_valid():
        more = form.more()
        answer = _send(
            request,
            person,
            form,
            lambda proofs: workflow.extend(person.user_id, found.pk, replace(more, proofs=proofs)),
        )
        if answer is not None:
            return answer
    elif sends and permissions.may_extend(person, found, now):
        add_objections(form, workflow.objections_to_more(person.user_id, found.pk, form.draft()))
    if not form.is_bound and not (verdict := permissions.may_extend(person, found, now)):
        messages.error(request, verdict.in_full)
        return redirect("request", found.pk)
    context = {
        "now": now,
        "form": form,
        "offer": offer,
        "left": left,
        "taken": extensions.taken(found),
        "shown": read(AccessRequest.objects.filter(pk=found.pk), now)[0],
    }
    return render(request, "accessrequests/extend.html", context, status=422 if sends else 200)


@signed_in
@require_safe
def request_page(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """One request, to whom it concerns."""
    person = _person(request)
    typed = step_up.back(request.session, person.user_id, request.GET.get("kept"))
    found = _visible(person, request_id)
    return _page(request, person, found, decision_form=DecisionForm(typed)) if typed else _page(request, person, found)


def _visible(person: Person, request_id: uuid.UUID) -> AccessRequest:
    found = permissions.visible_to(person).filter(pk=request_id).first()
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest, person: Person, found: AccessRequest, *, status: int = 200, **forms: Any
) -> HttpResponse:
    now = clock.now()
    shown = read(AccessRequest.objects.filter(pk=found.pk), now)[0]
    row = shown.request
    verdicts = {
        "decide": permissions.may_decide(person, row, now),
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
            shown.parts, len(events), [verdict.reason for verdict in verdicts.values()], [part.parts for part in chain]
        ),
        **forms,
    }
    return respond(request, "accessrequests/request.html", "accessrequests/_request.html", context, status=status)


@require_POST
@signed_in
def decide(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Approve or deny."""
    person = _person(request)
    found = _visible(person, request_id)
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
            if _is_to_prove(request, person, refusal, str(found.pk), reverse("request", args=[found.pk])):
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
    return (
        f"{said} It begins at the time that was asked for."
        if decided.start
        else f"{said} It begins once AWS has confirmed it."
    )


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
    person = _person(request)
    found = _visible(person, request_id)
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
    person = _person(request)
    found = _visible(person, request_id)
    form = RevocationForm(request.POST)
    if form.is_valid():
        try:
            workflow.revoke(person.user_id, found.pk, form.cleaned_data["reason"])
        except Refused as refusal:
            add_refusals(form, refusal.refusals)
        else:
            _tell_of_end(request, found, f"This request of {found.requester} is being revoked; the record says why.")
            return redirect("request", found.pk)
    return _page(request, person, found, status=422, revocation_form=form)
