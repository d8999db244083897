"""What the portal asks Microsoft Graph: who somebody is, which groups they are in, and who has changed.

Sources: Microsoft Graph v1.0 reference, "Get user", "List manager", "directoryObject: getMemberObjects", "user: delta",
"group: delta"; "Use delta query to track changes".
"""

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

from catalog.names import comparable, refuse_unseen, showable
from jitportal.entra.app_roles import AppRoles
from jitportal.entra.calls import Calls
from jitportal.entra.errors import Failed, LinkTooOld
from jitportal.models import User

PEOPLE: Final = "User.Read.All"
MEMBERS: Final = "GroupMember.Read.All"
_PERSON: Final = "id,accountEnabled,displayName,userPrincipalName,mail,department,userType"
_MANAGER: Final = "manager($select=id)"
# Of a relationship, such as that to the manager, a delta query tells only if it is selected. A directory that takes no
# such selection is asked again without: then a new manager is found when everybody is looked at, once a day.
_SELECTED: Final = {"users": (f"{_PERSON},manager", _PERSON), "groups": ("id,members",)}
# Graph takes no more values than this in one `in`.
_AT_ONCE: Final = 15
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Kind = Literal["users", "groups"]


@dataclass(frozen=True)
class Told:
    """A person as the directory has them. None for a text that is missing or that the portal cannot take as it is.

    `manager` is the object id of their manager; empty if they have none.
    """

    object_id: str
    is_enabled: bool
    is_guest: bool
    user_name: str | None
    name: str | None
    email: str | None
    department: str | None
    manager: str | None = ""


@dataclass(frozen=True)
class Page:
    """A page of what has changed: whom it touches, whether it may touch anybody, and where to go on.

    `link` leads to the next page, or, if `is_last`, to what will have changed after this.
    """

    people: frozenset[str]
    anybody: bool
    link: str
    is_last: bool


class Graph:
    """The directory of this portal. Every method raises GraphError; `patience` and `pause` as for Calls."""

    def __init__(self, patience: float, pause: Callable[[float], None] = time.sleep) -> None:
        self._calls = Calls(patience, pause)
        self.app_roles = AppRoles(self._calls)

    def person(self, object_id: str) -> Told:
        """The person with this id. Raises NotThere if the directory has none."""
        body = self._calls.get(f"/users/{object_id}", PEOPLE, {"$select": _PERSON, "$expand": _MANAGER})
        enabled = body.get("accountEnabled")
        if str(body.get("id", "")).lower() != object_id or not isinstance(enabled, bool):
            raise Failed("Microsoft Graph does not say whether an account is enabled.", "It is tried again by itself.")
        return Told(
            object_id=object_id,
            is_enabled=enabled,
            is_guest=str(body.get("userType") or "").lower() == "guest",
            user_name=_identifier(body, "userPrincipalName", "user_name") or None,
            name=_shown(body, "displayName", "name") or None,
            email=_identifier(body, "mail", "email"),
            department=_comparable(body, "department", "department"),
            manager=_manager(body),
        )

    def groups_of(self, object_id: str) -> frozenset[str]:
        """Object ids of all that this person is in, directly or through a group: what a token says, and more.

        Directory roles and administrative units are among them, as Graph has it.
        """
        body = self._calls.post(
            f"/users/{object_id}/getMemberObjects", f"{PEOPLE} or {MEMBERS}", {"securityEnabledOnly": False}
        )
        ids = body.get("value")
        # There is no second page of this; if there were, what is missing in the first would be taken for left.
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids) or "@odata.nextLink" in body:
            raise Failed("Microsoft Graph's list of somebody's groups cannot be read.", "It is tried again by itself.")
        return frozenset(each.lower() for each in ids)

    def group_names(self, object_ids: Collection[str]) -> dict[str, str]:
        """The names of those of these groups that are there."""
        names: dict[str, str] = {}
        wanted = sorted(each for each in object_ids if _GUID.fullmatch(each))
        for start in range(0, len(wanted), _AT_ONCE):
            chosen = ",".join(f"'{each}'" for each in wanted[start : start + _AT_ONCE])
            body = self._calls.get("/groups", MEMBERS, {"$filter": f"id in ({chosen})", "$select": "id,displayName"})
            for row in _rows(body):
                if isinstance(name := row.get("displayName"), str):
                    names[_id(row)] = name
        return names

    def departments_like(self, name: str) -> frozenset[str]:
        """How the directory writes a department, of the first people who are in one; Graph's question ignores case."""
        quoted = name.replace("'", "''")
        body = self._calls.get("/users", PEOPLE, {"$filter": f"department eq '{quoted}'", "$select": "id,department"})
        told = (_comparable(row, "department", "department") for row in _rows(body))
        return frozenset(text for text in told if text)

    def from_now(self, kind: Kind) -> str:
        """A link to what will change from this moment on."""
        *others, last = _SELECTED[kind]
        for select in others:
            try:
                return self._from_now(kind, select)
            except Failed as error:
                if "BadRequest" not in error.message:
                    raise
        return self._from_now(kind, last)

    def _from_now(self, kind: Kind, select: str) -> str:
        asked = {"$deltatoken": "latest", "$select": select}
        link = self._calls.get(f"/{kind}/delta", _permission(kind), asked).get("@odata.deltaLink")
        if not isinstance(link, str):
            raise Failed("Microsoft Graph gave no link to what will change.", "It is tried again by itself.")
        return link

    def changes(self, kind: Kind, link: str) -> Page:
        """The page that the link leads to. Raises LinkTooOld if everything must be read anew."""
        try:
            body = self._calls.get(link, _permission(kind))
        except Failed as error:
            if "BadRequest" in error.message:
                # A link that Graph no longer understands would be asked in vain for ever.
                raise LinkTooOld(error.message, error.remedy) from error
            raise
        following, later = body.get("@odata.nextLink"), body.get("@odata.deltaLink")
        going_on = following or later
        if not isinstance(going_on, str):
            raise Failed("Microsoft Graph's page breaks off.", "It is tried again by itself.")
        rows = _rows(body)
        members = [member for row in rows for member in _rows(row, "members@delta")] if kind == "groups" else rows
        nested = any(str(member.get("@odata.type", "")).lower().endswith("group") for member in members)
        gone = kind == "groups" and any("@removed" in row for row in rows)
        return Page(
            people=frozenset(_id(member) for member in members),
            # Who is in a group through another is not told: whoever it may concern is asked about.
            anybody=(kind == "groups" and nested) or gone,
            link=going_on,
            is_last=not following,
        )


def _permission(kind: Kind) -> str:
    return PEOPLE if kind == "users" else MEMBERS


def _rows(body: dict[str, Any], name: str = "value") -> list[dict[str, Any]]:
    rows = body.get(name, [] if name != "value" else None)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Failed("Microsoft Graph's list cannot be read.", "It is tried again by itself.")
    return rows


def _id(row: dict[str, Any]) -> str:
    return str(row.get("id", "")).lower()


def _manager(body: dict[str, Any]) -> str | None:
    """The object id of the manager, empty if there is none; None if it cannot be read, and the one known stays."""
    said = body.get("manager")
    if said is None:
        return ""
    found = _id(said) if isinstance(said, dict) else ""
    return found if _GUID.fullmatch(found) else None


def _longest(field: str) -> int:
    longest: int = getattr(User, field).field.max_length
    return longest


def _shown(body: dict[str, Any], key: str, field: str) -> str | None:
    """A text for show, without what cannot be seen; None if it is none, or longer than the portal keeps."""
    said = body.get(key)
    if said is None:
        return ""
    text = showable(said) if isinstance(said, str) else None
    return text if text is not None and len(text) <= _longest(field) else None


def _comparable(body: dict[str, Any], key: str, field: str) -> str | None:
    """A text by which something is decided, or nothing if it cannot be told from another; None as for `_shown`."""
    said = body.get(key)
    if said is None:
        return ""
    text = comparable(said) if isinstance(said, str) else None
    return text if text is not None and len(text) <= _longest(field) else None


def _identifier(body: dict[str, Any], key: str, field: str) -> str | None:
    """As given, or None: a part of it could be somebody else's."""
    said = body.get(key)
    if said is None:
        return ""
    if not isinstance(said, str) or len(said) > _longest(field):
        return None
    try:
        return refuse_unseen(said.strip())
    except ValueError:
        return None
