"""Where two sets of terms differ, term by term: what was, what is, which way it goes, and the policy behind it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final

from catalog.automatic import Automatically
from catalog.effect import Kind
from catalog.policy import spell
from catalog.stages import Stage
from catalog.step_up import Demand
from catalog.terms import Limit, Terms
from catalog.wording import at_once


@dataclass(frozen=True)
class Difference:
    """A term in words, before and after; which way it goes, and the policy's name or ""."""

    term: str
    old: str
    new: str
    direction: Kind
    rule: str


@dataclass(frozen=True)
class _Term:
    """How one term is called, and whether one of its values asks all of people that another does.

    Of two values neither may: then the one is no stricter than the other, and only different. Where both do,
    `only_renamed` says that they differ in nothing but a name.
    """

    name: str
    asks_all: Callable[[Any, Any], bool] | None = None
    words: Callable[[Any], str] | None = None
    only_renamed: bool = False


def decided(terms: Terms) -> str:
    """Who decides: "at once", "by 1 of Leads, then 2 of Security", or the one up to a duration and else the other."""
    people = f"by {_stages(terms.stages)}"
    if terms.automatic.is_never:
        return people
    return "at once" if terms.automatic.is_always else f"{_at_once(terms.automatic)}, else {people}"


def differences(before: Terms, after: Terms) -> Iterator[Difference]:
    """The terms that have another value, and not only another rule."""
    for field in fields(Terms):
        # What says nothing by itself, or is said by another term.
        if field.name in ("policies", "permission_set_id"):
            continue
        term = _TERMS.get(field.name, _Term(field.name.replace("_", " ")))
        was, now = getattr(before, field.name), getattr(after, field.name)
        words = term.words or in_words
        old, new = words(_bare(was)), words(_bare(now))
        direction = _direction(term, _bare(was), _bare(now))
        if old != new and not (direction is None and term.only_renamed):
            yield Difference(term.name, old, new, direction or Kind.CHANGE, _rule(now) or _rule(was))


def in_words(value: Any) -> str:
    """A value as a sentence says it."""
    match value:
        case None | "" | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return spell(value)
        case tuple() | list() | frozenset():
            return " and ".join(sorted(in_words(_bare(each)) for each in value))
        case _:
            return str(value)


def _direction(term: _Term, was: Any, now: Any) -> Kind | None:
    """Which way it goes; None if both ask the same."""
    if term.asks_all is None:
        return Kind.CHANGE
    match term.asks_all(now, was), term.asks_all(was, now):
        case True, True:
            return None
        case True, False:
            return Kind.STRICTER
        case False, True:
            return Kind.LOOSER
        case _:
            return Kind.CHANGE


def _bare(term: Any) -> Any:
    return term.value if isinstance(term, Limit) else term


def _rule(term: Any) -> str:
    """The policy behind a term; of several behind a list of them, each once."""
    if isinstance(term, tuple):
        return "” and “".join(dict.fromkeys(filter(None, (_rule(each) for each in term))))
    return str(getattr(term, "rule", ""))


def _stages(stages: tuple[Stage, ...]) -> str:
    return ", then ".join(_stage(stage) for stage in stages) or "nobody"


def _stage(stage: Stage) -> str:
    said = stage.asked
    if stage.escalation is None:
        return said
    return f"{said} (after {spell(stage.escalation.after)} also {stage.escalation.approver_group})"


def _at_once(automatic: Automatically) -> str:
    said = at_once(automatic)
    return f"{said[:1].lower()}{said[1:]}" if said else "never"


def _more(one: Any, other: Any) -> bool:
    return bool(one >= other)


def _less(one: Any, other: Any) -> bool:
    return bool(one <= other)


def _every(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return {_bare(each) for each in other} <= {_bare(each) for each in one}


def _as_many(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(one) >= len(other)


def _agreed(one: tuple[Stage, ...], other: tuple[Stage, ...]) -> bool:
    return _needed(one) >= _needed(other)


def _needed(stages: tuple[Stage, ...]) -> Counter[int]:
    needed: Counter[int] = Counter()
    for stage in stages:
        needed[stage.approver_group_id] += stage.approvals_needed
    return needed


def _proved(one: tuple[Demand, ...], other: tuple[Demand, ...]) -> bool:
    oldest = {demand.context: demand.longest_age for demand in one}
    return all(each.context in oldest and oldest[each.context] <= each.longest_age for each in other)


def _proofs(demands: tuple[Demand, ...]) -> str:
    said = [f"{demand.context.upper()}, at most {spell(demand.longest_age)} old" for demand in demands]
    return "; ".join(said) or "none"


_TERMS: Final = {
    "permission_set": _Term("the permission set"),
    "default_duration": _Term("the duration that is suggested"),
    "longest_duration": _Term("the longest duration", _less),
    "accounts_per_request": _Term("the most accounts a request", _less),
    "ticket_patterns": _Term("the form of the ticket", _every),
    "ticket_checks": _Term(
        "the check of the ticket", _as_many, lambda checks: "demanded" if checks else "not demanded"
    ),
    "least_reason": _Term("the least length of the reason", _more),
    "automatic": _Term("automatic approval", Automatically.leaves_as_much, _at_once, only_renamed=True),
    "stages": _Term("who decides", _agreed, _stages),
    "step_up_to_ask": _Term("fresh proof to ask", _proved, _proofs),
    "step_up_to_decide": _Term("fresh proof to agree", _proved, _proofs),
}
