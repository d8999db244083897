"""Signs what the chain looks like now, so that whoever keeps the signature can prove any later rewriting."""

from datetime import datetime
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from auditlog import chain, clock, ledger
from auditlog.actions import Action
from auditlog.actor import Actor
from auditlog.chain import JSON
from auditlog.integrity import walk_events
from auditlog.ledger import Subject
from auditlog.models import ChainHead, Checkpoint, Event

log = structlog.get_logger(__name__)

SIGNER: Final = Actor.system("checkpoint")
_MOST_DOUBTED: Final = 100
_MOST_FORGED: Final = 10


def make() -> Checkpoint | None:
    """Verifies what was appended since the last true checkpoint, signs the head, and records that.

    None when nothing but the last checkpoint itself was recorded since. Raises chain.Broken rather than sign
    a chain that does not hold. A checkpoint that the present key did not sign is not built upon: that is an
    error in the log and for `integrity.verify` to report, and never keeps a new one from being made. One that takes
    its place is recorded as forged, and that event is signed instead; of so many in a row, until the next time.
    """
    last, head = last_true(), ChainHead.objects.get()
    if last is not None and last.number > head.number:
        raise chain.Broken(head.number + 1, f"A checkpoint was signed at {last.number}; the events to it are missing.")
    walk = chain.Walk(last.number, last.hash) if last else chain.Walk()
    _follow(walk, head.number)
    if walk.hash != head.hash:
        raise chain.Broken(head.number, f"The head of the chain does not say what event {head.number} says.")
    if not _has_news(last, walk.number):
        return None
    with transaction.atomic():
        # Everybody who signs waits here, so that two at once do not sign the same number.
        ChainHead.objects.select_for_update().get()
        for _ in range(_MOST_FORGED):
            taken = Checkpoint.objects.filter(number=walk.number).first()
            if taken is None:
                checkpoint = _signed(walk.number, walk.hash, clock.now())
                checkpoint.save(force_insert=True)
                _record(Action.AUDIT_CHECKPOINT, checkpoint)
                return checkpoint
            if not (doubt := _doubt(taken)):
                return None
            # Rows are never changed, a forged one neither: the next event makes a place of its own.
            log.error("checkpoint_place_taken", number=taken.number, reason=doubt)
            _follow(walk, _record(Action.AUDIT_CHECKPOINT_FORGED, taken, reason=doubt).number)
    return None


def _follow(walk: chain.Walk, up_to: int) -> None:
    for _ in walk_events(walk, up_to=up_to):
        pass


def covering(number: int) -> Checkpoint | None:
    """The first checkpoint at this event or after it that the present key signed; of so many forged ones, none."""
    from_there = Checkpoint.objects.filter(number__gte=number).order_by("number")
    return next((each for each in from_there[:_MOST_DOUBTED] if not _doubt(each)), None)


def public_key() -> bytes:
    """The 32 bytes of the public key that checkpoints are signed with now."""
    return _private_key().public_key().public_bytes_raw()


def last_true() -> Checkpoint | None:
    """The newest checkpoint that the present key signed; after a change of keys there is none yet.

    Of many forged ones only so many are looked at; the chain is then walked from its beginning.
    """
    for checkpoint in Checkpoint.objects.order_by("-number")[:_MOST_DOUBTED]:
        doubt = _doubt(checkpoint)
        if not doubt:
            return checkpoint
        log.error("checkpoint_not_believed", number=checkpoint.number, reason=doubt)
    return None


def _doubt(checkpoint: Checkpoint) -> str:
    """Why the checkpoint is not to be believed; empty when the present key signed it."""
    key = public_key()
    try:
        checkpoint.stated.refuse_forgery({chain.key_id(key): key})
    except chain.Broken as broken:
        return str(broken)
    return ""


def _record(action: Action, checkpoint: Checkpoint, **more: JSON) -> Event:
    told: dict[str, JSON] = {"number": checkpoint.number, "hash": checkpoint.hash, "key_id": checkpoint.key_id}
    return ledger.record(SIGNER, action, Subject("audit", f"checkpoint-{checkpoint.number}"), told | more)


def _has_news(last: Checkpoint | None, number: int) -> bool:
    if last is None:
        return number > 0
    since = Event.objects.filter(number__gt=last.number, number__lte=number)
    return since.exclude(action=Action.AUDIT_CHECKPOINT).exists()


def _signed(number: int, digest: str, at: datetime) -> Checkpoint:
    key_id = chain.key_id(public_key())
    text = chain.checkpoint_text(number=number, digest=digest, at=chain.stamp(at), key_id=key_id)
    signature = _private_key().sign(text.encode("ascii")).hex()
    return Checkpoint(number=number, hash=digest, at=at, key_id=key_id, signature=signature)


def _private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.AUDIT_SIGNING_KEY))
