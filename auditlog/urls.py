"""The addresses of the audit pages."""

from django.urls import URLPattern, path

from auditlog import views

urlpatterns: list[URLPattern] = [
    path("", views.audit, name="audit"),
    path("export.csv", views.export, {"suffix": "csv"}, name="audit-export"),
    path("export.jsonl", views.export, {"suffix": "jsonl"}, name="audit-export-jsonl"),
    path("checkpoints.json", views.signed_checkpoints, name="audit-checkpoints"),
    path("verify/", views.verify, name="audit-verify"),
]
