"""`manage.py adopt`: reads a living organisation's standing access as a catalog file, and says what may then go."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accessrequests import adopted_file, adoption
from accessrequests.adoption import Candidate
from accessrequests.models import ScanCursor
from accessrequests.provisioner import ProvisionerError
from catalog.names import printable
from catalog.wording import some_of
from jitportal.aws.groups import AwsGroups
from jitportal.management import files


class Command(BaseCommand):
    """It changes nothing; `--import` does what `catalog apply` does, and removing is done on the page of findings."""

    help = "Propose roles, environments and policies from the standing access that scans have found, as a file to edit."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--out", metavar="FILE", default="adopted.yaml", help="where to write; default: adopted.yaml")
        what.add_argument("--import", dest="file", metavar="FILE", help="plan such a file, ask, and apply it")
        what.add_argument("--candidates", action="store_true", help="list what could be asked for instead")
        importing = parser.add_argument_group("importing", "given on to catalog apply, whose help says more")
        importing.add_argument("--proposer", metavar="USER_NAME", help="an admin, for whom it is proposed to another")
        importing.add_argument("--override", metavar="REASON", help="apply it without a second admin")
        importing.add_argument("--why", default="", help="why; it is recorded with every change")
        importing.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        """Writes, imports, or lists.

        Raises:
            CommandError: AWS did not answer, or the file is there already.
        """
        if options["file"]:
            given = {name: options[name] for name in ("proposer", "override", "why", "yes")}
            call_command("catalog", "apply", options["file"], **given, stdout=self.stdout)
            return
        cursor = ScanCursor.objects.first()
        if cursor is None or cursor.finished_at is None:
            self.stdout.write("No scan has come to its end yet: this is a part of what there is.")
        try:
            self._list() if options["candidates"] else self._write(Path(options["out"]))
        except ProvisionerError as error:
            raise CommandError(f"{error} Nothing was written.") from None

    def _write(self, path: Path) -> None:
        found = adoption.adoption(AwsGroups())
        self.stdout.write(found.summary)
        for what, why in found.unplaced:
            self.stdout.write(f"  {what}: {why}")
        if not found.policies:
            return
        text, name = adopted_file.text_of(found), printable(str(path))
        with files.named(path):
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(text)
            except FileExistsError:
                raise CommandError(f"{name} is there already, and may be edited; give another by --out.") from None
        self.stdout.write(f"Written to {name}. Edit it, then: manage.py catalog plan {name}")

    def _list(self) -> None:
        found = adoption.candidates(AwsGroups())
        for candidate in found:
            self.stdout.write(_told(candidate))
        if found:
            self.stdout.write(f"{len(found)} could go. Remove them on the page of findings; those of groups, in AWS.")
        else:
            self.stdout.write("No standing access is covered by a policy in force.")


def _told(candidate: Candidate) -> str:
    names = candidate.losing
    people = f"{len(names)} {'person' if len(names) == 1 else 'people'} known here would lose it"
    who = f" ({some_of(names).replace(' or ', ' and ')})" if names else ""
    policies = " or ".join(f"“{policy}”" for policy in candidate.policies)
    return f"{candidate.held}\n  {people}{who}, and may ask for it instead, by {policies}."
