"""What to do about each thing that can be missing in a tenant, in the words of docs/entra.md."""

from enum import StrEnum


class Remedy(StrEnum):
    """A sentence or two; docs/entra.md has the same, and a test holds them together."""

    TENANT = (
        "Compare ENTRA_TENANT_ID with the directory (tenant) id on the app registration's overview, and look whether "
        "something between the portal and login.microsoftonline.com answers in its place."
    )
    CLOCK = "Have the machine's clock set by NTP: tokens whose times are more than a minute off are refused."
    CLIENT = "Compare ENTRA_CLIENT_ID with the application (client) id on the app registration's overview."
    REDIRECT = "Register it under Authentication as a redirect URI of the platform Web, letter by letter as it is here."
    RENEW = (
        "Make a new client secret under Certificates & secrets, and give its value, not its id, as ENTRA_CLIENT_SECRET."
    )
    PERMISSION = (
        "Add it under API permissions as an application permission of Microsoft Graph, and have an administrator grant "
        "consent. It can take a few minutes until tokens have it."
    )
    GROUP = (
        "Copy the object id from the group's overview in Entra into the setting, or take the group out of the catalog "
        "if it was deleted: nobody is in a group that does not exist."
    )
    DEPARTMENT = (
        "Write the department in the access policy letter by letter as the property Department of people has it in "
        "Entra, or have that property filled in: nobody is in a department that the directory does not tell."
    )
    MANAGER = (
        "Have the property Manager of people filled in, in Entra; the sync reads it with User.Read.All. Until then "
        "what their managers decide on cannot be asked for."
    )
    ROLES_PERMISSION = (
        "App roles are in use: add Directory.Read.All as an application permission of Microsoft Graph, and consent."
    )
    ROLE = (
        "Create it under App roles with exactly this value, for users and groups, and assign it to people under "
        "Enterprise applications; or take it out of the catalog."
    )
    CONTEXT = (
        "Publish it to apps under Conditional Access, Authentication contexts, or choose another in the access policy: "
        "until then nobody can give the proof."
    )
    CONTEXTS_UNASKED = (
        "To have this checked, add Policy.Read.ConditionalAccess; the portal needs it for nothing else. Or look under "
        "Conditional Access, Authentication contexts, whether those that access policies demand are published to apps."
    )
    REGISTRATION_UNASKED = (
        "To have this checked, add Application.Read.All; the portal needs it for nothing else. Or look under Token "
        "configuration for the groups claim and the optional claims acct, auth_time and login_hint of the ID token."
    )
    GROUPS_CLAIM = "Add the groups claim under Token configuration: security groups, as group ids."
    CLAIMS = "Add it under Token configuration as an optional claim of the ID token."
    UNREACHABLE = (
        "Look whether this machine reaches login.microsoftonline.com and graph.microsoft.com over HTTPS, through the "
        "proxy if there is one; then ask again."
    )
