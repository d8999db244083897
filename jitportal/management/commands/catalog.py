"""`manage.py catalog`: the catalog on the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from catalog import problems


class Command(BaseCommand):
    """`problems` lists what is amiss."""

    help = "List what is amiss in the catalog."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("problems", help="list what keeps people from asking or being approved, and what needs a look")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints each problem with its id, and how many there are."""
        found = problems.found()
        for problem in found:
            kind = "problem" if problem.is_blocking else "warning"
            self.stdout.write(f"{problem.id} {kind}: {problem.text}")
        blocking = sum(problem.is_blocking for problem in found)
        self.stdout.write(f"{blocking} problems, {len(found) - blocking} warnings.")
