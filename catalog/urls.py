"""Addresses of catalog."""

from django.urls import URLPattern, path

from catalog import views

urlpatterns: list[URLPattern] = [
    path("", views.catalog, name="catalog"),
    path("problems/", views.problems, name="catalog-problems"),
]
