"""What the portal wants of a ticket system: whether a ticket is good for what somebody asks."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from catalog.people import Person
from catalog.policy import AccountChoice


@dataclass(frozen=True)
class Question:
    """A ticket, and what is asked for by it; `more` says that it is more time on access that they have."""

    request_id: uuid.UUID
    ticket: str
    requester: Person
    role: str
    environment: str
    accounts: tuple[AccountChoice, ...]
    duration: timedelta
    reason: str
    more: bool = False

    def covers(self, other: "Question") -> bool:
        """Whether a yes to this is one to the other: of the same ticket and access, which may be less, or shorter."""
        same = (self.ticket, self.role, self.environment) == (other.ticket, other.role, other.environment)
        return same and other.account_ids <= self.account_ids and other.duration <= self.duration

    @property
    def account_ids(self) -> frozenset[str]:
        """The accounts, by AWS's ids."""
        return frozenset(account.account_id for account in self.accounts)


@dataclass(frozen=True)
class Answer:
    """Yes or no, with the system's own words for a no, which may be none."""

    is_valid: bool
    reason: str = ""


class NoAnswer(Exception):
    """Neither yes nor no: the message says what came instead, as the end of a sentence about the system."""


class TicketSystem(Protocol):
    """Where tickets are kept."""

    @property
    def name(self) -> str:
        """What people may know it by, such as its host."""
        ...

    def check(self, question: Question) -> Answer:
        """Whether the ticket is good for this, within three seconds.

        Raises:
            NoAnswer: it did not say.
        """
        ...


def current() -> TicketSystem | None:
    """The ticket system that the settings name; None if there is none."""
    return cast(TicketSystem, import_string(settings.TICKET_SYSTEM)()) if settings.TICKET_SYSTEM else None
