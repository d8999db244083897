"""The page of standing access that was found in AWS, and its three verbs: admins act, compliance reads."""

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accessrequests import findings, findings_shown
from accessrequests.findings_forms import AcceptanceForm, AdoptionForm, RemovalForm
from accessrequests.forms import add_refusals
from accessrequests.live import signed_in
from accessrequests.models import Finding
from accessrequests.refusals import Refused
from accessrequests.states import ADOPTED_FINDING, FindingStatus
from auditlog import clock, moments
from catalog import people

PER_PAGE: Final = 50
RECENT: Final = 25

View = Callable[..., HttpResponse]


def _for_readers(view: View) -> View:
    """Lets admins and compliance in."""

    @signed_in
    @wraps(view)
    def checked(request: HttpRequest, **options: Any) -> HttpResponse:
        person: Any = request.user
        if not (person.is_staff or person.is_compliance):
            raise PermissionDenied("Findings are for admins and for compliance.")
        return view(request, **options)

    return checked


@require_safe
@_for_readers
def page(request: HttpRequest) -> HttpResponse:
    """What is open, what was settled, what is over."""
    return _page(request)


def _page(request: HttpRequest, *, status: int = 200, **bound: Any) -> HttpResponse:
    of_status = Finding.objects.filter
    open_ = findings_shown.in_order(of_status(status=FindingStatus.OPEN))
    shown_page = Paginator(open_, PER_PAGE).get_page(request.GET.get("page"))
    here = findings_shown.in_order(of_status(pk__in=[row.pk for row in shown_page]))
    settled = of_status(status__in=(*ADOPTED_FINDING, FindingStatus.ACCEPTED))
    closed = of_status(closed_at__isnull=False).order_by("-closed_at")
    failed: Finding | None = bound.get("failed")
    mine = [people.identity(row) for row in people.accounts_of(people.identity(request.user))]
    settled_rows = findings_shown.read(settled.order_by("status", "until", "review_at")[: PER_PAGE * 2], mine)
    offered = [each.row.pk for each in settled_rows if not each.is_being_removed]
    shown_here = {row.pk for row in shown_page} | set(offered)
    is_admin = cast(Any, request.user).is_staff
    context = {
        "now": clock.now(),
        "page": shown_page,
        "groups": findings_shown.grouped(findings_shown.read(here, mine)),
        "held_by_groups": of_status(status=FindingStatus.OPEN, principal_type=Finding.Principal.GROUP).count(),
        "settled": settled_rows,
        "closed": findings_shown.read(closed[:RECENT]),
        "scan": findings_shown.scan(),
        # The one that was refused, if its forms are not on the page: settled meanwhile, or not the reader's to settle.
        "failed_elsewhere": None if failed is None or (is_admin and failed.pk in shown_here) else failed,
        **bound,
    }
    return render(request, "accessrequests/findings.html", context, status=status)


@require_POST
@_for_readers
def adopt(request: HttpRequest, finding_id: uuid.UUID) -> HttpResponse:
    """Make it ours until a moment."""
    return _settle(request, finding_id, "adopt", AdoptionForm(request.POST), findings.adopt, _adopted)


@require_POST
@_for_readers
def remove(request: HttpRequest, finding_id: uuid.UUID) -> HttpResponse:
    """Take it away now."""
    return _settle(request, finding_id, "remove", RemovalForm(request.POST), findings.remove, _being_removed)


@require_POST
@_for_readers
def accept(request: HttpRequest, finding_id: uuid.UUID) -> HttpResponse:
    """Leave it, with an owner and a day to look again."""
    return _settle(request, finding_id, "accept", AcceptanceForm(request.POST), findings.accept, _accepted)


def _adopted(settled: Finding) -> str:
    return f"Adopted until {moments.exact(cast(datetime, settled.until))}. It ends by itself then."


def _being_removed(settled: Finding) -> str:
    asked = "AWS is being asked to take it away; the finding is closed when AWS has confirmed that."
    return f"{settled.get_status_display()}. {asked}"


def _accepted(settled: Finding) -> str:
    return f"Accepted until {moments.exact(cast(datetime, settled.review_at))}. It is open again then."


def _settle(
    request: HttpRequest,
    finding_id: uuid.UUID,
    verb: str,
    form: forms.Form,
    do: Callable[..., Finding],
    told: Callable[[Finding], str],
) -> HttpResponse:
    found = Finding.objects.filter(pk=finding_id).select_related("account", "permission_set").first()
    if found is None:
        raise Http404
    user_id = cast(int, request.user.pk)
    if form.is_valid():
        try:
            settled = do(user_id=user_id, finding_id=found.pk, **form.cleaned_data)
        except Refused as refusal:
            add_refusals(form, refusal.refusals)
        else:
            messages.success(request, told(settled))
            return redirect("findings")
    return _page(request, status=422, failed=found, failed_verb=verb, form=form)
