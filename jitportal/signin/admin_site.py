"""Django admin behind the portal's own sign-in: it has no form for a password, because nobody has one."""

from collections.abc import Callable, Iterable
from functools import update_wrapper
from typing import Any, Final, NoReturn, TypeVar, cast

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from jitportal.signin.addresses import is_page_of_portal
from jitportal.signin.admin_lists import OfferedOnly
from jitportal.signin.views import sign_out

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
# In the order in which somebody sets the portal up, and then looks after it.
_ORDER: Final = ("catalog", "accessrequests", "auditlog", "jitportal")


class Administration(AdminSite):
    """The admin site: anonymous people go to the sign-in page, people who are not administrators get 403."""

    site_header = "jitportal administration"
    site_title = "jitportal administration"
    index_title = "Catalog and records"

    def register(
        self,
        model_or_iterable: ModelBase | Iterable[ModelBase],
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        # Here and not in each class, so that none can be forgotten.
        shown = admin_class or ModelAdmin
        bounded = type(shown.__name__, (OfferedOnly, shown), {"__module__": shown.__module__, "__doc__": shown.__doc__})
        super().register(cast("type[Model]", model_or_iterable), bounded, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        def place(app: Any) -> int:
            return _ORDER.index(app["app_label"]) if app["app_label"] in _ORDER else len(_ORDER)

        return sorted(super().get_app_list(request, app_label), key=place)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded = super().admin_view(view, cacheable)

        def refusing(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied("Only members of the directory's admin group administer the portal.")
            if _holds_nul(request, *args, *kwargs.values()):
                raise BadRequest("No text in the portal has a NUL character.")
            try:
                return guarded(request, *args, **kwargs)
            except ValidationError:
                # Forms catch their own: this is a part of the address that no row can have.
                raise Http404 from None

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


def _holds_nul(request: HttpRequest, *parts: Any) -> bool:
    """Whether a NUL character, which PostgreSQL keeps in no text, is anywhere in the address."""
    queried = (text for name, values in request.GET.lists() for text in (name, *values))
    return any("\x00" in text for text in (request.path, *queried, *map(str, parts)))
