"""Verifies an id token against the directory's published keys."""

from collections.abc import Mapping
from typing import Any, Final

import jwt

from jitportal.signin.refusals import BEGIN_AGAIN, Refused, Rule

# The directory's clock and ours may differ by this many seconds.
_LEEWAY: Final = 60
_REQUIRED: Final = ["aud", "exp", "iat", "iss", "sub"]


def verified(id_token: object, keys: object, *, issuer: str, client_id: str) -> dict[str, Any]:
    """The claims of a token that the directory signed for this portal, and that is valid now.

    `keys` is the directory's JWK set. allauth trusts a token that came over the back channel and skips its
    signature; here it is always verified, so that neither a proxy nor a wrong address can make people up.
    Raises Refused.
    """
    if not isinstance(id_token, str):
        raise _refused("came without an id token")
    try:
        claims = jwt.decode(
            id_token,
            _key(id_token, keys),
            algorithms=["RS256"],
            audience=client_id,
            issuer=issuer,
            leeway=_LEEWAY,
            options={"require": _REQUIRED},
        )
    except jwt.ExpiredSignatureError:
        raise _refused("has expired (claim exp)") from None
    except jwt.ImmatureSignatureError:
        raise _refused("is not valid yet (claim nbf or iat)") from None
    except jwt.InvalidAudienceError:
        raise _refused("is for another application (claim aud)") from None
    except jwt.InvalidIssuerError:
        raise Refused(Rule.ISSUER, "The token (claim iss) was not issued by this portal's directory.") from None
    except jwt.MissingRequiredClaimError as missing:
        raise _refused(f"lacks the claim {missing.claim}") from None
    except jwt.PyJWTError:
        raise _refused("is not signed by this portal's directory") from None
    # A list that contains us beside others is valid OpenID Connect, and nothing that Entra sends.
    if claims["aud"] != client_id:
        raise _refused("is for another application (claim aud)")
    return claims


def _key(id_token: str, keys: object) -> jwt.PyJWK:
    key_id = jwt.get_unverified_header(id_token).get("kid")
    published = keys.get("keys", []) if isinstance(keys, Mapping) else []
    for key in published if isinstance(published, list) else []:
        if key_id is not None and isinstance(key, Mapping) and key.get("kid") == key_id:
            return jwt.PyJWK(dict(key), algorithm="RS256")
    raise jwt.InvalidKeyError("No published key has this id.")


def _refused(how: str) -> Refused:
    return Refused(Rule.TOKEN, f"The directory's answer {how}.", BEGIN_AGAIN)
