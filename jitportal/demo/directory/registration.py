"""What Graph tells of the one app registration and of conditional access, as far as the portal's doctor reads them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass
class Registration:
    """The app registration as an administrator has set it up; a test takes something away."""

    group_membership_claims: str | None = "SecurityGroup"
    optional_claims: tuple[str, ...] = ("acct", "auth_time", "login_hint")
    secret_lasts: timedelta = timedelta(days=180)

    def as_json(self, secret: str, now: float) -> dict[str, Any]:
        """An application object, with the properties that are asked for."""
        end = datetime.fromtimestamp(now, UTC) + self.secret_lasts
        claims = [{"name": name, "source": None, "essential": False} for name in self.optional_claims]
        return {
            "groupMembershipClaims": self.group_membership_claims,
            "optionalClaims": {"idToken": claims, "accessToken": [], "saml2Token": []},
            "passwordCredentials": [{"hint": secret[:3], "endDateTime": f"{end:%Y-%m-%dT%H:%M:%SZ}"}],
        }


def contexts_as_json(published: frozenset[str]) -> dict[str, Any]:
    """Three authentication contexts, of which those that are published can be asked for."""
    known = sorted({"c1", "c2", "c3", *published})
    return {"value": [{"id": each, "displayName": each.upper(), "isAvailable": each in published} for each in known]}
