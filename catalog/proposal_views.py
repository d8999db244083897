"""The pages of changes that wait for a second admin, and of those made without one; and what is done with them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast

from django.apps import apps
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog import proposal_rules, proposals, reasons, waiting
from catalog.models import Proposal
from catalog.policy import Verdict
from catalog.previews import effects_of
from catalog.proposals import Outdated, Refused
from catalog.trial import Overtaken

MOST_SETTLED: Final = 50


@login_required
@never_cache
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """What waits, what is outdated, and what was settled lately."""
    _only_readers(request)
    is_open = Q(status__in=(Proposal.Status.WAITING, Proposal.Status.OVERRIDDEN))
    rows = list(Proposal.objects.filter(is_open))
    gone = waiting.outdated(rows)
    context = {
        "waiting": [row for row in rows if row.pk not in gone],
        "outdated": [row for row in rows if row.pk in gone],
        "settled": Proposal.objects.exclude(is_open)[:MOST_SETTLED],
    }
    return render(request, "catalog/proposals.html", context)


@login_required
@never_cache
@require_safe
def shown(request: HttpRequest, pk: int) -> HttpResponse:
    """One proposal: what was proposed, what it would do now, and what this reader may do with it."""
    _only_readers(request)
    return _page(request, get_object_or_404(Proposal, pk=pk))


Verb = Callable[[HttpRequest, int], str]


def _of_admin(verb: Verb) -> Callable[[HttpRequest, int], HttpResponse]:
    """A page by which admins do something with one proposal, and that leads back to it; the verb says what is done."""

    @login_required
    @never_cache
    @require_POST
    @wraps(verb)
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if not cast(Any, request.user).is_staff:
            raise PermissionDenied("Only members of the directory's admin group decide on changes of the catalog.")
        get_object_or_404(Proposal, pk=pk)
        try:
            messages.success(request, verb(request, pk))
        except Refused as refused:
            messages.error(request, f"{refused.verdict.reason} Nothing was changed.")
        except Outdated as outdated:
            messages.error(request, f"It can no longer be accepted. {outdated} Nothing was changed.")
        except Overtaken:
            again = "It does something else by now than you were shown. Nothing was changed; look again."
            messages.error(request, again)
        return redirect("proposal", pk)

    return view


@_of_admin
def accept(request: HttpRequest, pk: int) -> str:
    """Puts it in force, if it still does what this admin was shown."""
    proposals.accept(pk, request.user, request.POST.get("shown", ""))
    return "It is in force."


@_of_admin
def confirm(request: HttpRequest, pk: int) -> str:
    """Makes one's own what was put forward in one's name, if it still does what this admin was shown."""
    proposals.confirm(pk, request.user, request.POST.get("shown", ""))
    return "It is yours now, and waits for another admin."


@_of_admin
def reject(request: HttpRequest, pk: int) -> str:
    """Ends it, with a comment for its proposer."""
    proposals.reject(pk, request.user, _comment(request, reasons.clean))
    return "It is rejected."


@_of_admin
def withdraw(request: HttpRequest, pk: int) -> str:
    """Takes one's own back."""
    proposals.withdraw(pk, request.user)
    return "It is withdrawn."


@_of_admin
def look_at(request: HttpRequest, pk: int) -> str:
    """Notes that another admin has looked at what is in force without one."""
    proposals.look_at(pk, request.user, _comment(request, reasons.on_one_line)[: reasons.MOST])
    return "Noted that you looked at it."


def _comment(request: HttpRequest, clean: Callable[[str], str]) -> str:
    try:
        return clean(request.POST.get("comment", ""))
    except ValueError as wrong:
        raise Refused(Verdict(False, str(wrong), "reason", "comment")) from None


def _page(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    user, preview, outdated = cast(Any, request.user), None, ""
    if proposal.status == Proposal.Status.WAITING and user.is_staff:
        try:
            _, preview = proposals.try_out(proposal, user)
        except Outdated as error:
            outdated = str(error)
    context = {
        "proposal": proposal,
        "preview": preview,
        "outdated": outdated,
        "row": _row_of(proposal) if user.is_staff else "",
        "was_shown": effects_of(proposal.shown),
        "is_other": bool(preview and preview.told()["effects"] != proposal.shown.get("effects")),
        "may_accept": proposal_rules.may_accept(proposal, user),
        "may_confirm": proposal_rules.may_confirm(proposal, user),
        "may_reject": proposal_rules.may_reject(proposal, user),
        "may_withdraw": proposal_rules.may_withdraw(proposal, user),
        "may_look_at": proposal_rules.may_look_at(proposal, user),
    }
    return render(request, "catalog/proposal.html", context)


def _row_of(proposal: Proposal) -> str:
    """The address of what it changes, if that is there: not of a file, of what is new, or of what is deleted."""
    if not (proposal.model and proposal.object_pk):
        return ""
    model = apps.get_model(proposal.model)
    is_there = model._default_manager.filter(pk=proposal.object_pk).exists()
    return reverse(f"admin:{proposal.model.replace('.', '_')}_change", args=[proposal.object_pk]) if is_there else ""


def _only_readers(request: HttpRequest) -> None:
    reader: Any = request.user
    if not (reader.is_staff or reader.is_compliance):
        raise PermissionDenied("Changes of the catalog are for admins and for compliance.")
