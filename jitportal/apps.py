"""Registers the jitportal app."""

from django.apps import AppConfig


class JitportalConfig(AppConfig):
    name = "jitportal"
    verbose_name = "The portal"
