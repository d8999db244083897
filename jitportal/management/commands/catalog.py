"""`manage.py catalog`: the catalog on the command line."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from auditlog.actor import Actor
from catalog import names, people, problems, proposals, reasons
from catalog.ascode import document, plan, proposing, writer
from catalog.ascode.document import Document
from catalog.ascode.tree import Unreadable
from catalog.models.managed import LONGEST_FILE_NAME
from catalog.people import actor_of
from jitportal.management import files

OPERATOR: Final = Actor.system("command line")
# `plan` says by its exit code whether the catalog would say anything else: 0 is no, 1 an error, as everywhere.
WOULD_CHANGE: Final = 2


class Command(BaseCommand):
    """`problems` lists what is amiss; the others keep the catalog in a file (docs/catalog-as-code.md)."""

    help = "List what is amiss in the catalog; write it as a file, and apply a file to it."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("problems", help="list what keeps people from asking or being approved, and what needs a look")
        exporting = verbs.add_parser("export", help="write the whole catalog as a file")
        exporting.add_argument("--out", metavar="FILE", help="where to; default: standard output")
        planning = verbs.add_parser(
            "plan", help="say what a file would change; exit code 2 if anything but who manages it"
        )
        applying = verbs.add_parser("apply", help="say what a file would change, ask, and make the catalog so")
        for verb in (planning, applying):
            verb.add_argument("file")
            verb.add_argument(
                "--as",
                dest="name",
                default="",
                help="the name that the catalog knows it by; default: that of the file",
            )
            verb.add_argument("--prune", action="store_true", help="delete what the file managed and no longer names")
        applying.add_argument("--proposer", metavar="USER_NAME", help="an admin, for whom it is proposed to another")
        applying.add_argument("--override", metavar="REASON", help="apply it without a second admin")
        releasing = verbs.add_parser("release", help="give everything that a file manages back to the admin")
        releasing.add_argument("name", help="the name of the file")
        for verb in (applying, releasing):
            verb.add_argument("--yes", action="store_true", help="do not ask")
            verb.add_argument("--why", default="", help="why; it is recorded with every change")

    def handle(self, *args: Any, **options: Any) -> None:
        """Does what the verb says.

        Raises:
            CommandError: a file cannot be read or applied, with everything that is wrong with it; nothing was changed.
        """
        try:
            with _told_in_words():
                getattr(self, f"_{options['verb']}")(options)
        except Unreadable as error:
            file = options.get("file") or options["name"]
            said = "\n".join(f"{file}:{complaint}" for complaint in error.complaints)
            raise CommandError(f"{said}\n{len(error.complaints)} to mend; nothing was changed.") from None

    def _problems(self, options: dict[str, Any]) -> None:
        """Prints each problem with its id, and how many there are."""
        found = problems.found()
        for problem in found:
            kind = "problem" if problem.is_blocking else "warning"
            self.stdout.write(names.printable(f"{problem.id} {kind}: {problem.text}"))
        blocking = sum(problem.is_blocking for problem in found)
        self.stdout.write(f"Problems: {blocking}, warnings: {len(found) - blocking}.")

    def _export(self, options: dict[str, Any]) -> None:
        text = writer.export()
        if not options["out"]:
            self.stdout.write(text, ending="")
            return
        with files.named(path := Path(options["out"])):
            path.write_text(text, encoding="utf-8")

    def _plan(self, options: dict[str, Any]) -> None:
        shown = plan.plan(_read(options), OPERATOR, prune=options["prune"])
        self._show(shown)
        if shown.is_different:
            sys.exit(WOULD_CHANGE)

    def _apply(self, options: dict[str, Any]) -> None:
        self._carry_out(_read(options), options, prune=options["prune"])

    def _release(self, options: dict[str, Any]) -> None:
        name, known = options["name"], plan.files()
        if name not in known:
            there = f"these do: {', '.join(known)}" if known else "none does"
            rest = f".{meant}" if (meant := names.alike(name, known)) else f"; {there}."
            raise CommandError(names.printable(f"No file of the name “{files.brief(name)}” manages anything{rest}"))
        self._carry_out(Document(name, ""), options)

    def _carry_out(self, file: Document, options: dict[str, Any], *, prune: bool = False) -> None:
        why = " ".join(options["why"].split())
        shown = plan.plan(file, OPERATOR, why=why, prune=prune)
        self._show(shown)
        if not shown.changes:
            return
        proposer, reason = _second_admin(shown, why, options)
        if not (options["yes"] or self._agreed("Propose" if proposer else "Apply")):
            return
        if proposer is not None:
            made = proposing.proposal_of(file, reason, prune=prune)
            # Nobody is spoken for by whoever has the shell: the proposer says in the portal that it is theirs.
            preview, named = proposing.preview_of(shown), actor_of(proposer)
            proposals.propose(made, preview, named, put_forward_by=OPERATOR)
            link = f"{settings.PORTAL_URL}{reverse('proposal', args=[made.pk])}"
            self.stdout.write(
                f"Proposed. Nothing is changed until {named.name} has confirmed it and another admin accepts it: {link}"
            )
            return
        try:
            if shown.sensitive:
                proposing.override(file, shown, OPERATOR, reason, prune=prune)
            else:
                plan.apply(file, shown, OPERATOR, why=why, prune=prune)
        except plan.Changed:
            raise CommandError("The catalog has changed since; nothing was applied. Look at the plan anew.") from None
        self.stdout.write("Applied, without a second admin. All admins are shown that." if reason else "Applied.")

    def _show(self, shown: plan.Plan) -> None:
        self.stdout.writelines(f"{line}\n" for line in plan.lines(shown))

    def _agreed(self, verb: str) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("Nobody can be asked here; give --yes to apply it. Nothing was changed.")
        self.stdout.write(f"{verb} this? Type yes: ", ending="")
        self.stdout.flush()
        if sys.stdin.readline().strip().lower() == "yes":
            return True
        self.stdout.write("Nothing was changed.")
        return False


@contextmanager
def _told_in_words() -> Iterator[None]:
    """Keeps the log out of a terminal in which somebody reads the same in words; elsewhere it has its alarms."""
    log = logging.getLogger(proposals.__name__)
    level = log.level
    if sys.stderr.isatty():
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


def _second_admin(shown: plan.Plan, why: str, options: dict[str, Any]) -> tuple[Any, str]:
    """Who proposes it to another admin, and why; nobody and why it needs none; or nobody and nothing, if it needs none.

    Raises:
        CommandError: it needs a second admin, and it is not said how that is to be.
    """
    if not shown.sensitive:
        return None, ""
    try:
        if options.get("override") is not None:
            return None, reasons.clean(options["override"])
        if not options.get("proposer"):
            raise CommandError(
                f"It touches {', '.join(shown.sensitive)}, where a second admin must agree. Give --proposer with the "
                "user name of the admin who proposes it, and --why; in an emergency --override with the reason "
                "instead. Nothing was changed."
            )
        reason = reasons.clean(why)
    except ValueError as error:
        raise CommandError(f"{error} Nothing was changed.") from None
    proposer = get_user_model().objects.filter(user_name__iexact=options["proposer"]).first()
    if proposer is None or not people.of(proposer).is_admin:
        raise CommandError(f"{options['proposer']} is no admin of the portal. Nothing was changed.")
    return proposer, reason


def _read(options: dict[str, Any]) -> Document:
    path = Path(options["file"])
    with files.named(path):
        raw = path.read_bytes()
    name = options["name"] or path.name
    if not name or len(name) > LONGEST_FILE_NAME:
        raise CommandError(f"“{files.brief(name)}”: Give a name of 1 to {LONGEST_FILE_NAME} characters by --as.")
    try:
        names.refuse_unseen(name)
    except ValueError as error:
        raise CommandError(f"The file's name: {error} Or give the catalog another by --as.") from None
    return document.read(raw, name)
