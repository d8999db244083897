"""Who has which app role of the portal, as Microsoft Graph tells it: what the `roles` of a token would say.

Sources: Microsoft Graph v1.0 reference, "List appRoleAssignments granted to a user", "List appRoleAssignments granted
for a service principal", "servicePrincipal resource type".
"""

from functools import cached_property
from typing import Any, Final

from auditlog import chain
from catalog import app_roles
from jitportal.entra import registration
from jitportal.entra.calls import Calls
from jitportal.entra.errors import Failed

PERMISSION: Final = "Directory.Read.All"
_AGAIN: Final = "It is tried again by itself."


class AppRoles:
    """The app roles of the portal, while one sync lasts. Every method raises GraphError."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def of(self, object_id: str) -> frozenset[str]:
        """The object ids of the roles that this person has, by themselves or as a direct member of a group."""
        principal, roles = self._portal
        rows = self._rows(f"/users/{object_id}/appRoleAssignments", {"$filter": f"resourceId eq {principal}"})
        values = (roles.get(str(row.get("appRoleId"))) for row in rows if row.get("resourceId") == principal)
        return app_roles.named(value for value in values if value)

    def defined(self) -> frozenset[str]:
        """The object ids of all roles that are there and enabled."""
        return app_roles.named(self._portal[1].values())

    def digest(self) -> str:
        """Stands for who is assigned which role: people and groups, of which no delta query tells."""
        principal, roles = self._portal
        rows = self._rows(f"/servicePrincipals/{principal}/appRoleAssignedTo", None)
        assigned = sorted(f"{row.get('principalId')} {row.get('appRoleId')}" for row in rows)
        return chain.sha256(chain.canonical([*assigned, *sorted(f"{key} {value}" for key, value in roles.items())]))

    @cached_property
    def _portal(self) -> tuple[str, dict[str, str]]:
        """The id of the application in this tenant, and the values of its enabled roles by their ids."""
        address = f"/servicePrincipals(appId='{registration.app()['client_id']}')"
        body = self._calls.get(address, PERMISSION, {"$select": "id,appRoles"})
        roles = body.get("appRoles")
        if not isinstance(body.get("id"), str) or not isinstance(roles, list):
            raise Failed("Microsoft Graph's list of the portal's app roles cannot be read.", _AGAIN)
        enabled = [role for role in roles if isinstance(role, dict) and role.get("isEnabled") and role.get("value")]
        return body["id"], {str(role.get("id")): str(role["value"]) for role in enabled}

    def _rows(self, address: str, parameters: dict[str, str] | None) -> list[dict[str, Any]]:
        """The rows of every page: what is missing in one would be taken for lost."""
        found: list[dict[str, Any]] = []
        following: object = address
        while isinstance(following, str):
            body = self._calls.get(following, PERMISSION, parameters)
            rows = body.get("value")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise Failed("Microsoft Graph's list of app role assignments cannot be read.", _AGAIN)
            found += rows
            # The link to the next page has the parameters in it.
            following, parameters = body.get("@odata.nextLink"), None
        return found
