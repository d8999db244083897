"""Registers the embedded mode's commands; present in embedded mode only."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "jitportal.demo"
    label = "demo"
    verbose_name = "Demo"
