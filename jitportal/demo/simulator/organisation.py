"""A description of an AWS organisation, from which every ARN and id follows by name.

Ids are derived (sha256, uuid5), so that seeding the same description again, in another process or on another
day, gives the same organisation. Shapes of ids and ARNs are those of botocore's service models.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self, TypeVar

T = TypeVar("T")

_NAMESPACE = uuid.UUID("8f0c3a52-5d0e-5b55-9c1e-6f5f0b8b8f3e")
_ACCOUNT_ID = re.compile(r"\d{12}")


def _hex(*parts: str, length: int) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:length]


@dataclass(frozen=True)
class Account:
    """An account; ``ou`` is a path below the root such as ``Workloads/Production``, empty for the root."""

    id: str
    name: str
    email: str
    ou: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "ACTIVE"

    def __post_init__(self) -> None:
        if not _ACCOUNT_ID.fullmatch(self.id):
            raise ValueError(f"account id {self.id!r} of {self.name} must be 12 digits")


@dataclass(frozen=True)
class PermissionSet:
    """A permission set; ``session_duration`` is an ISO 8601 duration from PT1H to PT12H.

    ``managed_policies`` are ARNs of AWS's own and names of the customer's; ``inline_policy`` is a JSON text.
    """

    name: str
    description: str = ""
    session_duration: str = "PT1H"
    managed_policies: tuple[str, ...] = ()
    inline_policy: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "managed_policies", tuple(self.managed_policies))


@dataclass(frozen=True)
class User:
    """A person in the identity store; ``user_name`` is matched by exact case, as AWS does in places."""

    user_name: str
    display_name: str
    email: str
    enabled: bool = True
    external_id: str | None = None
    external_issuer: str = "https://scim.aws.com"


@dataclass(frozen=True)
class Group:
    """A group in the identity store."""

    display_name: str
    description: str = ""
    external_id: str | None = None
    external_issuer: str = "https://scim.aws.com"


@dataclass(frozen=True)
class Organisation:
    """Everything AWS holds before the first assignment; the management account owns Identity Center."""

    management_account: Account
    accounts: tuple[Account, ...] = ()
    permission_sets: tuple[PermissionSet, ...] = ()
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    region: str = "eu-central-1"
    instance_id: str = ""
    """``ssoins-`` and 16 hex digits; derived unless given."""
    identity_store_id: str = ""
    """``d-`` and 10 hex digits; derived unless given."""

    def __post_init__(self) -> None:
        for what, names in (
            ("account id", [account.id for account in self.all_accounts]),
            ("permission set", [permission_set.name for permission_set in self.permission_sets]),
            ("user name", [user.user_name for user in self.users]),
            ("group", [group.display_name for group in self.groups]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} given twice: {', '.join(sorted(twice))}")
        self._give_id("instance_id", f"ssoins-{_hex('instance', self._seed, length=16)}")
        self._give_id("identity_store_id", f"d-{_hex('identity-store', self._seed, length=10)}")

    def _give_id(self, name: str, derived: str) -> None:
        given = getattr(self, name) or derived
        prefix, _, digits = derived.partition("-")
        if not re.fullmatch(f"{prefix}-[0-9a-f]{{{len(digits)}}}", given):
            raise ValueError(f"{name} {given!r} must be {prefix}- and {len(digits)} hex digits")
        object.__setattr__(self, name, given)

    @property
    def _seed(self) -> str:
        return self.management_account.id

    @property
    def all_accounts(self) -> tuple[Account, ...]:
        """The management account and then the members."""
        return (self.management_account, *self.accounts)

    @property
    def instance_arn(self) -> str:
        """``arn:aws:sso:::instance/ssoins-<16 hex>``."""
        return f"arn:aws:sso:::instance/{self.instance_id}"

    @property
    def organization_id(self) -> str:
        """``o-`` and 10 hex digits."""
        return f"o-{_hex('organization', self._seed, length=10)}"

    @property
    def root_id(self) -> str:
        """``r-`` and 4 hex digits."""
        return f"r-{_hex('root', self._seed, length=4)}"

    def ou_id(self, path: str) -> str:
        """The id of the organisational unit at ``path``; the root's for an empty path."""
        if not path:
            return self.root_id
        return f"ou-{self.root_id.removeprefix('r-')}-{_hex('ou', self._seed, path, length=8)}"

    def permission_set_arn(self, name: str) -> str:
        """``arn:aws:sso:::permissionSet/ssoins-<16 hex>/ps-<16 hex>``; KeyError if nothing has that name."""
        if all(permission_set.name != name for permission_set in self.permission_sets):
            raise KeyError(f"no permission set named {name!r}")
        return f"arn:aws:sso:::permissionSet/{self.instance_id}/ps-{_hex('ps', self._seed, name, length=16)}"

    def user_id(self, user_name: str) -> str:
        """The identity store's id of ``user_name``, a UUID; KeyError if there is none."""
        if all(user.user_name != user_name for user in self.users):
            raise KeyError(f"no user named {user_name!r}")
        return str(uuid.uuid5(_NAMESPACE, f"user {self._seed} {user_name}"))

    def group_id(self, display_name: str) -> str:
        """The identity store's id of the group ``display_name``, a UUID; KeyError if there is none."""
        if all(group.display_name != display_name for group in self.groups):
            raise KeyError(f"no group named {display_name!r}")
        return str(uuid.uuid5(_NAMESPACE, f"group {self._seed} {display_name}"))

    def account_named(self, name: str) -> Account:
        """The account called ``name``; KeyError if there is none."""
        for account in self.all_accounts:
            if account.name == name:
                return account
        raise KeyError(f"no account named {name!r}")

    def joined_by(self, other: "Organisation") -> "Organisation":
        """This organisation with whatever ``other`` has beyond it; what both have stays as it is here.

        ValueError if their management accounts or instances differ: no id of one is then valid in the other.
        """
        mine, theirs = (
            (each.management_account.id, each.instance_id, each.identity_store_id) for each in (self, other)
        )
        if mine != theirs:
            raise ValueError(
                f"the state belongs to {' / '.join(mine)}, not to {' / '.join(theirs)}; "
                "remove the state file to start over"
            )
        return replace(
            self,
            accounts=_joined(self.accounts, other.accounts, key="id"),
            permission_sets=_joined(self.permission_sets, other.permission_sets, key="name"),
            users=_joined(self.users, other.users, key="user_name"),
            groups=_joined(self.groups, other.groups, key="display_name"),
        )

    def with_user(self, user_name: str, **changes: Any) -> "Organisation":
        """This organisation with fields of one user changed; KeyError if there is none."""
        self.user_id(user_name)
        return replace(self, users=tuple(replace(u, **changes) if u.user_name == user_name else u for u in self.users))

    def with_account(self, account_id: str, **changes: Any) -> "Organisation":
        """This organisation with fields of one member account changed; KeyError if there is none."""
        if all(account.id != account_id for account in self.accounts):
            raise KeyError(f"no member account {account_id!r}")
        return replace(self, accounts=tuple(replace(a, **changes) if a.id == account_id else a for a in self.accounts))

    def as_json(self) -> dict[str, Any]:
        """Plain data that ``from_json`` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """What ``as_json`` wrote."""
        return cls(
            management_account=Account(**data["management_account"]),
            accounts=tuple(Account(**row) for row in data["accounts"]),
            permission_sets=tuple(PermissionSet(**row) for row in data["permission_sets"]),
            users=tuple(User(**row) for row in data["users"]),
            groups=tuple(Group(**row) for row in data["groups"]),
            region=data["region"],
            instance_id=data["instance_id"],
            identity_store_id=data["identity_store_id"],
        )


def _joined(mine: Iterable[T], theirs: Iterable[T], *, key: str) -> tuple[T, ...]:
    known = {getattr(row, key): row for row in mine}
    for row in theirs:
        known.setdefault(getattr(row, key), row)
    return tuple(known.values())
