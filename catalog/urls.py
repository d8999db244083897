"""Addresses of catalog."""

from django.urls import URLPattern, path

from catalog import proposal_views, views

urlpatterns: list[URLPattern] = [
    path("", views.catalog, name="catalog"),
    path("problems/", views.problems, name="catalog-problems"),
    path("proposals/", proposal_views.listed, name="proposals"),
    path("proposals/<int:pk>/", proposal_views.shown, name="proposal"),
    path("proposals/<int:pk>/accept/", proposal_views.accept, name="proposal-accept"),
    path("proposals/<int:pk>/confirm/", proposal_views.confirm, name="proposal-confirm"),
    path("proposals/<int:pk>/reject/", proposal_views.reject, name="proposal-reject"),
    path("proposals/<int:pk>/withdraw/", proposal_views.withdraw, name="proposal-withdraw"),
    path("proposals/<int:pk>/look-at/", proposal_views.look_at, name="proposal-look-at"),
]
