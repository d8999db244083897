"""Takes in the people that the directory describes: one row a person, found by tenant and object id alone."""

import secrets
from typing import Final

from django.db import transaction

from accessrequests import offboarding
from auditlog import clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.ledger import Subject, record
from catalog import app_roles, people
from catalog.people import actor_of
from catalog.step_up import Proof
from jitportal.models import LeftBecause, User
from jitportal.people import known_groups, refresh, replace_groups, subject_of
from jitportal.signin import local_admins
from jitportal.signin.claims import Claims
from jitportal.signin.refusals import Refused, Rule

# What Entra calls this person when they are to be signed out there, kept in their session.
LOGOUT_HINT: Final = "logout_hint"
SIGN_IN = Actor.system("sign-in")


@transaction.atomic
def take_in(claims: Claims) -> User:
    """The person these claims speak of, as the claims have them now, with their sign-in recorded.

    Their name, user name, email and department are refreshed, as far as the claims tell them, and their directory
    groups replaced. An e-mail address identifies nobody: two people may have the same. Raises Refused, changing
    nothing, for a person who is locked out by this or another account.
    """
    person, is_new = User.objects.get_or_create(
        tenant_id=claims.tenant_id, object_id=claims.object_id, defaults=_described(claims)
    )
    # Without the key: whoever writes a row that refers to the person, with the ledger's head in hand, is not kept
    # waiting for us, who will wait for the head.
    person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if not person.is_active:
        _take_back(person)
    person.described_at = clock.now()
    person.save(update_fields=["described_at"])
    described = _described(claims)
    if claims.is_guest:
        # A guest's token names them as their home does, and Graph as this tenant does: what Graph says is kept.
        described = described if is_new else {name: text for name, text in described.items() if name != "user_name"}
    if claims.is_guest or is_new:
        # What tokens leave out, of everybody the manager, the next sync asks for.
        person.to_check = True
        person.save(update_fields=["to_check"])
    changes = refresh(person, described)
    _refuse_locked_out(person)
    # A role that nobody has named here means nothing, and the sync would not ask for it.
    strange = app_roles.among(claims.groups) - known_groups()
    moved = replace_groups(person, claims.groups - strange, SIGN_IN)
    actor, subject = actor_of(person), subject_of(person)
    if is_new:
        record(actor, Action.PERSON_CREATED, subject, {**_described(claims)})
    if moved:
        record(actor, Action.PERSON_GROUPS_CHANGED, subject, moved)
    record(actor, Action.PERSON_SIGNED_IN, subject, {"changes": changes} if changes else {})
    return person


def _take_back(person: User) -> None:
    """Takes back whoever had left the directory, which vouches for them again. Raises Refused for others."""
    if person.left_because == LeftBecause.IDENTITY_CENTER:
        raise Refused(
            Rule.INACTIVE,
            "The account is disabled in IAM Identity Center, and so it is locked out of this portal.",
            "Ask your directory's administrators to enable it there; the portal will see that by itself.",
        )
    if not person.returns_by_signing_in:
        raise Refused(
            Rule.INACTIVE, "The account is locked out of this portal.", "Ask your security team to unlock it."
        )
    offboarding.take_back(person.pk, "The directory vouches for them again", actor=actor_of(person))
    person.refresh_from_db()
    # A token may have been on its way when they left: the next sync looks again.
    person.to_check = True
    person.save(update_fields=["to_check"])


def _refuse_locked_out(person: User) -> None:
    """Refuses whoever is locked out by another account, which shows to be theirs by what both have in common."""
    if locked := people.locked_account(people.identity(person)):
        raise Refused(
            Rule.INACTIVE,
            f"The account of {people.told(locked)} is locked out here, and yours counts as the same person’s.",
            "Ask your security team to unlock it; also if you are somebody else who was given its user name.",
        )


@transaction.atomic
def record_sign_out(person: User, reason: str) -> None:
    """Records that a person's session was ended, and why; with it a local administrator's time is over."""
    if person.is_local:
        # Before the ledger's head is in hand, which whoever ends local administrators takes last.
        local_admins.end_one(person, actor_of(person), "signed out")
    record(actor_of(person), Action.PERSON_SIGNED_OUT, subject_of(person), {"reason": reason})


@transaction.atomic
def end_every_session(person: User) -> None:
    """Draws the key anew that all sessions of this person are tied to, and records it."""
    if person.is_local:
        local_admins.hold(person)
    row = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    row.session_key = secrets.token_urlsafe()
    row.save(update_fields=["session_key"])
    record_sign_out(row, "asked for it, in every browser")


@transaction.atomic
def record_refusal(refused: Refused, object_id: str) -> None:
    """Records that somebody was turned away; `object_id` is empty when the token is not believed."""
    person = User.objects.filter(object_id=object_id).first() if object_id else None
    stranger = Actor.person(object_id, object_id) if object_id else SIGN_IN
    actor = actor_of(person) if person else stranger
    subject = Subject("person", object_id or "unknown")
    record(actor, Action.PERSON_REFUSED, subject, {"reason": refused.reason, "rule": str(refused.rule)})


@transaction.atomic
def record_proof(person: User, proof: Proof) -> None:
    """Records that a person has shown fresh proof of who they are."""
    record(actor_of(person), Action.PERSON_PROVED, subject_of(person), {**proof.described()})


def _described(claims: Claims) -> dict[str, str]:
    """What the claims tell; what they leave out stays as it is."""
    told = {"email": claims.email, "department": claims.department}
    return {"user_name": claims.user_name, "name": claims.name} | {
        name: text for name, text in told.items() if text is not None
    }
