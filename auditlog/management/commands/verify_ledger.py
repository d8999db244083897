"""Verifies the ledger, its checkpoints, the history and the rows of today; the exit code is the outcome."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from auditlog import checkpoints, integrity


class Command(BaseCommand):
    help = "Verifies every event, checkpoint, history row and row of today; exits 1 at the first fault."
    requires_system_checks: list[str] = []  # noqa: RUF012 - missing triggers are for the verification to report

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--public-key",
            action="append",
            default=[],
            help="a former key, 64 hexadecimal digits; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            former = [bytes.fromhex(text) for text in options["public_key"]]
        except ValueError:
            raise CommandError("--public-key: give 64 hexadecimal digits.") from None
        result = integrity.verify([checkpoints.public_key(), *former])
        if not result.whole:
            raise CommandError(result.problem)
        self.stdout.write(
            f"Events 1 to {result.number} are whole; {result.checkpoints} checkpoints and "
            f"{result.history_rows} history rows agree, and {result.live_rows} rows are as their newest history row "
            f"says."
        )
        if result.unvouched:
            more = f"{result.unvouched_history_rows} more history rows ({result.unvouched_in_words})"
            self.stdout.write(
                f"No event vouches for {more}, so they prove nothing. Of assignments that is as it should be; of "
                "anything else, tell your security team."
            )
