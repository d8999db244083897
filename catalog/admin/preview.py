"""Shows what a change in the admin would do before it is made, and makes it only once somebody has agreed to that.

A form that is sent is run twice: the first time to try it out, which is rolled back, the second time for good. Nothing
is written by a run that was not begun here, so no way into the admin leads past it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from auditlog.chain import JSON
from catalog import changes, forms, proposals, reasons
from catalog.models import Proposal
from catalog.people import actor_of
from catalog.previews import Preview, preview
from catalog.trial import Overtaken, Trial, tried
from catalog.uses import StillUsed, uses_of
from catalog.versions import VersionsAdmin

CONFIRM: Final = "_confirm"
PROPOSE: Final = "_propose"
OVERRIDE: Final = "_override"
EDIT: Final = "_edit"
SHOWN: Final = "shown"
REASON: Final = "reason"
# What the page of the preview adds to what the form has sent, and what says only how the browser goes on.
ADDED: Final = frozenset({CONFIRM, PROPOSE, OVERRIDE, EDIT, SHOWN, REASON, "csrfmiddlewaretoken"})
LONGEST_NAME: Final = 300
ONWARD: Final = frozenset({IS_POPUP_VAR, TO_FIELD_VAR, "_save", "_continue", "_addanother"})


@dataclass(frozen=True)
class Step:
    """How far a change has come: tried out, or, behind the guard of its trial, made; `told` goes into its event.

    `override` is what it is kept as if it is made without a second admin, and `then` keeps it.
    """

    trial: Trial | None = None
    told: Mapping[str, JSON] = field(default_factory=dict)
    why: str = ""
    then: Callable[[Model], None] | None = None
    override: Proposal | None = None


class Tried(Exception):
    """A change has been tried out, and is being rolled back; `name` is what its object is called then."""

    def __init__(self, trial: Trial, name: str) -> None:
        super().__init__("tried out")
        self.trial = trial
        self.name = name


@dataclass(frozen=True)
class _Sent:
    """A change that somebody has sent: what kind it is, of which object, and how it is carried out."""

    kind: Proposal.Kind
    object_id: str | None
    run: Callable[[], Any]


class PreviewsChanges(VersionsAdmin):
    """Base of admin classes whose every change is previewed."""

    preview_template = "admin/catalog/preview.html"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method != "POST" or EDIT in request.POST:
            return super().changeform_view(request, object_id, form_url, extra_context)
        is_new = object_id is None or "_saveasnew" in request.POST
        kind = Proposal.Kind.CREATE if is_new else Proposal.Kind.CHANGE
        sent = _Sent(kind, None if is_new else object_id, lambda: self.saving(request, object_id, extra_context))
        return self._step_by_step(request, sent)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        if request.method != "POST":
            return super().delete_view(request, object_id, extra_context)
        run = lambda: self.deleting(request, object_id, extra_context)  # noqa: E731
        return self._step_by_step(request, _Sent(Proposal.Kind.DELETE, object_id, run))

    def saving(self, request: HttpRequest, object_id: str | None, extra_context: Any = None) -> Any:
        """Django's own way to validate and save a form, as far as the request's step goes."""
        return super().changeform_view(request, object_id, "", extra_context)

    def deleting(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Django's own way to delete a row, as far as the request's step goes."""
        return super().delete_view(request, object_id, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if EDIT not in request.POST:
            return form
        # Shown once more with all that was typed, and without a complaint.
        return type(form.__name__, (form,), {"is_valid": lambda self: False})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: `save_related` comes next, and one call saves all."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        step, actor, parts = _step(request), actor_of(request.user), list(formsets)
        if not changes.is_different(form, parts):
            request.catalog_is_the_same = True  # type: ignore[attr-defined]
            return
        why = step.why or form.cleaned_data.get("why", "")
        if step.trial is None:
            trial = tried(
                lambda: changes.write_unrecorded(form=form, formsets=parts, actor=actor, why=why), form.instance
            )
            raise Tried(trial, str(form.instance))
        changes.save(form=form, formsets=parts, actor=actor, why=why, guard=step.trial.still_holds(), told=step.told)
        if step.then:
            step.then(form.instance)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        step, actor = _step(request), actor_of(request.user)
        why = step.why or _why_of_deletion(request)
        if step.trial is None:
            if uses := uses_of(obj):
                raise StillUsed(uses)
            named = str(obj)
            raise Tried(tried(lambda: changes.delete_unrecorded(instance=obj, actor=actor, why=why), obj), named)
        changes.delete(instance=obj, actor=actor, why=why, guard=step.trial.still_holds(), told=step.told)
        if step.then:
            step.then(obj)

    def message_user(
        self, request: HttpRequest, message: Any, level: Any = messages.INFO, *rest: Any, **more: Any
    ) -> None:
        # Django says of every form that it was saved.
        if level == messages.SUCCESS and hasattr(request, "catalog_is_the_same"):
            message, level = "Nothing was different, so nothing was recorded.", messages.INFO
        super().message_user(request, message, level, *rest, **more)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> Any:
        return _to_override(request) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        return _to_override(request) or super().response_change(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> Any:
        return _to_override(request) or super().response_delete(request, obj_display, obj_id)

    def _step_by_step(self, request: HttpRequest, sent: _Sent) -> HttpResponse:
        try:
            return cast(HttpResponse, taking(request, Step(), sent.run))
        except Tried as done:
            trial, name = done.trial, done.name
        shown = preview(trial, self.model)
        asked = next((verb for verb in (PROPOSE, OVERRIDE, CONFIRM) if verb in request.POST), "")
        is_stale = bool(asked) and request.POST.get(SHOWN) != shown.digest
        if shown.counts and (not asked or is_stale or (asked == CONFIRM) == bool(shown.sensitive)):
            return self._preview_page(request, sent, shown, is_stale=is_stale)
        if not shown.sensitive:
            return self._save(request, sent, shown, Step(trial))
        try:
            reason = reasons.clean(request.POST.get(REASON, ""))
        except ValueError as wrong:
            return self._preview_page(request, sent, shown, wrong=str(wrong))
        kept = self._proposal(request, sent, name, reason)
        if asked == PROPOSE:
            proposals.propose(kept, shown, actor_of(request.user))
            if IS_POPUP_VAR in request.POST:
                return self._proposed_page(request, kept)
            messages.success(request, "Proposed. Nothing is changed until another admin accepts it.")
            return redirect("proposal", kept.pk)

        def keep(row: Model) -> None:
            kept.object_pk = str(row.pk)
            proposals.overridden(kept, shown, actor_of(request.user))

        told: dict[str, JSON] = {"without_a_second_admin": True}
        return self._save(request, sent, shown, Step(trial, told, reason, keep, kept))

    def _save(self, request: HttpRequest, sent: _Sent, shown: Preview, step: Step) -> HttpResponse:
        try:
            response: HttpResponse = taking(request, step, sent.run)
        except Overtaken:
            return self._preview_page(request, sent, shown, is_stale=True)
        if not shown.sensitive and not shown.counts:
            messages.info(request, "Nobody gains or loses anything by it, so it was saved at once.")
        return response

    def _proposal(self, request: HttpRequest, sent: _Sent, name: str, why: str) -> Proposal:
        row = self.model._default_manager.filter(pk=sent.object_id).first() if sent.object_id else None
        pairs = [[field, text] for field, texts in request.POST.lists() for text in texts]
        return Proposal(
            kind=sent.kind,
            model=self.opts.label_lower,
            object_pk=str(row.pk) if row else "",
            object_kind=str(self.opts.verbose_name),
            object_name=str(row or name)[:LONGEST_NAME],
            payload=[pair for pair in pairs if pair[0] not in ADDED | ONWARD],
            seen=forms.newest_version(row) if row else 0,
            why=why,
        )

    def _proposed_page(self, request: HttpRequest, proposal: Proposal) -> HttpResponse:
        """What a window beside a form ends with: there is nothing yet for that form to choose or to show anew."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Proposed",
            "proposal": proposal,
            "is_popup": True,
            "opts": self.opts,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/catalog/proposed.html", context)

    def _preview_page(
        self, request: HttpRequest, sent: _Sent, shown: Preview, *, is_stale: bool = False, wrong: str = ""
    ) -> HttpResponse:
        carried = [(name, text) for name, texts in request.POST.lists() if name not in ADDED for text in texts]
        context = {
            **self.admin_site.each_context(request),
            "title": f"What it does to {sent.kind.label} this {self.opts.verbose_name}",
            "preview": shown,
            "carried": carried,
            "kind": sent.kind,
            "is_stale": is_stale,
            "wrong": wrong,
            "reason": request.POST.get(REASON, request.POST.get("why", "")),
            "is_popup": IS_POPUP_VAR in request.POST,
            "opts": self.opts,
            "original": self.model._default_manager.filter(pk=sent.object_id).first() if sent.object_id else None,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.preview_template, context)


def taking(request: HttpRequest, step: Step, run: Callable[[], Any]) -> Any:
    """Runs one of the admin's views with this step: without one it writes nothing."""
    request.catalog_step = step  # type: ignore[attr-defined]
    try:
        return run()
    finally:
        del request.catalog_step  # type: ignore[attr-defined]


def _step(request: HttpRequest) -> Step:
    step = getattr(request, "catalog_step", None)
    if not isinstance(step, Step):
        raise PermissionDenied("A change of the catalog is shown before it is made.")
    return step


def override_of(request: HttpRequest) -> Proposal | None:
    """What has just been put in force without a second admin: nothing, if nothing in the form was different."""
    override = _step(request).override
    return override if override and override.pk else None


def _to_override(request: HttpRequest) -> HttpResponse | None:
    """To the page of an override, which says what it did, and to whom; a window beside a form has to close first."""
    override = override_of(request)
    if override is None or IS_POPUP_VAR in request.POST:
        return None
    messages.warning(request, "It is in force without a second admin. All admins are shown that, and why.")
    return redirect("proposal", override.pk)


def _why_of_deletion(request: HttpRequest) -> str:
    form = forms.WhyForm(request.POST)
    return str(form.cleaned_data["why"]) if form.is_valid() else ""
