"""Approval at once, without people: when one policy gives it, and whether all that hold give it to an ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from catalog.on_call import OnCall
from catalog.people import Person

# For so long after its time something may begin by whose turn it was at that time.
ON_CALL_LASTS: Final = timedelta(hours=1)
# Longer than any policy allows.
_FOREVER: Final = timedelta(days=365)


@dataclass(frozen=True)
class When:
    """When a policy approves at once: `up_to` a duration in all, what whoever is `on_call` asks, or both together.

    Without either it always does.
    """

    up_to: timedelta | None = None
    on_call: OnCall | None = None

    @property
    def is_always(self) -> bool:
        """Whether nothing has to be so for it."""
        return self.up_to is None and self.on_call is None


@dataclass(frozen=True)
class By:
    """One of the policies that hold, and when it approves at once; None: never."""

    rule: str
    version: int
    when: When | None


@dataclass(frozen=True)
class Span:
    """A time for which the same person has, had, or will have the same access by another ask."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Asked:
    """What of an ask automatic approval depends on.

    `in_all` is the whole time that it comes to, `made_at` when it was made, `begins` when access is to begin, if that
    is later, and `now` the moment of judging, before which it begins no more. `on_call_by` are the keys of what said
    that the person was on call then, as the request keeps them; None while it is being made. `beside` are the person's
    other asks for the same access, and `since` is when that access began to which this ask adds.
    """

    person: Person
    in_all: timedelta
    made_at: datetime
    now: datetime
    begins: datetime | None = None
    on_call_by: frozenset[str] | None = None
    beside: tuple[Span, ...] = ()
    since: datetime | None = None

    def time_with_others(self, gap: timedelta) -> timedelta:
        """The time that this ask and those beside it cover, as far as no more than the gap lies between them.

        So that several short asks, one after the other, are no way to have for long what is given at once for short.
        """
        begins = self.since or max(self.begins or self.made_at, self.now)
        joined, apart = [Span(begins, begins + self.in_all)], list(self.beside)
        while near := [each for each in apart if any(_is_near(each, other, gap) for other in joined)]:
            joined += near
            apart = [each for each in apart if each not in near]
        covered, until = timedelta(0), datetime.min.replace(tzinfo=UTC)
        for span in sorted(joined, key=lambda each: each.begins):
            covered += max(span.ends - max(span.begins, until), timedelta(0))
            until = max(until, span.ends)
        return covered

    def is_on_call(self, source: OnCall) -> bool:
        """Whether the person was on call when they asked, and will be when access begins, if that is later.

        Of a group nobody knows who will be in it: it says nothing of a later moment. If the start has been kept waiting
        for long, they must be on call now, too.
        """
        if self.on_call_by is not None:
            asked_on_call = source.key in self.on_call_by
        else:
            asked_on_call = source.has(self.person, self.made_at)
        if not asked_on_call:
            return False
        if self.begins and not (source.schedule and source.has(self.person, self.begins)):
            return False
        is_late = self.now > (self.begins or self.made_at) + ON_CALL_LASTS
        return not is_late or source.has(self.person, self.now)


@dataclass(frozen=True)
class Outcome:
    """Whether an ask is approved at once, and the policy that makes it so: that which wants people, or the strictest.

    `up_to` is the duration within which the ask stays, or which it exceeds; `on_call` what says that the person is on
    call, or not. Neither is there if it had no say. Exceeded only `together` with other asks for the same access.
    """

    at_once: bool
    rule: str
    version: int
    up_to: timedelta | None = None
    on_call: tuple[OnCall, ...] = ()
    together: bool = False


@dataclass(frozen=True)
class Automatically:
    """When all of these policies, at least one, approve at once: only what each of them does."""

    by: tuple[By, ...]

    @property
    def strictest(self) -> By:
        """The one that leaves the least to it: never, before on call, before up to a duration, before always."""
        return min(self.by, key=_room)

    @property
    def rule(self) -> str:
        """The name of the strictest."""
        return self.strictest.rule

    @property
    def is_never(self) -> bool:
        """Whether people decide whatever is asked."""
        return self.strictest.when is None

    @property
    def is_for_anybody(self) -> bool:
        """Whether anybody's asks are approved at once, if only those for a short time."""
        return not self.is_never and not self.on_call

    @property
    def is_always(self) -> bool:
        """Whether people never decide."""
        return all(each.when is not None and each.when.is_always for each in self.by)

    def leaves_as_much(self, other: "Automatically") -> bool:
        """Whether people decide on each ask on which they would by the other: of two, it may be true of neither."""
        if self.is_never or other.is_never:
            return self.is_never
        is_as_short = other.up_to is None or (self.up_to is not None and self.up_to <= other.up_to)
        return is_as_short and {source.key for source in other.on_call} <= {source.key for source in self.on_call}

    @property
    def up_to(self) -> timedelta | None:
        """The duration beyond which people decide; None where there is none, or they always do."""
        return min((when.up_to for when in self._whens() if when.up_to is not None), default=None)

    @property
    def on_call(self) -> tuple[OnCall, ...]:
        """By all of these somebody has to be on call; none where that does not matter, or people always decide."""
        return tuple(dict.fromkeys(when.on_call for when in self._whens() if when.on_call))

    def judged(self, asked: Asked) -> Outcome:
        """Whether an ask is approved at once."""
        for by in sorted(self.by, key=_room):
            if by.when is None:
                return self.left_to_people()
            if by.when.on_call and not asked.is_on_call(by.when.on_call):
                return Outcome(False, by.rule, by.version, on_call=(by.when.on_call,))
            if by.when.up_to is not None and asked.time_with_others(by.when.up_to) > by.when.up_to:
                together = asked.in_all <= by.when.up_to
                return Outcome(False, by.rule, by.version, up_to=by.when.up_to, together=together)
        strictest = self.strictest
        return Outcome(True, strictest.rule, strictest.version, self.up_to, self.on_call)

    def left_to_people(self) -> Outcome:
        """The outcome of an ask on which people decide, whatever it is."""
        return Outcome(False, self.strictest.rule, self.strictest.version)

    def _whens(self) -> Iterator[When]:
        for by in self.by if not self.is_never else ():
            if by.when is not None:
                yield by.when


def _is_near(one: Span, other: Span, gap: timedelta) -> bool:
    return one.begins <= other.ends + gap and other.begins <= one.ends + gap


def _room(by: By) -> tuple[int, timedelta]:
    if by.when is None:
        return 0, timedelta(0)
    kind = 1 if by.when.on_call else 3 if by.when.is_always else 2
    return kind, _FOREVER if by.when.up_to is None else by.when.up_to
