"""Where an admin confirms that many have left indeed."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from catalog.people import actor_of
from jitportal.entra import hold
from jitportal.models import User


@never_cache
@require_POST
@login_required
def confirm_leavers(request: HttpRequest) -> HttpResponse:
    """Records the confirmation with its reason; the next sync offboards those who are named in it."""
    if not isinstance(request.user, User) or not request.user.is_staff:
        raise PermissionDenied("Only members of the directory's admin group administer the portal.")
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, "Say why; it is recorded.")
        return redirect("admin:index")
    try:
        count = hold.confirm(actor_of(request.user), reason[:2000], request.POST.get("shown", ""))
    except hold.NotThese as others:
        messages.error(request, str(others))
        return redirect("admin:index")
    if count:
        messages.success(
            request, f"Confirmed. The next sync offboards {'this person' if count == 1 else f'these {count} people'}."
        )
    else:
        messages.info(request, "Nothing waits to be confirmed any more.")
    return redirect("admin:index")
