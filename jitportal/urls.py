"""Every address of the portal."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from catalog.explain_views import explain
from jitportal import lockout
from jitportal.entra.views import confirm_leavers

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("jitportal.signin.urls")),
    path("", include("jitportal.health.urls")),
    path("people/confirm-leavers/", confirm_leavers, name="confirm-leavers"),
    path("people/<str:object_id>/lock/", lockout.lock_out, name="person-lock"),
    path("people/<str:object_id>/unlock/", lockout.unlock, name="person-unlock"),
    path("", include("accessrequests.urls")),
    path("catalog/", include("catalog.urls")),
    path("explain/", explain, name="explain"),
    path("audit/", include("auditlog.urls")),
    path("admin/", admin.site.urls),
]
