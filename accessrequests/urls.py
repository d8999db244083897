"""Addresses of accessrequests; verbs take POST only, each at an address of its own."""

from django.urls import URLPattern, path

from accessrequests import approvals, asking_views, findings_views, views

urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("requests/new/", asking_views.new, name="request-new"),
    path("requests/<uuid:request_id>/", views.request_page, name="request"),
    path("requests/<uuid:request_id>/extend/", asking_views.extend, name="request-extend"),
    path("requests/<uuid:request_id>/decide/", views.decide, name="request-decide"),
    path("requests/<uuid:request_id>/withdraw/", views.withdraw, name="request-withdraw"),
    path("requests/<uuid:request_id>/give-back/", views.give_back, name="request-give-back"),
    path("requests/<uuid:request_id>/revoke/", views.revoke, name="request-revoke"),
    path("approvals/", approvals.page, name="approvals"),
    path("findings/", findings_views.page, name="findings"),
    path("findings/<uuid:finding_id>/adopt/", findings_views.adopt, name="finding-adopt"),
    path("findings/<uuid:finding_id>/remove/", findings_views.remove, name="finding-remove"),
    path("findings/<uuid:finding_id>/accept/", findings_views.accept, name="finding-accept"),
]
