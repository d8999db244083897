"""Fresh proof of who somebody is: to Entra with an authentication context, and back to the form they had filled in."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from requests import RequestException

from accessrequests import step_up
from accessrequests.live import signed_in
from accessrequests.step_up import Kept
from auditlog import clock
from catalog.policy import spell
from catalog.step_up import Proof
from jitportal.models import User
from jitportal.signin import claims, pages
from jitportal.signin.entra import PROVIDER, EntraOAuth2Adapter
from jitportal.signin.people import record_proof, record_refusal
from jitportal.signin.refusals import Refused, Rule

TRY_AGAIN: Final = "What you typed is kept. Confirm again, or go back."
# Entra's clock may differ from ours by this much.
_LEEWAY: Final = timedelta(minutes=1)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Says what is asked for and by which rule, and on POST sends the person to the directory for it."""
    kept = step_up.waiting(request.session, cast(int, request.user.pk))
    if kept is None:
        messages.warning(request, "Nothing waits for your confirmation any more. Begin again.")
        return redirect("home")
    if not kept.needs:
        return redirect(_form_of(kept))
    return _begin(request, kept) if request.method == "POST" else _shown(request, kept)


def _shown(request: HttpRequest, kept: Kept, refusal: Refused | None = None) -> HttpResponse:
    context = {"kept": kept, "back": _form_of(kept), "refusal": refusal}
    return render(request, "signin/step_up.html", context, status=403 if refusal else 200)


def _form_of(kept: Kept) -> str:
    return f"{kept.page}{'&' if '?' in kept.page else '?'}kept={kept.id}"


def _begin(request: HttpRequest, kept: Kept) -> HttpResponse:
    provider = get_adapter(request).get_provider(request, PROVIDER)
    provider.oauth2_adapter_class = EntraOAuth2Adapter
    nonce = secrets.token_urlsafe(32)
    person = cast(User, request.user)
    try:
        response = provider.redirect(
            request,
            process=AuthProcess.REDIRECT,
            next_url=_form_of(kept),
            auth_params={
                "nonce": nonce,
                "claims": json.dumps({"id_token": {"acrs": {"essential": True, "value": kept.needs[0].context}}}),
                # Whoever found the browser open must not pass by the session that the directory has in it.
                "prompt": "login",
                "login_hint": person.user_name,
            },
            nonce=nonce,
            form=kept.id,
        )
    except ImmediateHttpResponse as answered:
        return cast(HttpResponse, answered.response)
    except (RequestException, OAuth2Error) as error:
        return pages.unreachable(request, error)
    return cast(HttpResponse, response)


def finish(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    """The directory's answer to a step-up, its token verified: a proof in a session with a new key, or a refusal."""
    token = sociallogin.account.extra_data["id_token"]
    person = request.user if isinstance(request.user, User) else None
    kept = step_up.waiting(request.session, person.pk) if person else None
    try:
        if person is None or kept is None or not kept.needs or kept.id != sociallogin.state.get("form"):
            raise Refused(Rule.STEP_UP_LOST, "What this confirmation was for is no longer kept.")
        proof = proved(token, kept, person, sociallogin.state.get("nonce", ""), clock.now())
    except Refused as refused:
        record_refusal(refused, claims.object_id_in(token))
        return _shown(request, kept, refused) if kept else pages.refused(request, refused)
    request.session.cycle_key()
    step_up.hold(request.session, proof)
    record_proof(person, proof)
    if step_up.meet(request.session, proof.context):
        messages.success(request, f"Thank you, {proof.context.upper()} is confirmed. One more is asked for.")
        return redirect("step-up")
    undone = "It is not decided yet: decide now." if kept.is_decision else "It is not sent yet: send it now."
    messages.success(request, f"Thank you, you are confirmed. {undone}")
    return redirect(_form_of(kept))


def proved(token: Mapping[str, Any], kept: Kept, person: User, nonce: str, now: datetime) -> Proof:
    """What a verified token proves.

    Raises:
        Refused: it belongs to another step-up, is somebody else's, lacks the context, or is not fresh.
    """
    need = kept.needs[0]
    described = claims.read(
        token,
        issuer=settings.ENTRA_ISSUER,
        tenant_id=settings.ENTRA_TENANT_ID,
        nonce=nonce,
        # Who it is counts here, and not what groups they are in.
        groups_elsewhere=lambda _: frozenset(),
        guests_allowed=settings.ENTRA_GUESTS_ALLOWED,
    )
    if (described.tenant_id, described.object_id) != (person.tenant_id, person.object_id):
        raise Refused(
            Rule.STEP_UP_PERSON,
            f"The confirmation was {described.name}’s (claim oid), and {person.name} is signed in here.",
            TRY_AGAIN,
        )
    met = token.get("acrs")
    if need.context not in (met if isinstance(met, list) else [met]):
        raise Refused(
            Rule.STEP_UP_CONTEXT,
            f"The directory did not confirm the authentication context {need.context.upper()} (claim acrs).",
            "It has to be published to this application in conditional access. Tell the people who run this portal.",
        )
    at = _moment(token)
    if not now - timedelta(seconds=need.longest_age) <= at <= now + _LEEWAY:
        allowed = spell(timedelta(seconds=need.longest_age))
        raise Refused(
            Rule.STEP_UP_AGE,
            f"The directory says that you confirmed it at {at:%H:%M} UTC on {at:%-d %B} (claim auth_time or iat), and "
            f"“{need.rule}” allows at most {allowed}.",
            TRY_AGAIN,
        )
    identifier = token.get("uti") or token.get("sid") or ""
    return Proof(need.context, at, person.object_id, str(identifier)[:200])


def _moment(token: Mapping[str, Any]) -> datetime:
    """When the person authenticated: `auth_time`, which Entra sends if asked to, else `iat`, which it dates by that.

    Source: Microsoft identity platform, "ID token claims reference" and "Optional claims reference".
    """
    said = token.get("auth_time", token.get("iat"))
    if not isinstance(said, int) or isinstance(said, bool) or not 0 <= said < 2**40:
        raise Refused(
            Rule.STEP_UP_AGE, "The directory does not say when you confirmed it (claim auth_time).", TRY_AGAIN
        )
    return datetime.fromtimestamp(said, UTC)


def given_up(request: HttpRequest) -> HttpResponse:
    """The person went back from the directory without confirming."""
    messages.warning(request, "You went back without confirming. What you typed is kept, and nothing was sent.")
    return redirect(reverse("step-up"))
