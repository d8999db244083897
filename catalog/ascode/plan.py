"""What a file would change, and changing it: a plan is a trial that is undone, and applying it must find the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import IntegrityError, transaction

from auditlog import chain
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.ledger import NOTHING, Subject, record
from catalog import account_tags, changes, problems
from catalog.ascode.changing import MANAGED_MODELS, Changing
from catalog.ascode.document import Document
from catalog.ascode.tree import Unreadable
from catalog.changes import Pending
from catalog.effect import Effect
from catalog.effects import effects
from catalog.membership import Now
from catalog.names import printable
from catalog.one_writer import wait_for_others
from catalog.snapshots import Snapshot, digest_of, snapshot, touches_sensitive

MANAGED: Final = "managed_by_file"
_SIGNS: Final = {"added": "+", "changed": "~", "deleted": "-"}
# What happens to who changes an object, and not to the object.
_ASIDE: Final = {
    "taken over": "Managed by the file from then on and locked in the admin, else as before:",
    "released": "No longer managed by the file, and changed in the admin again, else as before:",
}


@dataclass(frozen=True)
class Plan:
    """Every change that applying a file makes, in its order; `digest` is of what they say.

    `effects` are what they do to people, `problems` what would be amiss then, and `sensitive` the names of the
    sensitive environments that they touch.
    """

    changes: tuple[Pending, ...]
    digest: str
    effects: tuple[Effect, ...] = ()
    problems: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    before: Snapshot | None = None
    after: Snapshot | None = None

    @property
    def whole(self) -> str:
        """A digest of what the changes say and of what is behind the names in them, where a second admin must agree."""
        behind = digest_of(self.before, self.after) if self.before and self.after else ""
        return chain.sha256(chain.canonical([self.digest, behind]))

    @property
    def counts(self) -> dict[str, int]:
        """How many objects are added, changed, deleted, taken over (and not otherwise changed), and released."""
        counts = dict.fromkeys(("added", "changed", "deleted", "taken over", "released"), 0)
        for change in self.changes:
            counts[verb_of(change)] += 1
        return counts

    @property
    def is_different(self) -> bool:
        """Whether the catalog would say anything else; who manages what it says is beside that."""
        return any(verb_of(change) not in _ASIDE for change in self.changes)


class Changed(Exception):
    """The catalog is not what it was when the plan was shown; nothing was applied."""


class _Undone(Exception):
    """Ends a trial."""


def plan(document: Document, actor: Actor, *, why: str = "", prune: bool = False) -> Plan:
    """What applying the file would change now.

    Raises:
        Unreadable: it cannot be applied; everything that is wrong with it.
    """
    told: list[Pending] = []
    try:
        with transaction.atomic(), changes.events_last() as told:
            changing = _begun(document, actor, why, prune)
            before, amiss = snapshot(), {problem.text for problem in problems.found()}
            _run(changing)
            after, worse = snapshot(), [problem.text for problem in problems.found() if problem.text not in amiss]
            raise _Undone
    except _Undone:
        # Counting people takes its time, and nobody has to wait for it.
        return replace(
            _planned(told),
            effects=effects(before, after, Now()),
            problems=tuple(worse),
            sensitive=touches_sensitive(before, after),
            before=before,
            after=after,
        )


def apply(
    document: Document,
    shown: Plan,
    actor: Actor,
    *,
    why: str = "",
    prune: bool = False,
    told: Mapping[str, JSON] = NOTHING,
) -> None:
    """Makes the catalog what the file says, in one transaction: all rows, then their events, then that of the file.

    `told` is put into each event beside what changed.

    Raises:
        Changed: that would change something else than was shown; nothing was changed.
        Unreadable: as for `plan`.
    """
    try:
        with transaction.atomic():
            with changes.events_last() as pending:
                changing = _begun(document, actor, why, prune)
                wait_for_others()
                before = snapshot()
                _run(changing)
                found = replace(_planned(pending), before=before, after=snapshot())
                # The same changes of another catalog, or of what they only name, may do something else to people.
                if before != shown.before or found.whole != shown.whole:
                    raise Changed
                for each in pending:
                    each.data.update(told)
            if found.changes:
                counts = {verb.replace(" ", "_"): count for verb, count in found.counts.items()}
                data: dict[str, JSON] = {"file": document.name, "sha256": document.sha256, "why": why, **counts, **told}
                record(actor, Action.CATALOG_APPLIED, Subject("catalog file", document.name), data)
    except IntegrityError as error:
        # Somebody has just added what the file adds, too.
        raise Changed from error


def files() -> list[str]:
    """The names of the files that manage anything, in their order."""
    managed = [model._default_manager.exclude(managed_by_file=None) for model in MANAGED_MODELS]
    return sorted({name for rows in managed for name in rows.values_list("managed_by_file", flat=True)})


def _begun(document: Document, actor: Actor, why: str, prune: bool) -> Changing:
    said = f"{why} (file {document.name})" if why else f"By the file {document.name}."
    changing = Changing(document, actor, said, prune=prune)
    changing.lock()
    return changing


def _run(changing: Changing) -> None:
    changing.run()
    if changing.complaints:
        raise Unreadable(*dict.fromkeys(changing.complaints))


def _planned(told: Sequence[Pending]) -> Plan:
    # Keys of rows that a trial made are not those that they will have.
    meant: Any = [[str(each.action), each.data["kind"], each.data["object"], each.data["changes"]] for each in told]
    return Plan(tuple(told), chain.sha256(chain.canonical({"changes": meant})))


def verb_of(change: Pending) -> str:
    """What happens to the object, in the words of `Plan.counts`."""
    if change.action is Action.CATALOG_CREATED:
        return "added"
    if change.action is Action.CATALOG_DELETED:
        return "deleted"
    differences: Any = change.data["changes"]
    if list(differences) == [MANAGED]:
        return "taken over" if differences[MANAGED][1] else "released"
    return "changed"


def lines(shown: Plan) -> Iterator[str]:
    """The plan in lines to print: each object, and below it each field with what it was and what it becomes."""
    return map(printable, _lines(shown))


def _lines(shown: Plan) -> Iterator[str]:
    aside: dict[str, list[str]] = {}
    for change in shown.changes:
        verb, kind, name = verb_of(change), str(change.data["kind"]), str(change.data["object"])
        if verb in _ASIDE:
            aside.setdefault(verb, []).append(f"{kind} “{name}”")
            continue
        yield f"{_SIGNS[verb]} {kind} “{name}”{' is deleted' if verb == 'deleted' else ''}"
        yield from () if verb == "deleted" else _differences(change, verb)
    for verb, objects in aside.items():
        yield f"= {_ASIDE[verb]}"
        yield from (f"    {each}" for each in objects)
    counts = [f"{count} {verb}" for verb, count in shown.counts.items() if count]
    if not shown.is_different:
        yield "Nothing would change but who manages it." if counts else "Nothing would change."
    yield from [f"{', '.join(counts)}."] if counts else ()
    if shown.effects:
        yield "What it does to people:"
        yield from (f"  {effect.text}" for effect in shown.effects)
    elif counts:
        yield "Nobody gains or loses anything by it."
    if shown.problems:
        yield "What would be amiss then:"
        yield from (f"  {problem}" for problem in shown.problems)
    if shown.sensitive:
        yield f"A second admin must agree to all of it: it touches {', '.join(shown.sensitive)}."


def _differences(change: Pending, verb: str) -> Iterator[str]:
    differences: Any = change.whole
    for name, (old, new) in differences.items():
        if name == MANAGED:
            continue
        if verb == "changed" and old != new:
            yield f"    {name}: {_words(old)} → {_words(new)}"
        elif new not in (None, "", [], {}):
            yield f"    {name}: {_words(new)}"


def _words(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return "nothing"
        case dict():
            return account_tags.written(account_tags.read(value))
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)
