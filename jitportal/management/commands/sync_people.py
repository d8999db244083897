"""`manage.py sync_people`: holds the people whom the portal knows against the directory, now."""

from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accessrequests import provisioner
from auditlog.actor import Actor
from jitportal.entra import hold, sync
from jitportal.entra.graph import Graph

OPERATOR: Final = Actor.system("command line")


class Command(BaseCommand):
    """Can be run at any time, also beside the scheduled one."""

    help = "Take over from Entra ID who has left, who is in which group, and how everybody is called."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--confirm",
            metavar="REASON",
            help="Go on although more people have left than SYNC_MOST_LEAVERS allows; say why, it is recorded.",
        )
        parser.add_argument(
            "--these",
            default="",
            metavar="LIST",
            help="The list that is confirmed, by what this command has said of it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Syncs once.

        Raises:
            CommandError: the directory did not tell all, too many have left, others are held than those who are
                confirmed, or another sync is at work.
        """
        if (reason := options["confirm"]) is not None:
            if not reason.strip():
                raise CommandError("Say why; it is recorded.")
            self._confirm(reason.strip(), options["these"])
        result = sync.sync(Graph(sync.PATIENCE), provisioner.current())
        if result is None:
            raise CommandError("Another sync is at work.")
        if result.trouble:
            raise CommandError(f"{result.trouble} {_done(result)}")
        if result.held:
            self._tell_who()
            raise CommandError(
                f"The directory says that {hold.spelled(result.held)} left, which is too many to be believed, at once "
                "or with those of the day before. Nobody was changed. "
                f"If it is true, confirm it with {_how()}, or on the admin's front page."
            )
        self.stdout.write(
            f"{result.asked} asked about, {result.left} left, {result.returned} returned, "
            f"{result.passed_over} passed over."
        )

    def _confirm(self, reason: str, these: str) -> None:
        try:
            count = hold.confirm(OPERATOR, reason, these)
        except hold.NotThese as others:
            self._tell_who()
            if not these:
                raise CommandError(f"Say also whom you mean: {_how()}") from None
            raise CommandError(f"{others} Then: {_how()}") from None
        if not count:
            raise CommandError("Nothing waits to be confirmed.")

    def _tell_who(self) -> None:
        for person in hold.people():
            self.stdout.write(f"  {person.name} ({person.user_name})")


def _done(result: sync.Result) -> str:
    if result.left:
        return f"{result.left} left{'; nobody else was changed' if result.stopped else ''}."
    return "Nobody was changed." if result.stopped else "Nobody left."


def _how() -> str:
    standing = hold.standing()
    return f"--confirm REASON --these {standing.shown if standing else 'LIST'}"
