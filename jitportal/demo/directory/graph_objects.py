"""People and groups as Graph's JSON has them."""

from typing import Any, Final

from jitportal.demo.directory.people import Group, Person

_BY_DEFAULT: Final = ("displayName", "userPrincipalName", "mail", "jobTitle")


def person_object(person: Person, select: str) -> dict[str, Any]:
    """A user with the properties that `select` names, with commas, or with those that Graph gives unasked."""
    properties: dict[str, Any] = {
        "displayName": person.name,
        "userPrincipalName": person.user_name,
        "mail": person.email or None,
        "department": person.department or None,
        "jobTitle": person.job_title or None,
        "accountEnabled": person.enabled,
        "userType": "Guest" if person.guest else "Member",
    }
    return {"id": person.object_id, **_selected(properties, select or ",".join(_BY_DEFAULT))}


def group_object(group: Group, select: str) -> dict[str, Any]:
    """A group, likewise."""
    properties = {"displayName": group.name, "securityEnabled": True}
    return {"id": group.object_id, **_selected(properties, select or ",".join(properties))}


def _selected(properties: dict[str, Any], select: str) -> dict[str, Any]:
    names = {name.strip() for name in select.split(",")}
    return {name: value for name, value in properties.items() if name in names}
