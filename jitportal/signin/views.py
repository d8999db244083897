"""The sign-in page, the way to the directory and back, and the way out."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from urllib.parse import urlencode

import structlog
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe
from requests import RequestException

from accessrequests.live import signed_in
from auditlog import clock
from jitportal.models import User
from jitportal.signin import limits, pages
from jitportal.signin.addresses import page_of_portal
from jitportal.signin.entra import PROVIDER, EntraOAuth2Adapter
from jitportal.signin.people import LOGOUT_HINT, end_every_session, record_refusal, record_sign_out
from jitportal.signin.refusals import Refused

SIGNED_OUT: Final = "signed_out"
log = structlog.get_logger(__name__)


@never_cache
@require_safe
def sign_in(request: HttpRequest) -> HttpResponse:
    """One button; whoever is signed in already goes on to where they were going."""
    going_to = page_of_portal(request.GET.get("next"))
    if request.user.is_authenticated:
        return redirect(going_to)
    return render(
        request,
        "signin/sign_in.html",
        {
            "next": going_to,
            "begin": reverse("openid_connect_login", args=[PROVIDER]),
            "has_signed_out": request.session.pop(SIGNED_OUT, False),
        },
    )


@never_cache
@require_POST
def begin(request: HttpRequest, **_route: str) -> HttpResponse:
    """Sends the browser to the directory.

    What is asked of the directory is said here alone: allauth's own view would take scope, process and
    parameters from the address. It sends no nonce either; ours waits in the session beside the state.
    """
    provider = get_adapter(request).get_provider(request, PROVIDER)
    provider.oauth2_adapter_class = EntraOAuth2Adapter
    nonce = secrets.token_urlsafe(32)
    try:
        response = provider.redirect(
            request,
            process=AuthProcess.LOGIN,
            next_url=page_of_portal(request.POST.get("next")),
            auth_params={"nonce": nonce},
            nonce=nonce,
        )
    except ImmediateHttpResponse as answered:
        return cast(HttpResponse, answered.response)
    except (RequestException, OAuth2Error) as error:
        return pages.unreachable(request, error)
    return cast(HttpResponse, response)


@never_cache
@require_GET
def callback(request: HttpRequest, **_route: str) -> HttpResponse:
    """The directory's answer: a code for a token, the token through the gate, then a new session."""
    view = OAuth2CallbackView.adapter_view(EntraOAuth2Adapter(request))
    try:
        return cast(HttpResponse, view(request))
    except Refused as refused:
        # The token could not be verified, so nobody is named in the record.
        record_refusal(refused, object_id="")
        return pages.refused(request, refused)
    except (RequestException, OAuth2Error) as error:
        # allauth reads the discovery document before it begins to catch these.
        return pages.unreachable(request, error)


@require_safe
@signed_in
def you(request: HttpRequest) -> HttpResponse:
    """Who is signed in, until when at the latest, and the ways out."""
    began = datetime.fromtimestamp(request.session[limits.BEGAN], UTC)
    ends_at = began + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    if until := cast(User, request.user).local_until:
        ends_at = min(ends_at, until)
    context = {"ends_at": ends_at, "idle": settings.SESSION_IDLE, "now": clock.now()}
    return render(request, "signin/you.html", context)


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session here, always, and then the directory's, if it answers."""
    if isinstance(request.user, User):
        record_sign_out(request.user, "asked for it")
    return _leave(request)


@require_POST
@signed_in
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Ends every session of this person; the one here as `sign_out` does."""
    end_every_session(cast(User, request.user))
    return _leave(request)


def _leave(request: HttpRequest) -> HttpResponse:
    hint = request.session.get(LOGOUT_HINT, "")
    is_local = request.session.get(limits.LOCAL, False)
    # Read, so that they go: what was said to this person is not for the next one at this browser.
    list(messages.get_messages(request))
    logout(request)
    # Not a message: the directory may not send the browser back here, and on any later page this would be wrong.
    request.session[SIGNED_OUT] = True
    landing = reverse("sign-in")
    if is_local:
        # The directory has no session of theirs, and is likely to be away.
        return redirect(landing)
    try:
        end_session = EntraOAuth2Adapter(request).end_session_endpoint
    except (RequestException, OAuth2Error) as error:
        log.warning("signin.directory_unreachable", error=str(error))
        end_session = ""
    if not end_session:
        return redirect(landing)
    # With the hint Entra knows whose session to end, and need not ask. An id_token_hint would say the same, but then
    # the token would have to be kept for as long as the session.
    hinted = {"logout_hint": hint} if hint else {}
    parameters = urlencode({"post_logout_redirect_uri": request.build_absolute_uri(landing), **hinted})
    return HttpResponseRedirect(f"{end_session}{'&' if '?' in end_session else '?'}{parameters}")
