"""The audit pages: one access check, one call, one response each."""

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from auditlog import checkpoints, exports, integrity
from auditlog.actor import Actor
from auditlog.forms import EventFilter
from auditlog.models import ChainHead, Checkpoint
from auditlog.paging import page

View = Callable[..., HttpResponseBase]

VERIFICATION: Final = "auditlog.verification"


def for_auditors(view: View) -> View:
    """Lets compliance and admins in; sends the anonymous to sign in, and everybody else a refusal."""

    @wraps(view)
    def checked(request: HttpRequest, **options: Any) -> HttpResponseBase:
        person: Any = request.user
        if not (person.is_compliance or person.is_staff):
            raise PermissionDenied("The audit pages are for compliance and for admins.")
        return view(request, **options)

    return never_cache(login_required(checked))


@require_safe
@for_auditors
def audit(request: HttpRequest) -> HttpResponse:
    """Events newest first, through the filters; one that cannot be read shows nothing, not everything."""
    form = EventFilter(request.GET)
    context = {"form": form, "state": _state(), "page": None, "unfiltered": False}
    if not form.is_valid():
        return render(request, "auditlog/events.html", context, status=400)
    context["unfiltered"] = not form.used()
    context["page"] = page(form.matching(), before=form.cleaned_data["before"], after=form.cleaned_data["after"])
    return render(request, "auditlog/events.html", context)


@require_GET
@for_auditors
def export(request: HttpRequest, suffix: str) -> HttpResponseBase:
    """A copy of what the filters let through; filters that cannot be read lead back to the page."""
    form = EventFilter(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('audit')}?{request.GET.urlencode()}")
    writer, content_type = FORMATS[suffix]
    copy = exports.begin(_actor(request), form.used(), suffix)
    # Whoever has a copy of all that nothing signs to its end is told so by its name.
    what = "ledger-part" if form.used() else "ledger" if copy.is_signed else "ledger-not-signed"
    name = f"{what}-{timezone.now():%Y-%m-%dT%H%M%SZ}.{suffix}"
    return StreamingHttpResponse(
        exports.stream(form.matching(), copy.up_to, writer),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


FORMATS: Final[dict[str, tuple[exports.Format, str]]] = {
    "csv": (exports.as_csv, "text/csv; charset=utf-8"),
    "jsonl": (exports.as_jsonl, "application/jsonl; charset=utf-8"),
}


@require_safe
@for_auditors
def signed_checkpoints(_request: HttpRequest) -> HttpResponse:
    """Every checkpoint, oldest first, for the offline verifier; the key must reach its user another way."""
    listed = [asdict(each.stated) for each in Checkpoint.objects.order_by("number").iterator()]
    return JsonResponse(
        {"checkpoints": listed}, headers={"Content-Disposition": 'attachment; filename="checkpoints.json"'}
    )


@require_POST
@for_auditors
def verify(_request: HttpRequest) -> HttpResponse:
    """Verifies the whole record now, and shows the outcome on the page."""
    cache.set(VERIFICATION, integrity.verify([checkpoints.public_key()]), timeout=None)
    return redirect("audit")


def _state() -> dict[str, Any]:
    newest, true = Checkpoint.objects.first(), checkpoints.last_true()
    return {
        "head": ChainHead.objects.first(),
        "checkpoint": true,
        "doubted": None if newest == true else newest,
        "public_key": checkpoints.public_key().hex(),
        "verification": cache.get(VERIFICATION),
    }


def _actor(request: HttpRequest) -> Actor:
    person: Any = request.user
    return Actor.person(person.object_id, person.name)
