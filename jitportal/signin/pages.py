"""What somebody sees who is not let in: what happened, and what to do."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from requests import RequestException

from jitportal.signin.refusals import Refused

log = structlog.get_logger(__name__)


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """The gate's refusal, 403."""
    return render(request, "signin/refused.html", {"refusal": refusal}, status=403)


def unreachable(request: HttpRequest, cause: Exception) -> HttpResponse:
    """The directory does not answer, or not as a directory does: 503."""
    log.warning("signin.directory_unreachable", error=str(cause))
    return render(request, "signin/unreachable.html", status=503)


def interrupted(request: HttpRequest, *, cancelled: bool, exception: Exception | None) -> HttpResponse:
    """The sign-in did not end: given up (200), the directory failing (503), an answer out of place (400).

    Such answers are logged and not recorded in the ledger: anybody can send them, without an account.
    """
    if cancelled:
        return render(request, "signin/interrupted.html", {"cancelled": True})
    if isinstance(exception, RequestException):
        return unreachable(request, exception)
    log.warning("signin.interrupted", error=str(exception) if exception else "no sign-in with this state is open")
    return render(request, "signin/interrupted.html", {"cancelled": False}, status=400)
