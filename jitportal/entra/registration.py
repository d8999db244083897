"""What Graph tells of the app registration itself and of conditional access, to an application that may read them.

Sources: Microsoft Graph v1.0 reference, "Get application", "List authenticationContextClassReferences".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.conf import settings

from jitportal.entra.calls import Calls
from jitportal.entra.errors import Failed

APPLICATIONS: Final = "Application.Read.All"
CONTEXTS: Final = "Policy.Read.ConditionalAccess"
# A secret that runs out within this time should be renewed now.
SOON: Final = timedelta(days=30)
# The optional claims that the portal reads, and what for.
WANTED: Final[Mapping[str, str]] = {
    "acct": "by it guests are known, beside idp",
    "auth_time": "fresh proof is dated by it",
    "login_hint": "signing out ends the right session by it",
}


@dataclass(frozen=True)
class Registration:
    """Whether tokens carry groups, the optional claims of the ID token, and when our secret runs out, if told."""

    sends_groups: bool
    optional_claims: frozenset[str]
    secret_ends: datetime | None


def app() -> dict[str, str]:
    """The application as the settings have it, with `client_id` and `secret`."""
    found: dict[str, str] = cast("Any", settings.SOCIALACCOUNT_PROVIDERS)["openid_connect"]["APPS"][0]
    return found


def read(calls: Calls) -> Registration:
    """The registration. Raises GraphError."""
    wanted = {"$select": "groupMembershipClaims,optionalClaims,passwordCredentials"}
    body = calls.get(f"/applications(appId='{app()['client_id']}')", APPLICATIONS, wanted)
    tokens = body.get("optionalClaims") or {}
    claims = [each.get("name") for each in tokens.get("idToken") or () if isinstance(each, dict)]
    groups = str(body.get("groupMembershipClaims") or "None")
    return Registration(
        sends_groups=groups != "None",
        optional_claims=frozenset(name for name in claims if isinstance(name, str)),
        secret_ends=_end_of_secret(body.get("passwordCredentials") or ()),
    )


def published_contexts(calls: Calls) -> frozenset[str]:
    """The authentication contexts that are published to apps. Raises GraphError."""
    body = calls.get("/identity/conditionalAccess/authenticationContextClassReferences", CONTEXTS)
    rows = body.get("value")
    if not isinstance(rows, list):
        raise Failed("Microsoft Graph's list of authentication contexts cannot be read.", "Try again later.")
    return frozenset(str(row.get("id")) for row in rows if isinstance(row, dict) and row.get("isAvailable"))


def _end_of_secret(credentials: Any) -> datetime | None:
    """The latest end of those secrets that begin as ours does; Graph tells no more of one than its beginning."""
    ours = app()["secret"]
    ends = []
    for each in credentials:
        hint, end = each.get("hint"), each.get("endDateTime")
        if hint and ours.startswith(hint) and isinstance(end, str):
            ends.append(datetime.fromisoformat(end))
    return max(ends, default=None)
