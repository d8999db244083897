"""Files that touch sensitive environments: proposed to a second admin, or put in force without one in an emergency."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db import transaction

from auditlog.actor import Actor
from auditlog.chain import JSON
from catalog import proposals
from catalog.ascode import document, plan
from catalog.ascode.changing import MANAGED_MODELS
from catalog.ascode.document import Document
from catalog.ascode.plan import MANAGED, Plan, verb_of
from catalog.ascode.tree import Unreadable
from catalog.models import Proposal
from catalog.people import actor_of
from catalog.previews import Preview
from catalog.proposals import Outdated
from catalog.told_changes import lines
from catalog.trial import Overtaken, Trial

_KIND: Final = "catalog file"
_MODELS: Final[Mapping[str, Any]] = {str(model._meta.verbose_name): model for model in MANAGED_MODELS}


def proposal_of(file: Document, why: str, *, prune: bool) -> Proposal:
    """The proposal to apply a file, as `proposals` keeps it."""
    return Proposal(
        kind=Proposal.Kind.FILE,
        object_kind=_KIND,
        object_name=file.name,
        payload=[["text", file.text], ["prune", "yes" if prune else ""]],
        why=why,
    )


def preview_of(shown: Plan) -> Preview:
    """A plan as those who must agree are shown it."""
    return Preview(shown.effects, tuple(_fields(shown)), shown.problems, shown.sensitive, shown.whole)


def override(file: Document, shown: Plan, actor: Actor, why: str, *, prune: bool) -> Proposal:
    """Applies a file without a second admin, and has all admins see that, in one transaction.

    Raises:
        Changed, Unreadable: as for `plan.apply`.
    """
    told: dict[str, JSON] = {"without_a_second_admin": True}
    with transaction.atomic():
        plan.apply(file, shown, actor, why=why, prune=prune, told=told)
        return proposals.overridden(proposal_of(file, why, prune=prune), preview_of(shown), actor)


class Files:
    """Proposals to apply a file."""

    def try_out(self, proposal: Proposal, user: Any) -> tuple[Trial, Preview]:
        file, prune = _file(proposal)
        try:
            shown = plan.plan(file, actor_of(user), why=proposal.why, prune=prune)
        except Unreadable as error:
            raise Outdated(f"The file can no longer be applied: {_first(error)}") from None
        if not shown.changes or shown.before is None or shown.after is None:
            raise Outdated("There is nothing left to change: it is so already.")
        return Trial(shown.before, shown.after, {"digest": shown.digest}, shown.problems), preview_of(shown)

    def apply(self, proposal: Proposal, user: Any, trial: Trial, told: Mapping[str, JSON]) -> None:
        file, prune = _file(proposal)
        shown = Plan((), str(trial.changes["digest"]), before=trial.before, after=trial.after)
        try:
            plan.apply(file, shown, actor_of(user), why=proposal.why, prune=prune, told=told)
        except Unreadable as error:
            raise Outdated(f"The file can no longer be applied: {_first(error)}") from None
        except plan.Changed as error:
            raise Overtaken from error


def _file(proposal: Proposal) -> tuple[Document, bool]:
    said = dict(proposal.payload)
    try:
        return document.read(str(said["text"]).encode(), proposal.object_name), bool(said.get("prune"))
    except Unreadable as error:
        raise Outdated(f"The file can no longer be read: {_first(error)}") from None


def _first(error: Unreadable) -> str:
    """What is wrong first, with how much more: the rest is told to whoever plans the file anew."""
    first, *others = error.complaints
    return f"{first} (and {len(others)} more)" if others else str(first)


def _fields(shown: Plan) -> Iterator[dict[str, str]]:
    """Each object, and of those that are added or change each field, with what was and what comes."""
    for change in shown.changes:
        verb, name = verb_of(change), f"{change.data['kind']} “{change.data['object']}”"
        if verb not in ("added", "changed"):
            yield {"field": name, "old": "", "new": verb}
            continue
        told = {field: values for field, values in change.whole.items() if field != MANAGED}
        for line in lines(_MODELS[str(change.data["kind"])], told, with_ids=True):
            yield {**line, "field": f"{name}: {line['field']}"}


proposals.register(Files(), Proposal.Kind.FILE)
