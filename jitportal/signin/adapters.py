"""The gate: what allauth asks of us on a sign-in's way, answered strictly."""

from typing import Any, Final, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from celery import Task, signature
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accessrequests.tasks import send
from jitportal.models import User
from jitportal.signin import claims, limits, overage, pages, step_up
from jitportal.signin.addresses import is_page_of_portal
from jitportal.signin.people import LOGOUT_HINT, record_refusal, record_sign_out, take_in
from jitportal.signin.refusals import Refused, Rule

# By its name: who signs in has nothing to do with all that a worker does.
SYNC_PEOPLE: Final = cast("Task[..., Any]", signature("jitportal.tasks.sync_people"))


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """No sign-up, no passwords, no other site to be sent on to."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        return bool(url) and is_page_of_portal(str(url))

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The pages say themselves who is signed in."""

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return pages.refused(request, Refused(Rule.INACTIVE, "The account is locked out of this portal."))


class DirectoryAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Lets in whom the directory vouches for, as a login and as nothing else."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """Nobody is found by their e-mail address: others can claim it."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """The applications of the settings; a row in the database must not become a way in."""
        return [app for app in super().list_apps(request, provider=provider, client_id=client_id) if app.pk is None]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Takes the person in, or refuses them and records that."""
        if sociallogin.state.get("process") == AuthProcess.REDIRECT:
            raise ImmediateHttpResponse(step_up.finish(request, sociallogin))
        token = sociallogin.account.extra_data["id_token"]
        try:
            # `connect` would attach a second identity to whoever is signed in.
            if sociallogin.state.get("process") != AuthProcess.LOGIN:
                raise Refused(Rule.PROCESS, "The sign-in was begun for another purpose than signing in.")
            described = claims.read(
                token,
                issuer=settings.ENTRA_ISSUER,
                tenant_id=settings.ENTRA_TENANT_ID,
                nonce=sociallogin.state.get("nonce", ""),
                groups_elsewhere=overage.groups_of,
                guests_allowed=settings.ENTRA_GUESTS_ALLOWED,
            )
            person = take_in(described)
        except Refused as refused:
            # Here the transaction of whatever was refused has been rolled back.
            record_refusal(refused, claims.object_id_in(token))
            raise ImmediateHttpResponse(pages.refused(request, refused)) from None
        if person.to_check:
            # They may be about to ask for something on which their manager decides.
            send(SYNC_PEOPLE)
        if isinstance(request.user, User) and request.user != person:
            record_sign_out(request.user, f"{person.name} signed in with the same browser")
        sociallogin.user = person
        limits.begin(request.session)
        request.session[LOGOUT_HINT] = hint if isinstance(hint := token.get("login_hint"), str) else ""

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """Shows our own page instead of allauth's."""
        state = (extra_context or {}).get("state") or {}
        if state.get("process") == AuthProcess.REDIRECT and error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(step_up.given_up(request))
        raise ImmediateHttpResponse(
            pages.interrupted(request, cancelled=error == AuthError.CANCELLED, exception=exception)
        )
