"""Makes ours Django's admin site, and keeps what would be a way round the sign-in off it."""

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig

# allauth's rows would be login routes or identities, and Django's own groups grant nothing here.
_KEPT_OFF = frozenset({"account", "socialaccount", "auth", "sites"})


class AdministrationConfig(AdminConfig):
    """Stands in INSTALLED_APPS where django.contrib.admin would."""

    default_site = "jitportal.signin.admin_site.Administration"

    def ready(self) -> None:
        super().ready()
        for app_label in _KEPT_OFF:
            for model in apps.all_models[app_label].values():
                if admin.site.is_registered(model):
                    admin.site.unregister(model)
