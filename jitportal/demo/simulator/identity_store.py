"""The identitystore calls that find people and groups; moto lacks UserStatus, ARNs and external ids."""

from collections.abc import Callable, Iterable
from typing import Any

from . import paging
from .call import Call, Params
from .errors import AwsError, invalid, not_found
from .organisation import Group, User
from .state import State

Answer = dict[str, Any]

# What AWS calls the first version of an entry; nothing here changes an entry in a way that callers compare.
_REVISION = "1"


class IdentityStore:
    """Values match by exact case: AWS is case-sensitive in places, and callers must normalise."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.handlers: dict[str, Callable[[Call], Answer]] = {
            "GetUserId": self._get_user_id,
            "DescribeUser": self._describe_user,
            "ListUsers": self._list_users,
            "GetGroupId": self._get_group_id,
            "DescribeGroup": self._describe_group,
            "ListGroups": self._list_groups,
        }

    def check_store(self, params: Params) -> None:
        """AwsError unless the named identity store is ours."""
        given = str(params.get("IdentityStoreId", ""))
        if given.rpartition("/")[2] != self._state.organisation.identity_store_id:
            raise not_found("Identity store not found", ResourceType="IDENTITY_STORE", ResourceId=given)

    def _get_user_id(self, call: Call) -> Answer:
        identifier = call.params["AlternateIdentifier"]
        found = _first(user_id for user_id, user in self._state.users.items() if _is_user(user, identifier))
        if found is None:
            raise _missing("USER")
        return {**self._store(), "UserId": found, "UserArn": _arn("user", found)}

    def _describe_user(self, call: Call) -> Answer:
        user_id = call.params["UserId"].rpartition("/")[2]
        user = self._state.users.get(user_id)
        if user is None:
            raise _missing("USER", user_id)
        return self._user(user_id, user)

    def _list_users(self, call: Call) -> Answer:
        filters = call.params.get("Filters") or []
        if any(each["AttributePath"] != "UserName" for each in filters):
            raise invalid("Filters of ListUsers know the attribute path UserName only")
        names = {each["AttributeValue"] for each in filters}
        found = {
            user_id: (user_id, user)
            for user_id, user in self._state.users.items()
            if not filters or user.user_name in names
        }
        rows, more = paging.page(call.operation, call.params, found)
        return {"Users": [self._user(*row) for row in rows], **more}

    def _get_group_id(self, call: Call) -> Answer:
        unique = call.params["AlternateIdentifier"].get("UniqueAttribute")
        if unique is not None and unique["AttributePath"].lower() != "displayname":
            raise invalid(f"The attribute {unique['AttributePath']} is not a unique attribute")
        wanted = unique["AttributeValue"] if unique is not None else None
        found = _first(key for key, group in self._state.groups.items() if group.display_name == wanted)
        if found is None:
            raise _missing("GROUP")
        return {**self._store(), "GroupId": found, "GroupArn": _arn("group", found)}

    def _describe_group(self, call: Call) -> Answer:
        group_id = call.params["GroupId"].rpartition("/")[2]
        group = self._state.groups.get(group_id)
        if group is None:
            raise _missing("GROUP", group_id)
        return self._group(group_id, group)

    def _list_groups(self, call: Call) -> Answer:
        filters = call.params.get("Filters") or []
        if any(each["AttributePath"] != "DisplayName" for each in filters):
            raise invalid("Filters of ListGroups know the attribute path DisplayName only")
        names = {each["AttributeValue"] for each in filters}
        found = {
            group_id: self._group(group_id, group)
            for group_id, group in self._state.groups.items()
            if not filters or group.display_name in names
        }
        rows, more = paging.page(call.operation, call.params, found)
        return {"Groups": rows, **more}

    def _store(self) -> Answer:
        return {"IdentityStoreId": self._state.organisation.identity_store_id}

    def _user(self, user_id: str, user: User) -> Answer:
        given, _, family = user.display_name.partition(" ")
        external = {"Issuer": user.external_issuer, "Id": user.external_id}
        return {
            **self._store(),
            "UserId": user_id,
            "UserArn": _arn("user", user_id),
            "Revision": _REVISION,
            "UserName": user.user_name,
            "DisplayName": user.display_name,
            "Name": {"Formatted": user.display_name, "GivenName": given, "FamilyName": family or given},
            "Emails": [{"Value": user.email, "Type": "work", "Primary": True}],
            "UserStatus": "ENABLED" if user.enabled else "DISABLED",
            **({"ExternalIds": [external]} if user.external_id is not None else {}),
        }

    def _group(self, group_id: str, group: Group) -> Answer:
        external = {"Issuer": group.external_issuer, "Id": group.external_id}
        return {
            **self._store(),
            "GroupId": group_id,
            "GroupArn": _arn("group", group_id),
            "Revision": _REVISION,
            "DisplayName": group.display_name,
            **({"Description": group.description} if group.description else {}),
            **({"ExternalIds": [external]} if group.external_id is not None else {}),
        }


def _is_user(user: User, identifier: Params) -> bool:
    external = identifier.get("ExternalId")
    if external is not None:
        return (user.external_issuer, user.external_id) == (external["Issuer"], external["Id"])
    unique = identifier["UniqueAttribute"]
    values = {"username": user.user_name, "emails.value": user.email}
    path = unique["AttributePath"].lower()
    if path not in values:
        raise invalid(f"The attribute {unique['AttributePath']} is not a unique attribute")
    return bool(values[path] == unique["AttributeValue"])


def _first(keys: Iterable[str]) -> str | None:
    return next(iter(keys), None)


def _missing(resource_type: str, resource_id: str = "") -> AwsError:
    named = {"ResourceId": resource_id} if resource_id else {}
    return not_found(f"{resource_type} not found.", ResourceType=resource_type, **named)


def _arn(kind: str, resource_id: str) -> str:
    return f"arn:aws:identitystore:::{kind}/{resource_id}"
