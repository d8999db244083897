"""The one vocabulary of what can happen, and how each of it reads."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final


class Action(StrEnum):
    """What an event says happened: what it happened to, a dot, and how that went."""

    REQUEST_SUBMITTED = "request.submitted"
    REQUEST_REFUSED = "request.refused"
    REQUEST_APPROVED = "request.approved"
    REQUEST_DENIED = "request.denied"
    REQUEST_WITHDRAWN = "request.withdrawn"
    REQUEST_LAPSED = "request.lapsed"
    REQUEST_STARTED = "request.started"
    REQUEST_ACTIVE = "request.active"
    REQUEST_FAILED = "request.failed"
    REQUEST_ENDED = "request.ended"
    REQUEST_ESCALATED = "request.escalated"
    DECISION_MADE = "decision.made"
    DECISION_REFUSED = "decision.refused"
    DECISION_SET_ASIDE = "decision.set_aside"
    PROOF_DEMANDED = "proof.demanded"
    GRANT_WAITING = "grant.waiting"
    GRANT_GRANTING = "grant.granting"
    GRANT_ACTIVE = "grant.active"
    GRANT_REVOKING = "grant.revoking"
    GRANT_ENDED = "grant.ended"
    GRANT_FAILED = "grant.failed"
    ASSIGNMENT_STANDING_FOUND = "assignment.standing_found"
    ASSIGNMENT_CREATION_SENT = "assignment.creation_sent"
    ASSIGNMENT_CREATION_CONFIRMED = "assignment.creation_confirmed"
    ASSIGNMENT_CREATION_FAILED = "assignment.creation_failed"
    ASSIGNMENT_DELETION_SENT = "assignment.deletion_sent"
    ASSIGNMENT_DELETION_CONFIRMED = "assignment.deletion_confirmed"
    ASSIGNMENT_DELETION_FAILED = "assignment.deletion_failed"
    ASSIGNMENT_DRIFT_FOUND = "assignment.drift_found"
    ASSIGNMENT_DRIFT_REPAIRED = "assignment.drift_repaired"
    FINDING_OPENED = "finding.opened"
    FINDING_REOPENED = "finding.reopened"
    FINDING_ADOPTED = "finding.adopted"
    FINDING_REMOVED = "finding.removed"
    FINDING_ACCEPTED = "finding.accepted"
    FINDING_REFUSED = "finding.refused"
    FINDING_RESOLVED = "finding.resolved"
    CATALOG_CREATED = "catalog.created"
    CATALOG_CHANGED = "catalog.changed"
    CATALOG_DELETED = "catalog.deleted"
    CATALOG_APPLIED = "catalog.applied"
    CATALOG_OVERRIDDEN = "catalog.overridden"
    CATALOG_LOOKED_AT = "catalog.looked_at"
    PROPOSAL_MADE = "proposal.made"
    PROPOSAL_CONFIRMED = "proposal.confirmed"
    PROPOSAL_ACCEPTED = "proposal.accepted"
    PROPOSAL_REJECTED = "proposal.rejected"
    PROPOSAL_WITHDRAWN = "proposal.withdrawn"
    PROPOSAL_OUTDATED = "proposal.outdated"
    PROPOSAL_REFUSED = "proposal.refused"
    PERSON_CREATED = "person.created"
    PERSON_SIGNED_IN = "person.signed_in"
    PERSON_SIGNED_OUT = "person.signed_out"
    PERSON_REFUSED = "person.refused"
    PERSON_PROVED = "person.proved"
    PERSON_GROUPS_CHANGED = "person.groups_changed"
    PERSON_CHANGED = "person.changed"
    PERSON_LEFT = "person.left"
    PERSON_RETURNED = "person.returned"
    PERSON_LOCKED = "person.locked"
    PERSON_UNLOCKED = "person.unlocked"
    LOCAL_ADMIN_OPENED = "local_admin.opened"
    LOCAL_ADMIN_USED = "local_admin.used"
    LOCAL_ADMIN_REFUSED = "local_admin.refused"
    LOCAL_ADMIN_ENDED = "local_admin.ended"
    INVENTORY_READ = "inventory.read"
    SYNC_HELD = "sync.held"
    SYNC_CONFIRMED = "sync.confirmed"
    SYNC_RELEASED = "sync.released"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_CHECKPOINT = "audit.checkpoint"
    AUDIT_CHECKPOINT_FORGED = "audit.checkpoint_forged"


# {key} is a key of the data, or `actor`; [what is in brackets] is left out when one of its keys has no value.
SENTENCES: Final[Mapping[Action, str]] = MappingProxyType(
    {
        Action.REQUEST_SUBMITTED: (
            "{actor} asked for {role} in {environment}[ on {accounts}][ for {duration}][ more, extending {extended}]"
            "[: {reason}]"
        ),
        Action.REQUEST_REFUSED: ("{actor} could not ask for {role}[ in {environment}][: {reason}][ (rule: {rule})]"),
        Action.REQUEST_APPROVED: "The request for {role} in {environment} was approved[: {reason}]",
        Action.REQUEST_DENIED: "The request for {role} in {environment} was denied[: {reason}]",
        Action.REQUEST_WITHDRAWN: "{actor} withdrew the request for {role} in {environment}[: {reason}]",
        Action.REQUEST_LAPSED: "The request for {role} in {environment} lapsed[: {reason}]",
        Action.REQUEST_STARTED: "The access as {role} in {environment} began to be set up[ on {accounts}]",
        Action.REQUEST_ACTIVE: "The access as {role} in {environment} is active[ on {accounts}]",
        Action.REQUEST_FAILED: "The access as {role} in {environment} failed[: {reason}]",
        Action.REQUEST_ENDED: "The request for {role} in {environment} ended[: {reason}]",
        Action.REQUEST_ESCALATED: (
            "{approver_group} did not decide[ within {within}], so {escalation_group} may, too[ (stage {stage})]"
            "[ (rule: {rule})]"
        ),
        Action.DECISION_MADE: (
            "{actor} {verdict} it[ for {approver_group}][ as one of {escalated_to}][ (stage {stage})][: {comment}]"
        ),
        Action.DECISION_REFUSED: "A decision by {actor} was not counted[: {reason}][ (rule: {rule})]",
        Action.DECISION_SET_ASIDE: (
            "The decision of {person}[ for {approver_group}][ (stage {stage})] counts no longer[: {reason}]"
        ),
        Action.PROOF_DEMANDED: (
            "{actor} was asked to confirm who they are[ (authentication context {contexts})][, by the rule {rule}]"
        ),
        Action.GRANT_WAITING: "The grant on {account} waits[: {reason}]",
        Action.GRANT_GRANTING: "The grant on {account} is being set up[: {reason}]",
        Action.GRANT_ACTIVE: "The grant on {account} is active[: {reason}]",
        Action.GRANT_REVOKING: "The grant on {account} is being taken away[: {reason}]",
        Action.GRANT_ENDED: "The grant on {account} ended[: {reason}]",
        Action.GRANT_FAILED: "The grant on {account} failed[: {reason}]",
        Action.ASSIGNMENT_STANDING_FOUND: (
            "{principal} already held {permission_set} on {account}; it stays[: {reason}]"
        ),
        Action.ASSIGNMENT_CREATION_SENT: (
            "AWS was asked to give {principal} {permission_set} on {account}[ (operation {operation})]"
        ),
        Action.ASSIGNMENT_CREATION_CONFIRMED: (
            "AWS confirmed that {principal} holds {permission_set} on {account}[ (operation {operation})]"
        ),
        Action.ASSIGNMENT_CREATION_FAILED: (
            "AWS did not give {principal} {permission_set} on {account}[: {reason}][ (operation {operation})]"
        ),
        Action.ASSIGNMENT_DELETION_SENT: (
            "AWS was asked to take {permission_set} on {account} from {principal}[ (operation {operation})]"
        ),
        Action.ASSIGNMENT_DELETION_CONFIRMED: (
            "AWS confirmed that {principal} lost {permission_set} on {account}[ (operation {operation})]"
        ),
        Action.ASSIGNMENT_DELETION_FAILED: (
            "AWS did not take {permission_set} on {account} from {principal}[: {reason}][ (operation {operation})]"
        ),
        Action.ASSIGNMENT_DRIFT_FOUND: (
            "{permission_set} on {account} was gone from AWS, though {principal} holds a grant; it is put back"
        ),
        Action.ASSIGNMENT_DRIFT_REPAIRED: (
            "AWS confirmed that {principal} holds {permission_set} on {account} again[ (operation {operation})]"
        ),
        Action.FINDING_OPENED: "{principal} holds {permission_set} on {account} in AWS, and not through the portal",
        Action.FINDING_REOPENED: (
            "The standing access of {principal} to {permission_set} on {account} is open again[: {reason}]"
        ),
        Action.FINDING_ADOPTED: (
            "{actor} adopted the standing access of {principal} to {permission_set} on {account}[ until {until}]"
            "[: {reason}]"
        ),
        Action.FINDING_REMOVED: (
            "{actor} had the standing access of {principal} to {permission_set} on {account} removed[: {reason}]"
        ),
        Action.FINDING_ACCEPTED: (
            "{actor} accepted the standing access of {principal} to {permission_set} on {account}[ for {owner}]"
            "[ until {review_at}][: {reason}]"
        ),
        Action.FINDING_REFUSED: (
            "{actor} may not {verb} the standing access of {principal} to {permission_set} on {account}"
            "[: {reason}][ (rule: {rule})]"
        ),
        Action.FINDING_RESOLVED: (
            "The standing access of {principal} to {permission_set} on {account} is over[: {reason}]"
        ),
        Action.CATALOG_CREATED: "{actor} created the {kind} {object}",
        Action.CATALOG_CHANGED: "{actor} changed the {kind} {object}[, as {proposed_by} had proposed][: {changes}]",
        Action.CATALOG_DELETED: "{actor} deleted the {kind} {object}",
        Action.CATALOG_OVERRIDDEN: (
            "{actor} made a sensitive change without a second admin: to {proposal}[ (in {environments})][: {why}]"
        ),
        Action.CATALOG_LOOKED_AT: (
            "{actor} looked at what {proposed_by} changed without a second admin: to {proposal}[: {comment}]"
        ),
        Action.PROPOSAL_MADE: "{actor} proposed[ for {person}] to {proposal}[ (in {environments})][: {why}]",
        Action.PROPOSAL_CONFIRMED: "{actor} confirmed that what was proposed in their name is theirs: to {proposal}",
        Action.PROPOSAL_ACCEPTED: "{actor} accepted what {proposed_by} proposed: to {proposal}[: {comment}]",
        Action.PROPOSAL_REJECTED: "{actor} rejected what {proposed_by} proposed: to {proposal}[: {comment}]",
        Action.PROPOSAL_WITHDRAWN: "{actor} withdrew the proposal to {proposal}[: {comment}]",
        Action.PROPOSAL_OUTDATED: "What {proposed_by} proposed can no longer be accepted: to {proposal}[: {comment}]",
        Action.PROPOSAL_REFUSED: (
            "{actor} could not accept what {proposed_by} proposed: to {proposal}[: {reason}][ (rule: {rule})]"
        ),
        Action.CATALOG_APPLIED: (
            "{actor} applied the file {file} to the catalog: {added} added, {changed} changed, {deleted} deleted, "
            "{taken_over} taken over, {released} released[: {why}]"
        ),
        Action.PERSON_CREATED: "{actor} signed in for the first time",
        Action.PERSON_SIGNED_IN: "{actor} signed in",
        Action.PERSON_SIGNED_OUT: "{actor} signed out",
        Action.PERSON_REFUSED: "{actor} was refused at sign-in[: {reason}][ (rule: {rule})]",
        Action.PERSON_PROVED: "{actor} confirmed who they are[ (authentication context {context})]",
        Action.PERSON_GROUPS_CHANGED: "The directory groups of {person} changed[, joined {joined}][, left {left}]",
        Action.PERSON_CHANGED: "The directory describes {person} anew[: {changes}]",
        Action.PERSON_LEFT: "{person} left[: {reason}]",
        Action.PERSON_RETURNED: "{person} returned[: {reason}]",
        Action.PERSON_LOCKED: "{actor} locked {person} out[, together with {together_with}][: {reason}]",
        Action.PERSON_UNLOCKED: "{actor} let {person} in again[, together with {together_with}][: {reason}]",
        Action.LOCAL_ADMIN_OPENED: "Local administration was opened for {person}[ until {until}][: {reason}]",
        Action.LOCAL_ADMIN_USED: "{actor} signed in by the one-time link[, until {until} at the latest]",
        Action.LOCAL_ADMIN_REFUSED: "The one-time link of {person} was refused[: {reason}][ (rule: {rule})]",
        Action.LOCAL_ADMIN_ENDED: "The local administration of {person} ended[: {reason}]",
        Action.INVENTORY_READ: (
            "Users and groups were read from IAM Identity Center: {listed} in all, {new} new, {changed} changed, "
            "{vanished} gone"
        ),
        Action.SYNC_HELD: (
            "The directory says that {count} of {known} people have left[, after {before} within a day]: "
            "nobody is changed before an admin confirms it"
        ),
        Action.SYNC_CONFIRMED: "{actor} confirmed that {count} people have left[: {reason}]",
        Action.SYNC_RELEASED: "The directory is followed again[: {reason}]",
        Action.AUDIT_EXPORTED: "{actor} exported the ledger to number {up_to}[, filtered by {filters}]",
        Action.AUDIT_CHECKPOINT: "The ledger to number {number} was signed[ with key {key_id}]",
        Action.AUDIT_CHECKPOINT_FORGED: "A checkpoint at number {number} is forged, and counts for nothing[: {reason}]",
    }
)

# Why a grant ends makes its sentence; by action and the end reason in its data. One whose time is up may be extended.
ENDINGS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        (Action.GRANT_REVOKING, "revoked"): "{actor} revoked the grant on {account}[: {reason}]",
        (Action.GRANT_REVOKING, "given_back"): "{actor} gave back the grant on {account}",
        (Action.GRANT_REVOKING, "expired"): "The time of the grant on {account} is up",
    }
)

_KEY: Final = re.compile(r"\{(\w+)\}")
_OPTIONAL: Final = re.compile(r"\[([^\]]*)\]")


def sentence(action: str, actor_name: str, data: Mapping[str, Any]) -> str:
    """The event in human words, without a full stop; raises for nothing, whatever the data lacks or holds."""
    template = ENDINGS.get((action, str(data.get("end_reason"))))
    if template is None:
        try:
            template = SENTENCES[Action(action)]
        except ValueError:
            template = f"{{actor}}: {action}"
    values = {key: _words(value) for key, value in data.items()}
    values["actor"] = actor_name or "Somebody without a name"
    if values.get("person") and values.get("principal"):
        # A reader knows people by name; AWS's id of them is in the data.
        values["principal"] = values["person"]
    if isinstance(seconds := data.get("duration_seconds"), int) and not isinstance(seconds, bool):
        values.setdefault("duration", duration(seconds))

    def optional(part: re.Match[str]) -> str:
        keys = _KEY.findall(part[1])
        return part[1] if all(values.get(key) for key in keys) else ""

    def value(part: re.Match[str]) -> str:
        return values.get(part[1]) or f"({part[1].replace('_', ' ')} not recorded)"

    return _KEY.sub(value, _OPTIONAL.sub(optional, template))


def duration(seconds: int) -> str:
    """A length of time in words: 5400 is "1 h 30 min"."""
    hours, rest = divmod(max(seconds, 0), 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min"), (left, "s")) if count]
    return " ".join(parts) or "0 s"


def _words(value: Any) -> str:
    """A value of an event's data as a reader would say it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_words_of_change(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(inner) for inner in value)
    return str(value)


def _words_of_change(value: Any) -> str:
    if isinstance(value, list | tuple) and len(value) == 2:
        return f"{_words(value[0]) or 'nothing'} → {_words(value[1]) or 'nothing'}"
    return _words(value)
