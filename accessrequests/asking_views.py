"""The pages on which somebody asks: for access, and for more time on what they hold."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accessrequests import extensions, permissions, step_up, workflow
from accessrequests.forms import (
    AskForm,
    ExtensionForm,
    RequestForm,
    WhatForm,
    add_objections,
    add_refusals,
)
from accessrequests.live import signed_in
from accessrequests.models import AccessRequest
from accessrequests.reader import reader, visible
from accessrequests.refusals import Refused
from accessrequests.shown import Shown, read
from accessrequests.states import RequestStatus
from auditlog import clock
from catalog.membership import Now
from catalog.offers import Offer, chosen, offers_for
from catalog.people import Person
from catalog.step_up import Proof
from catalog.wording import yours


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Ask for access: first for what, unless the address says so, then the form."""
    person = reader(request)
    offers = offers_for(person)
    if request.method == "POST":
        return _ask(request, person, offers)
    typed = step_up.back(request.session, person.user_id, request.GET.get("kept"))
    if typed is not None:
        form = RequestForm(typed, offer=_offer(offers, WhatForm(typed), typed.getlist("accounts")))
        form.full_clean()
        return _new_form(request, form, status=200)
    what = WhatForm(request.GET) if request.GET.get("role") or request.GET.get("environment") else None
    offer = _offer(offers, what, request.GET.getlist("account")) if what else (offers[0] if len(offers) == 1 else None)
    if offer is None:
        return render(request, "accessrequests/choose.html", {"offers": offers, "what": what})
    return _new_form(request, RequestForm(offer=offer), status=200)


def _offer(offers: tuple[Offer, ...], what: WhatForm, account_ids: Sequence[str]) -> Offer | None:
    """The offer that the form names; what stands in the way is added to the form."""
    if not what.is_valid():
        return None
    role, environment = what.cleaned_data["role"], what.cleaned_data["environment"]
    offer = chosen(offers, role, environment, account_ids)
    if offer is None:
        what.add_error("role", f"You may not ask for {role} in {environment} at present.")
    return offer


def _ask(request: HttpRequest, person: Person, offers: tuple[Offer, ...]) -> HttpResponse:
    """Sends the ask on even if nothing like it is offered: the policies say why not, and the attempt is recorded."""
    form = RequestForm(request.POST, offer=_offer(offers, WhatForm(request.POST), request.POST.getlist("accounts")))
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
        if step_up.is_to_prove(request, person, refusal, str(form_id), request.path):
            return redirect("step-up")
        add_refusals(form, refusal.refusals)
        return None
    step_up.forget(request.session)
    messages.success(request, _asked(made, again))
    return redirect("request", made.pk)


def _asked(made: AccessRequest, again: bool) -> str:
    if again:
        return (
            "This form had been sent before; this is the request it made. To ask for something else, begin a new one."
        )
    if made.status == RequestStatus.PENDING:
        shown = Shown(made, made.submitted_at)
        return f"Asked. It waits for {yours(shown.waits_for)}; each is told when it is their turn."
    # What is said once stays on the page while the request goes on: it must remain true.
    why = made.terms["approves_automatically"].get("why")
    return f"Approved at once by its policy: {why}." if why else "Approved at once by its policy."


def _new_form(request: HttpRequest, form: RequestForm, *, status: int) -> HttpResponse:
    given = form.cleaned_data if form.is_bound else {}
    by_manager = form.offer and any(stage.by_manager for stage in form.offer.terms.stages)
    context = {
        "form": form,
        "manager": Now().manager(reader(request)) if by_manager else None,
        "offer": form.offer,
        "role": form.offer.role if form.offer else given.get("role"),
        "environment": form.offer.environment if form.offer else given.get("environment"),
    }
    return render(request, "accessrequests/new.html", context, status=status)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def extend(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Ask for more time on what I hold."""
    person, now = reader(request), clock.now()
    found = visible(person, request_id)
    held = found.accounts.values_list("account_id", flat=True)
    offer = chosen(offers_for(person), found.role, found.environment, held)
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
