"""Where a one-time link leads: a page that says what it is, and a button that uses it."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jitportal.models import User
from jitportal.signin import limits, local_admins, pages
from jitportal.signin.people import record_sign_out
from jitportal.signin.refusals import Refused


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, secret: str) -> HttpResponse:
    """To open it uses nothing up: mail programs and chats look at links before people do."""
    try:
        if request.method != "POST":
            return render(request, "signin/local.html", {"found": local_admins.look_at(secret)})
        person = local_admins.redeem(secret)
    except Refused as refused:
        return pages.refused(request, refused)
    if isinstance(request.user, User):
        record_sign_out(request.user, f"{person.name} signed in with the same browser")
    login(request, person)
    limits.begin(request.session)
    request.session[limits.LOCAL] = True
    return redirect("admin:index")
