"""The links of delta queries kept so far tell nothing of managers: new ones are asked for, and then of everybody."""

from typing import Any

from django.db import migrations


def forget_link(apps: Any, schema_editor: Any) -> None:
    apps.get_model("jitportal", "DirectorySync").objects.update(users_link="")


class Migration(migrations.Migration):
    dependencies = [("jitportal", "0006_manager")]

    operations = [migrations.RunPython(forget_link, migrations.RunPython.noop)]
