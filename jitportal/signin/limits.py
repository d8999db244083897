"""Ends sessions that have lasted too long, or that nobody has used for too long."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse

from auditlog import clock
from catalog.policy import spell
from jitportal.models import User
from jitportal.signin.people import record_sign_out

BEGAN: Final = "began_at"
# A local administrator's session; of somebody whose time is over the session knows nothing else.
LOCAL: Final = "is_local"
USED: Final = "used_at"
# A session is not written on every page; so late may its last use be known.
_ABOUT: Final = 60.0


def begin(session: SessionBase) -> None:
    """A sign-in: both limits count from now."""
    session[BEGAN] = session[USED] = clock.now().timestamp()


class SessionLimits:
    """Middleware, behind that of authentication. A page that keeps itself up to date is not somebody who uses it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._hold(request)
        elif request.session.get(LOCAL):
            logout(request)
            messages.warning(request, "Your time as local administrator is over. Nothing was lost that had been sent.")
        return self._get_response(request)

    def _hold(self, request: HttpRequest) -> None:
        session, now = request.session, clock.now().timestamp()
        if BEGAN not in session:
            begin(session)
            return
        if over := _over(now - session[BEGAN], now - session[USED]):
            if isinstance(request.user, User):
                record_sign_out(request.user, over)
            logout(request)
            messages.warning(request, f"You were signed out: {over}. Nothing was lost that had been sent.")
        elif not request.headers.get("HX-Request") and now - session[USED] > _ABOUT:
            session[USED] = now


def _over(lasted: float, unused: float) -> str:
    """Which limit a session of these seconds has passed, in words; empty if none."""
    if lasted > settings.SESSION_COOKIE_AGE:
        return f"a sign-in lasts {spell(timedelta(seconds=settings.SESSION_COOKIE_AGE))} at most"
    if unused > settings.SESSION_IDLE.total_seconds():
        return f"nobody had used the portal here for {spell(settings.SESSION_IDLE)}"
    return ""
