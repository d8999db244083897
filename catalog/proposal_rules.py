"""Who may do what with a change of the catalog that waits for a second admin, and whether it is as it was proposed."""

from dataclasses import replace
from typing import Any, Final

from django.contrib.auth import get_user_model

from auditlog import chain
from auditlog.actions import Action
from auditlog.chain import JSON
from auditlog.models import Event
from catalog import people
from catalog.models import Proposal
from catalog.policy import Verdict

YES: Final = Verdict(True, "", "")
Status = Proposal.Status
_SETTLED: Final = frozenset(
    {Action.PROPOSAL_ACCEPTED, Action.PROPOSAL_REJECTED, Action.PROPOSAL_WITHDRAWN, Action.PROPOSAL_OUTDATED}
)


def may_accept(proposal: Proposal, user: Any) -> Verdict:
    """Whether this user may put it in force now."""
    if not (verdict := may_reject(proposal, user)):
        return verdict
    proposer = proposer_of(proposal)
    if proposer is None or not people.of(proposer).is_admin:
        reason = f"{proposal.proposed_by_name} is no admin any more; make the proposal anew if it is still right."
        return Verdict(False, reason, "proposer")
    if proposal.is_unconfirmed:
        by, name = proposal.put_forward_by, proposal.proposed_by_name
        reason = f"It was put forward by the {by}: {name} must confirm first that it is theirs."
        return Verdict(False, reason, "confirmation")
    return _is_as_proposed(proposal)


def may_confirm(proposal: Proposal, user: Any) -> Verdict:
    """Whether this user may say that what was put forward in their name is theirs."""
    if proposal.status != Status.WAITING or not proposal.is_unconfirmed:
        return Verdict(False, "There is nothing to confirm.", "once")
    if proposal.proposed_by != str(people.actor_of(user)) or not people.of(user).is_admin:
        return Verdict(False, f"Only {proposal.proposed_by_name} may confirm it.", "proposer")
    return _is_as_proposed(proposal)


def may_reject(proposal: Proposal, user: Any) -> Verdict:
    """Whether this user may decide on it: an admin of the directory, and another person than the proposer."""
    return _is_waiting(proposal) and _is_another_admin(proposal, user)


def may_withdraw(proposal: Proposal, user: Any) -> Verdict:
    """Whether this user may take it back."""
    if not (waiting := _is_waiting(proposal)):
        return waiting
    if proposal.proposed_by != str(people.actor_of(user)) or not people.of(user).is_admin:
        return Verdict(False, "Only the admin who proposed it may withdraw it.", "proposer")
    return YES


def may_look_at(proposal: Proposal, user: Any) -> Verdict:
    """Whether this user may note that they have looked at an override."""
    if proposal.status != Status.OVERRIDDEN:
        return Verdict(False, "There is nothing to look at: " + proposal.get_status_display().lower() + ".", "once")
    verdict = _is_another_admin(proposal, user)
    if verdict.rule == "self-approval":
        return replace(verdict, reason="You put it in force yourself: another admin looks at it.")
    return verdict


def _is_waiting(proposal: Proposal) -> Verdict:
    if proposal.status == Status.WAITING:
        return YES
    return Verdict(False, f"It is settled already: {proposal.get_status_display().lower()}.", "once")


def sha256_of(proposal: Proposal) -> str:
    """Over all that decides what it does."""
    said: dict[str, JSON] = {
        "kind": str(proposal.kind),
        "model": proposal.model,
        "object": proposal.object_pk,
        "name": proposal.object_name,
        "seen": proposal.seen,
        "payload": proposal.payload,
        "why": proposal.why,
    }
    if proposal.put_forward_by:
        said |= {"put_forward_by": proposal.put_forward_by, "proposed_by": proposal.proposed_by}
    return chain.sha256(chain.canonical(said))


def _is_as_proposed(proposal: Proposal) -> Verdict:
    """Whether the row says what the record does: what was proposed, by whom, confirmed by them, and still waiting."""
    events = list(Event.objects.filter(subject_kind="proposal", subject_id=str(proposal.pk)).order_by("number"))
    made = next((event for event in events if event.action == Action.PROPOSAL_MADE), None)
    sha256 = proposal.payload_sha256
    if made is None or sha256 != sha256_of(proposal) or sha256 != made.data.get("payload_sha256"):
        return _altered("It is not what was proposed", "digest")
    if (proposal.proposed_by, proposal.proposed_by_name) != _proposer_recorded(made):
        return _altered(f"The record names somebody else than {proposal.proposed_by_name} as who proposed it")
    said = [
        event for event in events if event.action == Action.PROPOSAL_CONFIRMED and event.actor == proposal.proposed_by
    ]
    if proposal.confirmed_at and not any(event.data.get("payload_sha256") == sha256 for event in said):
        return _altered(f"The record knows nothing of {proposal.proposed_by_name} having confirmed it")
    if settled := next((event for event in events if event.action in _SETTLED), None):
        return _altered(f"The record says that it was settled already ({settled.sentence})")
    return YES


def _altered(what: str, rule: str = "record") -> Verdict:
    return Verdict(False, f"{what}: it was altered past the portal.", rule)


def _proposer_recorded(made: Event) -> tuple[str, str]:
    """Who proposed it and under which name, by the event: its actor, or in whose name part of the portal did."""
    told = made.data
    return (told["proposed_for"], told["person"]) if "proposed_for" in told else (made.actor, made.actor_name)


def _is_another_admin(proposal: Proposal, user: Any) -> Verdict:
    person = people.of(user)
    if not person.is_admin:
        return Verdict(False, "Only admins decide on changes of the catalog.", "admin")
    if person.is_local:
        reason = "A local administrator may propose, and decides on no proposal."
        return Verdict(False, reason, "local administrator")
    proposer = proposer_of(proposal)
    same = get_user_model().objects.filter(people.same_person(person), pk=proposer.pk) if proposer else None
    if proposal.proposed_by == str(person.actor) or (same is not None and same.exists()):
        return Verdict(False, "It is your own: another admin must decide.", "self-approval")
    return YES


def proposer_of(proposal: Proposal) -> Any:
    """The row of whoever proposed it; None if there is none any more."""
    object_id = proposal.proposed_by.removeprefix("person:")
    return get_user_model().objects.filter(object_id=object_id).first()
