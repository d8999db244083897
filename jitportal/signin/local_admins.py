"""Local administrators: for when the directory is away, let in for a while by a link that works once.

They look after the portal, and neither ask nor decide. Every step is recorded, and everybody sees that one is open.

Rows are locked in one order, so that nobody waits in a circle: the local administrator's, the person's, the head of the
ledger.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from auditlog import clock
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.ledger import record
from catalog import reasons
from catalog.people import actor_of
from catalog.policy import spell
from jitportal.models import LocalAdministrator, User
from jitportal.people import subject_of
from jitportal.signin.refusals import Refused, Rule

log = structlog.get_logger(__name__)

SHORTEST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(hours=4)
CLOCK: Final = Actor.system("clock")
# Bytes of a link's secret: nobody guesses as many.
_RANDOM: Final = 32
_ANOTHER: Final = "If local administration is still needed, have another link made at the server."


class NotEnded(Exception):
    """Some local administrators could not be ended: `names`; the others have been, `ended` of them."""

    def __init__(self, names: Sequence[str], ended: int) -> None:
        super().__init__(f"Ended: {ended}. Could not be ended: {', '.join(names)}. Try again.")
        self.names = tuple(names)
        self.ended = ended


@dataclass(frozen=True)
class Standing:
    """A local administrator who is open: until when, why, and whether somebody has signed in as them."""

    user_id: int
    name: str
    until: datetime
    reason: str
    used: bool


def open_for(duration: timedelta, reason: str, actor: Actor) -> tuple[str, LocalAdministrator]:
    """Makes a local administrator; the secret of the link that lets them in, which nothing keeps, and their row.

    Raises:
        ValueError: the duration or the reason cannot be; a sentence.
    """
    if not SHORTEST <= duration <= LONGEST:
        raise ValueError(f"Local administration lasts from {spell(SHORTEST)} to {spell(LONGEST)}.")
    reason = reasons.clean(reason)
    secret = secrets.token_urlsafe(_RANDOM)
    # Not a GUID, so nobody of a directory has it.
    identity = f"local-{secrets.token_hex(12)}"
    with transaction.atomic():
        now = clock.now()
        person = User.objects.create(
            object_id=identity,
            user_name=identity,
            name=f"Local administrator {identity[6:10]}",
            local_until=now + duration,
        )
        made = LocalAdministrator.objects.create(person=person, link_hash=_hash(secret), reason=reason, opened_at=now)
        data: dict[str, JSON] = {"person": person.name, "until": _spelled(person), "reason": reason}
        record(actor, Action.LOCAL_ADMIN_OPENED, subject_of(person), data)
    log.error("local_admin_opened", person=identity, until=_spelled(person), reason=reason)
    return secret, made


def look_at(secret: str) -> LocalAdministrator:
    """Whom the link would let in now; nothing is used up, and nothing recorded. Raises Refused."""
    found = LocalAdministrator.objects.select_related("person").filter(link_hash=_hash(secret)).first()
    if found is None:
        raise Refused(Rule.LOCAL_UNKNOWN, "The portal has made no such link.", _ANOTHER)
    if found.used_at:
        raise Refused(Rule.LOCAL_USED, "The link has been used. It works once.", _ANOTHER)
    if found.ended_at or found.person.is_over:
        raise Refused(Rule.LOCAL_OVER, "The time of this link is over.", _ANOTHER)
    return found


def redeem(secret: str) -> User:
    """The local administrator whom the link lets in, once. Raises Refused, which is recorded if the link is ours."""
    try:
        with transaction.atomic():
            # Whoever else has the link waits here, and then finds it used.
            LocalAdministrator.objects.select_for_update().filter(link_hash=_hash(secret)).first()
            found = look_at(secret)
            found.used_at = clock.now()
            found.save(update_fields=["used_at"])
            person = found.person
            record(actor_of(person), Action.LOCAL_ADMIN_USED, subject_of(person), {"until": _spelled(person)})
    except Refused as refused:
        _record_refusal(secret, refused)
        raise
    log.error("local_admin_used", person=person.object_id, until=_spelled(person))
    return person


def hold(person: User) -> None:
    """Locks the local administrator's row until the end of the transaction, before the person's is."""
    LocalAdministrator.objects.select_for_update(of=("self",)).filter(person=person).first()


def end_one(person: User, actor: Actor, reason: str) -> bool:
    """Ends a local administrator with all their sessions; whether they had not ended already."""
    return _end(LocalAdministrator.objects.filter(person=person), actor, reason)


def end_all(actor: Actor, reason: str) -> int:
    """Ends every local administrator who is open, now; how many there were.

    Each for itself: that one cannot be ended keeps no other open. Raises NotEnded with those, when all have been tried.
    """
    return _end_each(LocalAdministrator.objects.all(), actor, reason)


def look_after() -> None:
    """Records of those whose time is over that it is, and raises the alarm for as long as others are open."""
    try:
        _end_each(LocalAdministrator.objects.filter(person__local_until__lte=clock.now()), CLOCK, "the time was over")
    finally:
        for each in standing():
            log.error("local_admin_open", person=each.name, until=each.until.isoformat(), used=each.used)


def standing() -> list[Standing]:
    """The local administrators who are open, the one who is so for the longest last."""
    rows = LocalAdministrator.objects.filter(ended_at=None).select_related("person").order_by("person__local_until")
    return [
        Standing(row.person_id, row.person.name, row.person.local_until, row.reason, row.used_at is not None)
        for row in rows
        if row.person.local_until and not row.person.is_over
    ]


def _end_each(rows: QuerySet[LocalAdministrator], actor: Actor, reason: str) -> int:
    """How many of those who are open were ended. Raises NotEnded."""
    ended, failed = 0, []
    for row in rows.filter(ended_at=None).select_related("person").order_by("pk"):
        try:
            ended += _end(rows.filter(pk=row.pk), actor, reason)
        except DatabaseError as error:
            log.exception("local_admin_not_ended", person=row.person.object_id, error=str(error))
            failed.append(row.person.name)
    if failed:
        raise NotEnded(failed, ended)
    return ended


@transaction.atomic
def _end(rows: QuerySet[LocalAdministrator], actor: Actor, reason: str) -> bool:
    """Whether the one of these rows, of which there is one at most, was open."""
    row = rows.filter(ended_at=None).select_for_update(of=("self",)).select_related("person").first()
    if row is None:
        return False
    now = clock.now()
    row.ended_at = now
    row.save(update_fields=["ended_at"])
    person = row.person
    person.is_active = False
    person.local_until = min(now, person.local_until or now)
    # No session that was begun with the old one is good any longer.
    person.session_key = secrets.token_urlsafe()
    person.save(update_fields=["is_active", "local_until", "session_key"])
    record(actor, Action.LOCAL_ADMIN_ENDED, subject_of(person), {"person": person.name, "reason": reason})
    return True


@transaction.atomic
def _record_refusal(secret: str, refused: Refused) -> None:
    """Anybody can make a link up, which is logged; whoever has a real one has been told a secret."""
    row = LocalAdministrator.objects.select_related("person").filter(link_hash=_hash(secret)).first()
    if row is None:
        log.warning("local_admin_unknown_link")
        return
    data: dict[str, JSON] = {"person": row.person.name, "reason": refused.reason, "rule": str(refused.rule)}
    record(Actor.system("sign-in"), Action.LOCAL_ADMIN_REFUSED, subject_of(row.person), data)
    log.error("local_admin_refused", person=row.person.object_id, rule=str(refused.rule))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _spelled(person: User) -> str:
    return f"{person.local_until:%Y-%m-%d %H:%M} UTC"
