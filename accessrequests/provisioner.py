"""What the domain asks of AWS: a small protocol, its value types, and the ways in which it can go wrong."""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class AssignmentKey:
    """Which assignment: an Identity Center user id, a permission set's ARN, a 12-digit account id."""

    principal_id: str
    permission_set_arn: str
    account_id: str


class Progress(Enum):
    """How far AWS is with an operation."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Report:
    """What AWS says of one operation; `reason` is AWS's own when it failed."""

    operation_id: str
    progress: Progress
    reason: str = ""


class ProvisionerError(Exception):
    """AWS did not do what was asked. `message` has AWS's own words, `remedy` what a person can do."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class NotDone(ProvisionerError):
    """AWS turned the call away for now (throttled, conflicting operation); it certainly did nothing. Try again."""


class Unclear(ProvisionerError):
    """No usable answer (unreachable, time-out, server error); AWS may or may not have done it. Try again."""


class Refused(ProvisionerError):
    """AWS will not do it, and trying again does not help; it did nothing."""


class Gone(Refused):
    """What the call speaks of is not there."""


class Disabled(Refused):
    """The person is there, and disabled."""


class Provisioner(Protocol):
    """IAM Identity Center, as far as convergence needs it. Every call can be repeated.

    Raises:
        NotDone, Unclear, Refused, Gone: from every method.
    """

    def get_ready(self) -> None:
        """Does what would delay the first call; asks AWS nothing."""
        ...

    def find_principal(self, user_name: str) -> str:
        """The Identity Center user id of an enabled person; Gone if there is none."""
        ...

    def is_assigned(self, key: AssignmentKey) -> bool:
        """Whether the assignment is in AWS now."""
        ...

    def begin_creation(self, key: AssignmentKey) -> Report:
        """Asks AWS to create it; creating what exists succeeds."""
        ...

    def begin_deletion(self, key: AssignmentKey) -> Report:
        """Asks AWS to delete it; Gone if there is nothing to delete."""
        ...

    def check_principal(self, principal_id: str) -> None:
        """Nothing, if the person is there and enabled; else Gone or Disabled."""
        ...

    def recent_creations(self) -> list[Report]:
        """The newest creations, at most a hundred, in one call; without the reasons of those that failed."""
        ...

    def recent_deletions(self) -> list[Report]:
        """The newest deletions, likewise."""
        ...

    def creation_report(self, operation_id: str) -> Report:
        """How a creation is going."""
        ...

    def deletion_report(self, operation_id: str) -> Report:
        """How a deletion is going; deleting what is missing may fail, with AWS's words for it."""
        ...

    def assignments_of(self, account_id: str, permission_set_arn: str) -> list[tuple[str, str]]:
        """Who holds a permission set in an account: ("USER" or "GROUP", principal id); a call for each hundred."""
        ...

    def principal_name(self, principal_type: str, principal_id: str) -> str:
        """The user name of a person or the display name of a group, empty if AWS has none."""
        ...


@cache
def current() -> Provisioner:
    """The provisioner that the settings name, made once a process."""
    return cast(Provisioner, import_string(settings.PROVISIONER)())
