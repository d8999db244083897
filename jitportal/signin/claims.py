"""Reads what the directory's token says about a person, and refuses what the portal cannot rely on. Pure."""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog import app_roles
from catalog.names import comparable, refuse_unseen, showable
from jitportal.signin.refusals import BEGIN_AGAIN, Refused, Rule

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST: Final = {"name": 500, "preferred_username": 320, "email": 320, "department": 200}


@dataclass(frozen=True)
class Claims:
    """A person as the directory has just described them; ids are lower-case GUIDs, groups are such or app roles.

    None is what the token does not tell, and says nothing of what the directory has.
    """

    tenant_id: str
    object_id: str
    user_name: str
    name: str
    email: str | None = None
    department: str | None = None
    groups: frozenset[str] = frozenset()
    is_guest: bool = False


def read(
    token: Mapping[str, Any],
    *,
    issuer: str,
    tenant_id: str,
    nonce: str,
    groups_elsewhere: Callable[[str], frozenset[str]],
    guests_allowed: bool = False,
) -> Claims:
    """The claims of a token whose signature, audience and times have been verified.

    `nonce` is the one this sign-in began with. `groups_elsewhere` gives the groups of an object id for a token that
    says only that there are too many to list; it is asked last, when all else is in order.
    Raises Refused, with a sentence that names the claim.
    Sources: Microsoft identity platform, "ID token claims reference"; OpenID Connect Core 3.1.3.7.
    """
    said = token.get("nonce")
    if not nonce or not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise Refused(Rule.NONCE, "The directory's answer (claim nonce) belongs to another sign-in.", BEGIN_AGAIN)
    if token.get("iss") != issuer:
        raise Refused(Rule.ISSUER, "The token (claim iss) was not issued by this portal's directory.")
    if token.get("tid") != tenant_id:
        raise Refused(Rule.TENANT, "The token (claim tid) is from another tenant than this portal's.")
    is_guest = _is_guest(token, issuer, tenant_id)
    if is_guest and not guests_allowed:
        raise Refused(
            Rule.GUEST,
            "The account is a guest in this tenant (claim idp or acct), and guests are not let in.",
            "Use the account of your own that this organisation gave you.",
        )
    object_id = _guid(token, "oid")
    user_name = _identifier(token, "preferred_username")
    if not user_name:
        raise _malformed("preferred_username", "is missing")
    claims = Claims(
        tenant_id=tenant_id,
        object_id=object_id,
        user_name=user_name,
        name=showable(_text(token, "name")) or user_name,
        email=None if token.get("email") is None else _identifier(token, "email"),
        department=None if token.get("department") is None else comparable(_text(token, "department")),
        is_guest=is_guest,
    )
    roles = _roles(token)
    return replace(claims, groups=roles | (groups_elsewhere(object_id) if _are_elsewhere(token) else _groups(token)))


def object_id_in(token: Mapping[str, Any]) -> str:
    """The person's object id if the token has one, else nothing: to say in the record who was refused."""
    said = token.get("oid")
    return said.lower() if isinstance(said, str) and _GUID.fullmatch(said.lower()) else ""


def _is_guest(token: Mapping[str, Any], issuer: str, tenant_id: str) -> bool:
    """A guest's `idp` names another home than the issuer; the optional `acct` is 1 for guests."""
    at_home = {None, issuer, f"https://sts.windows.net/{tenant_id}/"}
    # Compared as text: a claim of another type names no home that is ours.
    homes = {None if token.get("idp") is None else str(token["idp"])}
    return not homes <= at_home or token.get("acct") not in (None, 0, "0")


def _are_elsewhere(token: Mapping[str, Any]) -> bool:
    """Whether the directory only says that there are too many groups to list, which is never "none"."""
    elsewhere = token.get("_claim_names", {})
    if not isinstance(elsewhere, Mapping):
        raise _malformed("_claim_names", "is not a set of names")
    return "groups" in elsewhere or token.get("hasgroups") not in (None, False, "false")


def _groups(token: Mapping[str, Any]) -> frozenset[str]:
    said = token.get("groups", [])
    if not isinstance(said, list) or not all(isinstance(group, str) for group in said):
        raise _malformed("groups", "is not a list of object ids")
    groups = frozenset(group.lower() for group in said)
    if not all(_GUID.fullmatch(group) for group in groups):
        raise _malformed(
            "groups", "has an entry that is not an object id (the application must send group ids, not names)"
        )
    return groups


def _roles(token: Mapping[str, Any]) -> frozenset[str]:
    """App roles, each as the object id by which the catalog knows it; a token lists them however many there are."""
    said = token.get("roles", [])
    if not isinstance(said, list) or not all(isinstance(role, str) for role in said):
        raise _malformed("roles", "is not a list of the values of app roles")
    return app_roles.named(said)


def _guid(token: Mapping[str, Any], claim: str) -> str:
    said = token.get(claim)
    if said is None:
        raise _malformed(claim, "is missing")
    if not isinstance(said, str) or not _GUID.fullmatch(said.lower()):
        raise _malformed(claim, "is not a GUID")
    return said.lower()


def _text(token: Mapping[str, Any], claim: str) -> str:
    """The claim without space around it, empty if absent."""
    said = token.get(claim, "")
    if not isinstance(said, str):
        raise _malformed(claim, "is not text")
    said = said.strip()
    if len(said) > _LONGEST[claim]:
        raise _malformed(claim, f"is longer than {_LONGEST[claim]} characters")
    return said


def _identifier(token: Mapping[str, Any], claim: str) -> str:
    """As `_text`; nothing is taken from it, for what is left could be somebody else's."""
    try:
        return refuse_unseen(_text(token, claim))
    except ValueError:
        raise _malformed(claim, "has characters in it that cannot be seen") from None


def _malformed(claim: str, how: str) -> Refused:
    return Refused(Rule.CLAIM, f"The directory's token is not usable: the claim {claim} {how}.")
