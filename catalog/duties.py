"""Who is on call by what terms name, in the words of an explanation."""

from dataclasses import dataclass

from auditlog import clock
from catalog import wording
from catalog.membership import Membership
from catalog.people import Person
from catalog.schedules import told
from catalog.terms import Terms


@dataclass(frozen=True)
class Duty:
    """One thing that says who is on call: what, who it is (empty of a group), and whether it is the one asked about.

    `is_theirs` is None if nobody in particular was asked about.
    """

    by: str
    told: str
    is_theirs: bool | None


def duties_of(terms: Terms | None, membership: Membership, person: Person | None) -> tuple[Duty, ...]:
    """Who is on call by what these terms name, at the moment of the membership."""
    sources = terms.automatic.on_call if terms else ()
    if not sources:
        return ()
    at = membership.at or clock.now()
    return tuple(
        Duty(
            wording.by(source),
            told(source.schedule, at, membership) if source.schedule else "",
            source.has(person, at) if person else None,
        )
        for source in sources
    )
