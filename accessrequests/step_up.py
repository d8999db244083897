"""What a session keeps while somebody shows fresh proof of who they are: the form they had filled in, and the proof."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, QueryDict

from accessrequests.refusals import Refused
from auditlog import clock
from catalog.people import Person
from catalog.policy import Unproven
from catalog.step_up import Proof, read_proofs

KEPT: Final = "kept_form"
PROOFS: Final = "proofs"
# Far more than the longest reason with every account; a session is no place for more.
LARGEST: Final = 40_000
KEPT_FOR: Final = timedelta(minutes=30)
MOST_PROOFS: Final = 5
_NOT_KEPT: Final = frozenset({"csrfmiddlewaretoken"})


@dataclass(frozen=True)
class Need:
    """One proof that is demanded, why and by which rule; `longest_age` in seconds."""

    reason: str
    rule: str
    context: str
    longest_age: float


@dataclass(frozen=True)
class Kept:
    """A form that waits: what was typed, the page it goes back to, and what is still to be proved of all `wanted`.

    It is an ask, or a decision on one.
    """

    id: str
    user_id: int
    page: str
    typed: str
    needs: tuple[Need, ...]
    wanted: int
    until: float
    is_decision: bool

    @property
    def met(self) -> int:
        """How many of the proofs have been shown."""
        return self.wanted - len(self.needs)


def wanted(refused: Refused) -> tuple[Unproven, ...]:
    """What is to be proved, if that is all that stands in the way."""
    needs = tuple(refusal for refusal in refused.refusals if isinstance(refusal, Unproven))
    return needs if len(needs) == len(refused.refusals) else ()


def keep(
    session: SessionBase,
    user_id: int,
    form_id: str,
    page: str,
    typed: QueryDict,
    needs: tuple[Unproven, ...],
    *,
    is_decision: bool,
) -> bool:
    """Keeps what was typed until the person is back; False if it is too much to keep. One form at a time.

    Args:
        session: of the browser that sent it.
        user_id: who sent it, and alone gets it back.
        form_id: which form it is.
        page: where the form is.
        typed: its fields.
        needs: what the person has to prove, one after the other.
        is_decision: whether it decides on an ask, and is none.
    """
    fields = typed.copy()
    for name in _NOT_KEPT & fields.keys():
        del fields[name]
    text = fields.urlencode()
    if len(text) > LARGEST:
        return False
    session[KEPT] = {
        "id": form_id,
        "user_id": user_id,
        "page": page,
        "typed": text,
        "needs": [[need.reason, need.rule, need.context, need.longest_age.total_seconds()] for need in needs],
        "wanted": len(needs),
        "until": (clock.now() + KEPT_FOR).timestamp(),
        "is_decision": is_decision,
    }
    return True


def waiting(session: SessionBase, user_id: int) -> Kept | None:
    """The form that this person has waiting in this session."""
    held: dict[str, Any] | None = session.get(KEPT)
    if held is None:
        return None
    try:
        kept = Kept(**{**held, "needs": tuple(Need(*need) for need in held["needs"])})
    except (KeyError, TypeError):
        # Kept by an earlier version of the portal.
        return None
    return kept if kept.user_id == user_id and kept.until > clock.now().timestamp() else None


def back(session: SessionBase, user_id: int, form_id: str | None) -> QueryDict | None:
    """What was typed into this form, for the same person."""
    kept = waiting(session, user_id)
    return QueryDict(kept.typed) if kept and form_id and kept.id == form_id else None


def forget(session: SessionBase) -> None:
    """Lets go of the form: it was sent."""
    session.pop(KEPT, None)


def meet(session: SessionBase, context: str) -> bool:
    """The person has shown this; whether the form that waits wants another proof."""
    kept = session[KEPT]
    kept["needs"] = [need for need in kept["needs"] if need[2] != context]
    session.modified = True
    return bool(kept["needs"])


def hold(session: SessionBase, proof: Proof) -> None:
    """Adds a proof to those of this session, in place of an older one for the same context."""
    others = [each for each in read_proofs(session.get(PROOFS)) if each.context != proof.context]
    session[PROOFS] = [each.described() for each in (*others, proof)][-MOST_PROOFS:]


def held(session: SessionBase, person: Person) -> tuple[Proof, ...]:
    """What this person has proved in this session."""
    return tuple(proof for proof in read_proofs(session.get(PROOFS)) if proof.object_id == person.object_id)


def is_to_prove(
    request: HttpRequest, person: Person, refusal: Refused, form_id: str, page: str, *, is_decision: bool = False
) -> bool:
    """Whether fresh proof is all that is missing; then what was typed is kept until the person is back with it."""
    needs = wanted(refusal)
    return bool(needs) and keep(
        request.session, person.user_id, form_id, page, request.POST, needs, is_decision=is_decision
    )
