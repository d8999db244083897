"""`manage.py state_diagram`: writes docs/states.md from the transitions in the code, or compares the two."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accessrequests.states import diagram


class Command(BaseCommand):
    """The document cannot lie: `make check` runs this with --check."""

    help = "Write docs/states.md from accessrequests/states.py."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; fail if the document is out of date.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "states.md"
        if not options["check"]:
            path.write_text(diagram())
        elif not path.exists() or path.read_text() != diagram():
            raise CommandError("docs/states.md is out of date: run `make fix`.")
