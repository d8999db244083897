"""What AWS has, accounts and permission sets, as plain rows, and where they come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from auditlog.actor import Actor

# Who changes the catalog to what AWS has.
INVENTORY: Final = Actor.system("inventory")


@dataclass(frozen=True)
class AccountRow:
    """An account as AWS lists it; `ou_path` is such as Workloads/Production, empty below the root itself."""

    account_id: str
    name: str
    email: str
    ou_path: str
    is_management: bool


@dataclass(frozen=True)
class PermissionSetRow:
    """A permission set as AWS describes it; `inline_policy` is a JSON text or empty."""

    arn: str
    name: str
    description: str
    session_duration: timedelta
    managed_policies: tuple[str, ...]
    inline_policy: str


@dataclass(frozen=True)
class PrincipalRow:
    """A user, by user name, or a group, by display name, of IAM Identity Center."""

    principal_id: str
    name: str
    is_enabled: bool = True


@dataclass(frozen=True)
class PrincipalPage:
    """One page of a list, and the position at which the next begins; empty: it was the last."""

    rows: tuple[PrincipalRow, ...]
    following: str


class PositionLost(Exception):
    """AWS does not know the position any more: the list has to be read from its beginning."""


class Inventory(Protocol):
    """AWS's lists, and the details that cost a call for each row."""

    def accounts(self) -> Iterable[AccountRow]:
        """Every active account of the organisation."""

    def tags_of(self, account_id: str) -> Mapping[str, str] | None:
        """An account's tags; None if it is gone."""

    def permission_set_arns(self) -> Iterable[str]:
        """Every permission set of the instance."""

    def permission_set(self, arn: str) -> PermissionSetRow | None:
        """What a permission set is; None if it is gone."""

    def principals(self, kind: str, position: str) -> PrincipalPage:
        """A page of the users (USER) or groups (GROUP). Raises PositionLost."""
