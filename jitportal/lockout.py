"""Where an admin locks a person out at once, and lets them in again."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accessrequests import offboarding
from catalog.names import refuse_control
from catalog.people import accounts_of, actor_of, identity, told
from jitportal.models import User


@never_cache
@require_POST
@login_required
def lock_out(request: HttpRequest, object_id: str) -> HttpResponse:
    """Ends the sessions, requests and access of a person by all their accounts, and keeps them out."""
    return _carry_out(request, object_id, offboarding.lock_out, "{} is locked out. Their access is being taken away.")


@never_cache
@require_POST
@login_required
def unlock(request: HttpRequest, object_id: str) -> HttpResponse:
    """Lets a person in again who was locked out."""
    return _carry_out(request, object_id, offboarding.unlock, "{} may sign in again. What they had stays ended.")


def _carry_out(request: HttpRequest, object_id: str, verb: Callable[..., list[User]], done: str) -> HttpResponse:
    admin = request.user
    if not isinstance(admin, User) or not admin.is_staff:
        raise PermissionDenied("Only members of the directory's admin group administer the portal.")
    person = get_object_or_404(User, object_id=object_id)
    reason, wrong = _reason(request.POST.get("reason", ""))
    if wrong:
        messages.error(request, wrong)
    elif admin in accounts_of(identity(person)):
        messages.error(request, "Nobody locks themselves out, or in. Nothing was changed.")
    elif person.is_local:
        messages.error(request, "A local administrator is ended at the server: manage.py local_admin --end.")
    elif concerned := verb(person.pk, reason, actor=actor_of(admin)):
        others = [told(each) for each in concerned if each != person]
        also = f" The same goes for their other accounts: {'; '.join(others)}." if others else ""
        messages.success(request, f"{done.format(person.name)}{also}")
    else:
        messages.info(request, "Nothing was changed: it is so already.")
    return redirect("admin:jitportal_user_change", person.pk)


def _reason(typed: str) -> tuple[str, str]:
    """The reason on one line, and what is wrong with it."""
    try:
        reason = " ".join(refuse_control(typed).split())[:2000]
    except ValueError as error:
        return "", str(error)
    return reason, "" if reason else "Say why; it is recorded."
