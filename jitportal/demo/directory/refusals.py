"""What the directory refuses, in OAuth's codes and with the numbers and texts that Entra ID uses.

Source: Microsoft identity platform, "Authentication and authorization error codes" (AADSTS).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

CALLER_UNKNOWN: Final = 401


@dataclass(eq=False)
class Refused(Exception):
    """An OAuth error: a `code` such as invalid_grant, Entra's `number` for it, and the HTTP `status`."""

    code: str
    number: int
    text: str
    status: int = 400

    @property
    def description(self) -> str:
        return f"AADSTS{self.number}: {self.text}"

    def body(self, now: float) -> Mapping[str, object]:
        """The token endpoint's JSON answer; `now` in epoch seconds."""
        moment = datetime.fromtimestamp(now, UTC)
        return {
            "error": self.code,
            "error_description": f"{self.description} Timestamp: {moment:%Y-%m-%d %H:%M:%SZ}",
            "error_codes": [self.number],
            "timestamp": f"{moment:%Y-%m-%d %H:%M:%SZ}",
            "trace_id": str(uuid4()),
            "correlation_id": str(uuid4()),
        }


def parameter_missing(name: str) -> Refused:
    return Refused("invalid_request", 900144, f"The request body must contain the following parameter: '{name}'.")


def parameter_wrong(name: str, why: str) -> Refused:
    return Refused("invalid_request", 9000411, f"The request is not properly formatted. The parameter '{name}' {why}.")


def client_unknown(client_id: str, tenant_id: str) -> Refused:
    return Refused(
        "unauthorized_client",
        700016,
        f"Application with identifier '{client_id}' was not found in the directory '{tenant_id}'.",
    )


def redirect_uri_unknown(redirect_uri: str, client_id: str) -> Refused:
    return Refused(
        "invalid_request",
        50011,
        f"The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs "
        f"configured for the application '{client_id}'.",
    )


def response_type_unsupported(response_type: str) -> Refused:
    return Refused(
        "unsupported_response_type",
        700054,
        f"response_type '{response_type}' is not enabled for the application.",
    )


def challenge_missing() -> Refused:
    return Refused(
        "invalid_request",
        9002325,
        "Proof Key for Code Exchange is required, with code_challenge_method 'S256'.",
    )


def nobody_signed_in() -> Refused:
    return Refused("login_required", 50058, "A silent sign-in request was sent but no user is signed in.")


def person_declined() -> Refused:
    return Refused("access_denied", 65004, "User declined to consent to access the app.")


def person_disabled() -> Refused:
    return Refused("access_denied", 50057, "The user account is disabled.")


def secret_wrong(client_id: str) -> Refused:
    return Refused("invalid_client", 7000215, f"Invalid client secret provided for app '{client_id}'.", CALLER_UNKNOWN)


def scope_wrong(scope: str) -> Refused:
    return Refused(
        "invalid_scope", 1002012, f"The provided value for scope {scope} is not valid: it must end with /.default."
    )


def grant_type_unsupported(grant_type: str) -> Refused:
    return Refused("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant_type}'.")


def code_unknown() -> Refused:
    return Refused("invalid_grant", 70000, "The provided value for the input parameter 'code' is not valid.")


def code_redeemed() -> Refused:
    return Refused(
        "invalid_grant",
        54005,
        "OAuth2 Authorization code was already redeemed, please retry.",
    )


def code_expired() -> Refused:
    return Refused(
        "invalid_grant", 70008, "The provided authorization code has expired. Send a new interactive request."
    )


def code_for_other_address(redirect_uri: str) -> Refused:
    return Refused(
        "invalid_grant",
        500112,
        f"The reply address '{redirect_uri}' does not match the reply address provided when requesting "
        "Authorization code.",
    )


def verifier_wrong() -> Refused:
    return Refused(
        "invalid_grant",
        501481,
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    )
