"""Terms of access, and what came of an ask under them, in the words of a page."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from catalog.automatic import Automatically, Outcome
from catalog.on_call import OnCall
from catalog.policy import spell
from catalog.stages import MANAGER
from catalog.terms import Terms


def deciders(terms: Terms, already: timedelta = timedelta()) -> str:
    """Who decides: "1 of Payments leads, then 2 of Security", or when which policy approves at once.

    `already` is how long somebody has had what they ask more of, which counts to a limit of what is approved at once.
    """
    if terms.automatic.is_always:
        return f"At once, by policy “{terms.automatic.rule}”"
    if not terms.stages:
        return f"Nobody: “{terms.automatic.rule}” names nobody who decides"
    people = steps(stage.asked for stage in terms.stages)
    is_used_up = terms.automatic.up_to is not None and already >= terms.automatic.up_to
    return people if is_used_up or not at_once(terms.automatic) else f"{at_once(terms.automatic)}; else {people}"


def at_once(automatic: Automatically) -> str:
    """When it is approved without people: "At once up to 1 hour"; empty if never."""
    if automatic.is_never:
        return ""
    on_call = " and ".join(by(source) for source in automatic.on_call)
    limit = f"up to {spell(automatic.up_to)}" if automatic.up_to is not None else ""
    return " ".join(filter(None, ("At once", limit, f"while on call {on_call}" if on_call else "")))


def why(outcome: Outcome) -> str:
    """Why it was approved at once, or was not: "within 1 hour", "not on call in Rota"; empty if that always is so."""
    on_call = " and ".join(by(source) for source in outcome.on_call)
    on_call = f"{'on call' if outcome.at_once else 'not on call'} {on_call}" if on_call else ""
    limit = ""
    if outcome.up_to is not None:
        limit = f"{'within' if outcome.at_once else 'longer than'} {spell(outcome.up_to)}"
        if outcome.together:
            limit = f"{limit} with your other requests for the same access"
    return ", ".join(filter(None, (on_call, limit)))


def by(source: OnCall) -> str:
    """What says who is on call: "by the schedule Payments on call", "in the group Rota"."""
    return f"by the schedule {source.name}" if source.schedule else f"in the group {source.name}"


def yours(words: str) -> str:
    """The same words as the one who asks is told them: "your manager, then 2 of Security"."""
    return words.replace(MANAGER, "your manager")


def steps(stages: Iterable[str]) -> str:
    """Stages in their order, each by who must agree: "1 of Payments leads, then 2 of Security"."""
    return ", then ".join(stages)


def counted(count: int, what: str) -> str:
    """So many of these, named in the singular: "1 role", "3 roles"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def spelled(value: timedelta | int | float) -> str:
    """A duration, or a number of seconds, in words."""
    return spell(value if isinstance(value, timedelta) else timedelta(seconds=value))


def some_of(names: Sequence[str], most: int = 5) -> str:
    """Any one of these, in words: "Chiara or Emma", "Ada, Ben, Chiara, Daniel, Emma or one of 3 others"."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"one of {len(names) - most} others")
    return " or ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
