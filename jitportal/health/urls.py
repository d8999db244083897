"""Addresses for load balancers and monitors; they need no sign-in and say nothing secret."""

from django.urls import path

from jitportal.health import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
