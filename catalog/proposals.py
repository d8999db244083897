"""Changes that wait for a second admin: proposed, accepted, rejected, withdrawn; and those made without one.

Whoever accepts is another person, an admin at that moment, and agrees to what they were shown; what is applied goes
through the same form as if they had made the change themselves. What was put forward in an admin's name is accepted by
nobody before that admin has confirmed it. People are locked first, then the proposal, then what
it changes, and the head of the ledger last.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import structlog
from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import WARNING, CheckMessage, Tags
from django.core.checks import register as register_check
from django.db import transaction

from auditlog import clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.history import attribute, latest_digest
from auditlog.ledger import Subject, record
from catalog import people
from catalog.models import Proposal
from catalog.policy import Verdict
from catalog.previews import Preview
from catalog.proposal_rules import (
    may_accept,
    may_confirm,
    may_look_at,
    may_reject,
    may_withdraw,
    proposer_of,
    sha256_of,
)
from catalog.trial import Overtaken, Trial

log = structlog.get_logger(__name__)

Status = Proposal.Status
# Whether somebody, a row, may do something with a proposal.
May = Callable[[Proposal, Any], Verdict]


class Outdated(Exception):
    """What was proposed can no longer be done; a sentence says why."""


class Refused(Exception):
    """This person may not do this with the proposal; `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class Applier(Protocol):
    """How proposals of one kind are tried out and applied: by forms of the admin, or by a file."""

    def try_out(self, proposal: Proposal, user: Any) -> tuple[Trial, Preview]:
        """What it would do now if this user (a row) did it; nothing stays written. Raises Outdated."""
        ...

    def apply(self, proposal: Proposal, user: Any, trial: Trial, told: Mapping[str, JSON]) -> None:
        """Does it, inside a transaction, behind the guard of the trial, with `told` in its events.

        Raises:
            Outdated: it can no longer be done.
            Overtaken: it does something else by now.
        """
        ...


_APPLIERS: Final[dict[str, Applier]] = {}
# Tells those whom a proposal concerns what has become of it, in the transaction in which it became so.
Tell = Callable[[Proposal], None]
_TELL: Final[list[Tell]] = []


def register(applier: Applier, *kinds: str) -> None:
    """Has proposals of these kinds applied so."""
    _APPLIERS.update(dict.fromkeys(kinds, applier))


def also_tell(tell: Tell) -> None:
    """Has another package send word of proposals; called when the app is ready."""
    if tell not in _TELL:
        _TELL.append(tell)


def propose(proposal: Proposal, shown: Preview, proposer: Actor, *, put_forward_by: Actor | None = None) -> Proposal:
    """Keeps what somebody proposes, with what they were shown; nothing of it is in force.

    `put_forward_by` is the part of the portal that does this in their name; they must confirm it then.
    """
    actor = put_forward_by or proposer
    with transaction.atomic():
        proposal.put_forward_by = put_forward_by.name if put_forward_by else None
        _keep_new(proposal, shown, proposer, Status.WAITING, actor)
        data: dict[str, JSON] = {**_told(proposal), "payload_sha256": proposal.payload_sha256}
        if put_forward_by:
            data |= {"proposed_for": proposal.proposed_by, "person": proposal.proposed_by_name}
        record(actor, Action.PROPOSAL_MADE, _subject(proposal), {**data, "effects": shown.told()["effects"]})
    log.warning("proposal_waits", proposal=proposal.pk, environments=shown.sensitive)
    return proposal


def overridden(proposal: Proposal, shown: Preview, actor: Actor) -> Proposal:
    """Keeps what somebody has put in force without a second admin, in the transaction of that change, and alarms."""
    _keep_new(proposal, shown, actor, Status.OVERRIDDEN, actor)
    data: dict[str, JSON] = {**_told(proposal), "effects": shown.told()["effects"]}
    record(actor, Action.CATALOG_OVERRIDDEN, _subject(proposal), data)
    environments, person = list(shown.sensitive), str(actor)
    # Before it is committed: an alarm for nothing is a lesser evil than one that is lost with its process.
    log.error("catalog_overridden", proposal=proposal.pk, person=person, environments=environments, why=proposal.why)
    return proposal


@register_check(Tags.security, deploy=True)
def a_second_admin_is_asked(*, app_configs: Sequence[AppConfig] | None = None, **options: Any) -> list[CheckMessage]:
    """System check catalog.W040: whether one admin alone can change everything."""
    if settings.SENSITIVE_FROM is not None:
        return []
    hint = "Leave SENSITIVE_FROM out once the portal is set up, and see to it that there are two admins."
    return [CheckMessage(WARNING, "No change of the catalog needs a second admin.", hint=hint, id="catalog.W040")]


def try_out(proposal: Proposal, user: Any) -> tuple[Trial, Preview]:
    """What a proposal that waits would do now. Raises Outdated."""
    if proposal.kind not in _APPLIERS:
        raise Outdated("The portal has no way to apply it.")
    return _APPLIERS[proposal.kind].try_out(proposal, user)


def accept(pk: int, user: Any, shown: str) -> Proposal:
    """Puts it in force, if it still does what the accepter was shown: `shown` is the digest of that preview.

    Raises:
        Refused: this person may not, or it is no longer waiting; recorded.
        Outdated: it can no longer be done; recorded, and the proposal says so from then on.
        Overtaken: it does something else by now: show it anew.
    """
    try:
        trial, _ = _as_shown(pk, user, may_accept, shown)
        with transaction.atomic():
            proposal = _held(pk, user, may_accept)
            told: dict[str, JSON] = {"proposal": proposal.pk, "proposed_by": proposal.by}
            _APPLIERS[proposal.kind].apply(proposal, user, trial, {**told, "proposer": proposal.proposed_by})
            _decide(proposal, Status.ACCEPTED, people.actor_of(user), Action.PROPOSAL_ACCEPTED)
    except Refused as refused:
        _record_refusal(pk, user, refused.verdict)
        raise
    except Outdated as outdated:
        _outdate(pk, str(outdated))
        raise
    return proposal


def confirm(pk: int, user: Any, shown: str) -> None:
    """Makes it the proposer's own that was put forward in their name: `shown` is the digest of what they were shown.

    Raises:
        Refused: this person may not, or there is nothing to confirm.
        Outdated: it can no longer be done.
        Overtaken: it does something else by now: show it anew.
    """
    _, preview = _as_shown(pk, user, may_confirm, shown)
    with transaction.atomic():
        proposal = _held(pk, user, may_confirm)
        proposal.environments, proposal.shown = list(preview.sensitive), preview.told()
        proposal.confirmed_at = clock.now()
        attribute(proposal, people.actor_of(user))
        proposal.save()
        _tell(proposal)
        data: dict[str, JSON] = {**_told(proposal), "payload_sha256": proposal.payload_sha256}
        record(people.actor_of(user), Action.PROPOSAL_CONFIRMED, _subject(proposal), data)


def reject(pk: int, user: Any, comment: str) -> None:
    """Ends it without anything having changed. Raises Refused."""
    _settle(pk, user, may_reject, Status.REJECTED, Action.PROPOSAL_REJECTED, comment)


def withdraw(pk: int, user: Any, comment: str = "") -> None:
    """Takes one's own proposal back. Raises Refused."""
    _settle(pk, user, may_withdraw, Status.WITHDRAWN, Action.PROPOSAL_WITHDRAWN, comment)


def look_at(pk: int, user: Any, comment: str = "") -> None:
    """Notes that another admin has looked at what was put in force without one. Raises Refused."""
    _settle(pk, user, may_look_at, Status.LOOKED_AT, Action.CATALOG_LOOKED_AT, comment)


def _as_shown(pk: int, user: Any, may: May, shown: str) -> tuple[Trial, Preview]:
    """What it does now, if this user may go on with it, and if that is what they were shown; nothing is locked."""
    proposal = Proposal.objects.get(pk=pk)
    if not (verdict := may(proposal, user)):
        raise Refused(verdict)
    trial, preview = try_out(proposal, user)
    if preview.digest != shown:
        raise Overtaken
    return trial, preview


@transaction.atomic
def _settle(pk: int, user: Any, may: May, status: Status, action: Action, comment: str) -> None:
    _decide(_held(pk, user, may), status, people.actor_of(user), action, comment)


def _held(pk: int, user: Any, may: May) -> Proposal:
    """The proposal, if this user may go on with it: locked after both people who are concerned.

    Neither leaves or is demoted meanwhile. Raises Refused.
    """
    proposer = proposer_of(Proposal.objects.get(pk=pk))
    for person in sorted({user.pk, *([proposer.pk] if proposer else [])}):
        people.hold(person)
    user.refresh_from_db()
    user.refresh_groups()
    proposal = Proposal.objects.select_for_update(of=("self",)).get(pk=pk)
    if not (verdict := may(proposal, user)):
        raise Refused(verdict)
    return proposal


def _keep_new(proposal: Proposal, shown: Preview, proposer: Actor, status: Status, actor: Actor) -> None:
    proposal.environments, proposal.shown = list(shown.sensitive), shown.told()
    proposal.proposed_by, proposal.proposed_by_name = str(proposer), proposer.name
    proposal.proposed_at, proposal.status = clock.now(), status
    proposal.payload_sha256 = sha256_of(proposal)
    attribute(proposal, actor, proposal.why)
    proposal.save(force_insert=True)
    _tell(proposal)


def _decide(proposal: Proposal, status: Status, actor: Actor, action: Action, comment: str = "") -> None:
    proposal.status, proposal.comment, proposal.decided_at = status, comment, clock.now()
    proposal.decided_by, proposal.decided_by_name = str(actor), actor.name
    attribute(proposal, actor, comment)
    proposal.save()
    _tell(proposal)
    data: dict[str, JSON] = {**_told(proposal), "payload_sha256": proposal.payload_sha256}
    if comment:
        data["comment"] = comment
    record(actor, action, _subject(proposal), data)


def _tell(proposal: Proposal) -> None:
    for tell in _TELL:
        tell(proposal)


def _outdate(pk: int, why: str) -> None:
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update(of=("self",)).get(pk=pk)
        if proposal.status == Status.WAITING:
            _decide(proposal, Status.OUTDATED, Actor.system("catalog"), Action.PROPOSAL_OUTDATED, why)


@transaction.atomic
def _record_refusal(pk: int, user: Any, verdict: Verdict) -> None:
    proposal = Proposal.objects.get(pk=pk)
    data: dict[str, JSON] = {**_told(proposal), "reason": verdict.reason, "rule": verdict.rule}
    record(people.actor_of(user), Action.PROPOSAL_REFUSED, _subject(proposal), data)


def _told(proposal: Proposal) -> dict[str, JSON]:
    return {
        "proposal": str(proposal),
        "environments": list(proposal.environments),
        "why": proposal.why,
        "proposed_by": proposal.by,
        "history": [latest_digest(proposal)],
    }


def _subject(proposal: Proposal) -> Subject:
    return Subject("proposal", str(proposal.pk))
