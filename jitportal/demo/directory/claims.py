"""The claims of an id token, in the shapes of Entra ID's v2.0 tokens.

Source: Microsoft identity platform, "ID token claims reference" and "Configure group claims" (the overage).
"""

import base64
import hashlib
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from jitportal.demo.directory.codes import Issued
from jitportal.demo.directory.people import Person

TOKEN_LIFETIME: Final = 3600
# Beyond this many Entra names a place to ask instead of the groups themselves.
MOST_GROUPS: Final = 200
# Entra dates its tokens back by five minutes, so that a slow clock at the application does no harm.
_NOT_BEFORE: Final = 300
_HOME_OF_GUESTS: Final = str(uuid5(NAMESPACE_URL, "https://partner.example.com"))


def id_token_claims(
    issued: Issued, *, roles: list[str], issuer: str, tenant_id: str, client_id: str, now: float
) -> dict[str, Any]:
    """The claims about a person for one application; times in whole epoch seconds."""
    person, ask = issued.person, issued.ask
    begins = int(now)
    claims: dict[str, Any] = {
        "aud": client_id,
        "iss": issuer,
        "iat": begins - _NOT_BEFORE,
        "nbf": begins - _NOT_BEFORE,
        "exp": begins + TOKEN_LIFETIME,
        "auth_time": int(issued.at),
        "name": person.name,
        "oid": person.object_id,
        "preferred_username": person.user_name,
        "sub": _pairwise(client_id, person.object_id),
        "tid": tenant_id,
        "ver": "2.0",
    }
    # As if the optional claim were configured; opaque, as Entra's is.
    claims["login_hint"] = f"O.{_pairwise(client_id, person.object_id)}"
    if ask.nonce:
        claims["nonce"] = ask.nonce
    if person.email:
        claims["email"] = person.email
    if person.department:
        claims["department"] = person.department
    if roles:
        claims["roles"] = roles
    if person.guest:
        claims["idp"] = f"https://sts.windows.net/{_HOME_OF_GUESTS}/"
    if ask.contexts:
        claims["acrs"] = list(ask.contexts)
    return claims | _groups(person, tenant_id)


def _groups(person: Person, tenant_id: str) -> dict[str, Any]:
    groups = person.all_groups
    if len(groups) <= MOST_GROUPS:
        return {"groups": [group.object_id for group in groups]} if groups else {}
    endpoint = f"https://graph.microsoft.com/v1.0/{tenant_id}/users/{person.object_id}/getMemberObjects"
    return {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": endpoint}}}


def _pairwise(client_id: str, object_id: str) -> str:
    """A subject that no second application would see for the same person."""
    digest = hashlib.sha256(f"{client_id}/{object_id}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
