"""Registers the auditlog app, its triggers and its checks."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate

from auditlog import checks, immutable


class AuditLogConfig(AppConfig):
    name = "auditlog"
    verbose_name = "Audit log"

    def ready(self) -> None:
        """Triggers come back after every migration, since SQLite loses them whenever a table is remade."""
        post_migrate.connect(immutable.install_after_migrate, sender=self, dispatch_uid="auditlog.immutable")
        register(checks.triggers_are_there, Tags.database)
