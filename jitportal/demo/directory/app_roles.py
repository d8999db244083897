"""The app roles of the one application, and who is assigned them, as Graph's JSON has them.

A role is there as soon as it is assigned. Source: Microsoft Graph v1.0 reference, "appRoleAssignment resource type".
"""

from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from jitportal.demo.directory.people import Person
from jitportal.demo.directory.tenant import Directory

SERVICE_PRINCIPAL: Final = str(uuid5(NAMESPACE_URL, "https://jitportal.example/service-principal"))
# Another application of the tenant, in which people have roles, too.
_OTHER: Final = str(uuid5(NAMESPACE_URL, "https://payroll.example/service-principal"))


def service_principal(directory: Directory) -> dict[str, Any]:
    """The application in this tenant, with its roles."""
    values = sorted({value for values in directory.assigned.values() for value in values} | set(directory.spare_roles))
    roles = [{"id": _id(value), "value": value, "displayName": value, "isEnabled": True} for value in values]
    return {"id": SERVICE_PRINCIPAL, "appRoles": [*roles, {"id": _id("off"), "value": "Off", "isEnabled": False}]}


def assigned_to(directory: Directory) -> list[dict[str, Any]]:
    """Every assignment of the application, to people and to groups."""
    return [_row(who, value) for who, values in sorted(directory.assigned.items()) for value in sorted(values)]


def assignments_of(directory: Directory, person: Person) -> list[dict[str, Any]]:
    """Those of a person, by themselves and as a direct member of groups; in this application and in others."""
    holders = directory.holders_of(person)
    here = [row for row in assigned_to(directory) if row["principalId"] in holders]
    return [*here, {**_row(person.object_id, "Reader"), "resourceId": _OTHER}]


def _row(principal: str, value: str) -> dict[str, Any]:
    return {"appRoleId": _id(value), "principalId": principal, "resourceId": SERVICE_PRINCIPAL}


def _id(value: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"https://jitportal.example/roles/{value}"))
