"""Django admin behind the portal's own sign-in: it has no form for a password, because nobody has one."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, NoReturn, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from jitportal.signin.addresses import is_page_of_portal
from jitportal.signin.views import sign_out

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class Administration(AdminSite):
    """The admin site: anonymous people go to the sign-in page, people who are not administrators get 403."""

    site_header = "jitportal administration"
    site_title = "jitportal administration"
    index_title = "Catalog and records"

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded = super().admin_view(view, cacheable)

        def refusing(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied("Only members of the directory's admin group administer the portal.")
            return guarded(request, *args, **kwargs)

        return cast(View, update_wrapper(refusing, guarded))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        given = request.GET.get("next", "")
        going_to = given if is_page_of_portal(given) else reverse("admin:index", current_app=self.name)
        if not request.user.is_authenticated:
            return redirect_to_login(going_to)
        if not self.has_permission(request):
            raise PermissionDenied("Only members of the directory's admin group administer the portal.")
        return redirect(going_to)

    # Django's own answers with redirects too, whatever its stubs say.
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return sign_out(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> NoReturn:
        raise Http404

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> NoReturn:
        raise Http404
