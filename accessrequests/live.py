"""Pages that keep themselves up to date: the same address answers with the page, or with the part of it that lives."""

import hashlib
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache

# Seconds between two looks: while AWS or an approver may answer at any moment, and while nothing but time passes.
SOON: Final = 2
LATER: Final = 15


def signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """As login_required, for pages that poll and forms that are sent after the session has ended.

    A poll is led to the sign-in page as a whole, so that it does not appear inside another. After a form, sign-in
    leads back to a page that can be shown, and says that nothing was sent.
    """

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        back = request.get_full_path()
        if request.method == "POST":
            messages.warning(request, "You were no longer signed in, so nothing was sent. Sign in and send it again.")
            back = reverse("request", args=[kwargs["request_id"]]) if "request_id" in kwargs else request.path
            if what := {name: request.POST[name] for name in ("role", "environment") if name in request.POST}:
                back += f"?{urlencode(what)}"
        if request.headers.get("HX-Request"):
            response = HttpResponse(status=204)
            response["HX-Redirect"] = redirect_to_login(request.path).url
            return response
        return redirect_to_login(back)

    return guarded


def signature(*parts: object) -> str:
    """Stands for what a page shows: as long as it is the same, a poll need not be answered with a page."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def respond(
    request: HttpRequest, page: str, fragment: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """The page, or for a poll its living fragment, or nothing (204) if the reader has seen this `signature`.

    The banners above the content are in the signature, and go with the fragment: they concern a page that is open, too.

    Args:
        request: a poll names what it has `seen` in its query.
        page: the whole template, which includes the fragment.
        fragment: the template of the part that lives.
        context: has `signature`.
        status: of the whole page.
    """
    banners = mark_safe(render_to_string("_banners.html", request=request).strip())  # noqa: S308 - a template's own
    seen = signature(context["signature"], str(banners))
    shown = {**context, "signature": seen, "banners": banners}
    if not request.headers.get("HX-Request"):
        response = render(request, page, shown, status=status)
    elif request.GET.get("seen") == seen:
        response = HttpResponse(status=204)
    else:
        response = render(request, "_renewed.html", {**shown, "fragment": fragment})
    patch_vary_headers(response, ["HX-Request"])
    return response
