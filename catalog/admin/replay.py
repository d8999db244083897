"""Sends a form of the admin that somebody proposed again, as the admin who looks at it or accepts it."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse, QueryDict

from auditlog.chain import JSON
from catalog import proposals
from catalog.admin.preview import PreviewsChanges, Step, Tried, taking
from catalog.forms import newest_version
from catalog.models import Proposal
from catalog.previews import Preview, preview
from catalog.proposals import Outdated
from catalog.trial import Trial
from catalog.uses import StillUsed


class Forms:
    """Proposals to create, change or delete one object of the catalog."""

    def try_out(self, proposal: Proposal, user: Any) -> tuple[Trial, Preview]:
        pages = _pages(proposal)
        try:
            answer = _send(pages, proposal, user, Step())
        except Tried as done:
            return done.trial, preview(done.trial, pages.model)
        raise Outdated(_complaint(answer))

    def apply(self, proposal: Proposal, user: Any, trial: Trial, told: Mapping[str, JSON]) -> None:
        saved: list[Any] = []
        step = Step(trial, told=told, why=proposal.why, then=saved.append)
        answer = _send(_pages(proposal), proposal, user, step)
        if not saved:
            raise Outdated(_complaint(answer))


def _pages(proposal: Proposal) -> PreviewsChanges:
    model = apps.get_model(proposal.model)
    pages = admin.site.get_model_admin(model)
    if not isinstance(pages, PreviewsChanges):
        raise Outdated("It is about something that is not changed here any more.")
    return pages


def _send(pages: PreviewsChanges, proposal: Proposal, user: Any, step: Step) -> HttpResponse:
    request = _request(proposal, user)
    if proposal.kind == Proposal.Kind.CREATE:
        return cast(HttpResponse, taking(request, step, lambda: pages.saving(request, None)))
    row = pages.model._default_manager.filter(pk=proposal.object_pk).first()
    if row is None:
        raise Outdated("It is not there any more.")
    if newest_version(row) != proposal.seen:
        raise Outdated("Somebody has changed it since this was proposed.")
    run = pages.deleting if proposal.kind == Proposal.Kind.DELETE else pages.saving
    try:
        return cast(HttpResponse, taking(request, step, lambda: run(request, proposal.object_pk)))
    except StillUsed as used:
        raise Outdated(f"It is used by {used}.") from None


def _request(proposal: Proposal, user: Any) -> HttpRequest:
    """A request of its own, with nothing in it but who sends it and what was proposed."""
    request = HttpRequest()
    host = urlsplit(settings.PORTAL_URL).netloc
    request.method, request.user, request.META = "POST", user, {"SCRIPT_NAME": "", "HTTP_HOST": host}
    sent = QueryDict(mutable=True)
    for name, text in proposal.payload:
        sent.appendlist(name, text)
    cast(Any, request).POST = sent
    # The token was checked at the request that this is a part of; and what it would tell, that one tells.
    request.csrf_processing_done = True  # type: ignore[attr-defined]
    setattr(request, "_messages", CookieStorage(request))  # noqa: B010 - Django's own way, unknown to the type
    return request


def _complaint(answer: Any) -> str:
    """Why a form was not taken, or that there is nothing left to change."""
    context = getattr(answer, "context_data", None) or {}
    if protected := context.get("protected"):
        return f"It is used by {'; '.join(map(str, protected))}."
    if "adminform" not in context:
        return "There is nothing left to change: it is so already."
    said = [text for texts in context["adminform"].form.errors.values() for text in texts]
    for inline in context["inline_admin_formsets"]:
        said += [text for errors in inline.formset.errors for texts in errors.values() for text in texts]
        said += inline.formset.non_form_errors()
    return f"The form no longer takes it: {' '.join(said)}"


proposals.register(Forms(), Proposal.Kind.CREATE, Proposal.Kind.CHANGE, Proposal.Kind.DELETE)
