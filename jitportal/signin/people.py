"""Takes in the people that the directory describes: one row a person, found by tenant and object id alone."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.history import latest_digest
from auditlog.ledger import Subject, record
from catalog.models import DirectoryGroup
from jitportal.models import User
from jitportal.signin.claims import Claims
from jitportal.signin.refusals import Refused, Rule

SIGN_IN = Actor.system("sign-in")


@transaction.atomic
def take_in(claims: Claims) -> User:
    """The person these claims speak of, as the claims have them now, with their sign-in recorded.

    Their name, user name, email and department are refreshed and their directory groups replaced. An e-mail
    address identifies nobody: two people may have the same. Raises Refused, changing nothing, for a person
    who is locked out.
    """
    person, is_new = User.objects.get_or_create(
        tenant_id=claims.tenant_id, object_id=claims.object_id, defaults=_described(claims)
    )
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.is_active:
        raise Refused(
            Rule.INACTIVE, "The account is locked out of this portal.", "Ask your security team to unlock it."
        )
    changes = _refresh(person, claims)
    added, removed, history = _replace_groups(person, claims.groups)
    actor, subject = actor_of(person), subject_of(person)
    if is_new:
        record(actor, Action.PERSON_CREATED, subject, {**_described(claims)})
    if added or removed:
        moved: dict[str, JSON] = {"joined": [*_shown(added)], "left": [*_shown(removed)]}
        record(actor, Action.PERSON_GROUPS_CHANGED, subject, moved | ({"history": history} if history else {}))
    record(actor, Action.PERSON_SIGNED_IN, subject, {"changes": changes} if changes else {})
    return person


@transaction.atomic
def record_sign_out(person: User, reason: str) -> None:
    """Records that a person's session was ended, and why."""
    record(actor_of(person), Action.PERSON_SIGNED_OUT, subject_of(person), {"reason": reason})


@transaction.atomic
def record_refusal(refused: Refused, object_id: str) -> None:
    """Records that somebody was turned away; `object_id` is empty when the token is not believed."""
    person = User.objects.filter(object_id=object_id).first() if object_id else None
    stranger = Actor.person(object_id, object_id) if object_id else SIGN_IN
    actor = actor_of(person) if person else stranger
    subject = Subject("person", object_id or "unknown")
    record(actor, Action.PERSON_REFUSED, subject, {"reason": refused.reason, "rule": str(refused.rule)})


def actor_of(person: User) -> Actor:
    """The person as the ledger names them."""
    return Actor.person(person.object_id, person.name)


def subject_of(person: User) -> Subject:
    """The person as what an event speaks of."""
    return Subject("person", person.object_id)


def _described(claims: Claims) -> dict[str, str]:
    return {
        "user_name": claims.user_name,
        "name": claims.name,
        "email": claims.email,
        "department": claims.department,
    }


def _refresh(person: User, claims: Claims) -> dict[str, JSON]:
    """Brings the row up to the claims; what changed, as {field: [old, new]}."""
    changes: dict[str, JSON] = {}
    for field, new in _described(claims).items():
        if (old := getattr(person, field)) != new:
            changes[field] = [old, new]
            setattr(person, field, new)
    if changes:
        person.save(update_fields=list(changes))
    return changes


def _replace_groups(
    person: User, object_ids: frozenset[str]
) -> tuple[list[DirectoryGroup], list[DirectoryGroup], list[JSON]]:
    """The groups joined, those left, and the digests of groups that nobody had mentioned before."""
    before = {group.object_id: group for group in person.directory_groups.all()}
    history: list[JSON] = []
    added: list[DirectoryGroup] = []
    # In order, so that two first sign-ins with the same new groups never wait for each other in a circle.
    for object_id in sorted(object_ids - before.keys()):
        group, is_new = _group(object_id)
        added.append(group)
        if is_new:
            history.append(latest_digest(group))
    removed = [before[object_id] for object_id in sorted(before.keys() - object_ids)]
    person.directory_groups.add(*added)
    person.directory_groups.remove(*removed)
    person.refresh_groups()
    return added, removed, history


def _group(object_id: str) -> tuple[DirectoryGroup, bool]:
    """The group's row, and whether it is new; tokens do not tell names, so its id stands in for one."""
    if known := DirectoryGroup.objects.filter(object_id=object_id).first():
        return known, False
    group = DirectoryGroup(object_id=object_id, name=object_id)
    setattr(group, "_history_user", SIGN_IN)  # noqa: B010 - simple-history's way, unknown to the type
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError:
        return DirectoryGroup.objects.get(object_id=object_id), False
    return group, True


def _shown(groups: Iterable[DirectoryGroup]) -> Iterable[str]:
    return (
        group.object_id if group.name == group.object_id else f"{group.name} ({group.object_id})" for group in groups
    )
