"""Reads and judges what an application asks of the authorize endpoint."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from jitportal.demo.directory import refusals

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_PROMPTS: Final = frozenset({"", "login", "select_account", "none"})


@dataclass(frozen=True)
class Client:
    """The one application that is registered, and which addresses it may be answered at."""

    client_id: str
    secret: str
    is_redirect_uri: Callable[[str], bool]


@dataclass(frozen=True)
class Ask:
    """A valid authorization request; `contexts` are the authentication contexts asked for as `acrs`."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    prompt: str
    login_hint: str
    contexts: tuple[str, ...]


def reply_address(client: Client, tenant_id: str, parameters: Mapping[str, str]) -> str:
    """Where this request may be answered. Raises Refused, to be shown and never sent on."""
    client_id = parameters.get("client_id", "")
    if not client_id:
        raise refusals.parameter_missing("client_id")
    if client_id != client.client_id:
        raise refusals.client_unknown(client_id, tenant_id)
    redirect_uri = parameters.get("redirect_uri", "")
    if not redirect_uri:
        raise refusals.parameter_missing("redirect_uri")
    if not client.is_redirect_uri(redirect_uri):
        raise refusals.redirect_uri_unknown(redirect_uri, client_id)
    return redirect_uri


def read(redirect_uri: str, parameters: Mapping[str, str], published: Collection[str]) -> Ask:
    """The request in full; `published` are the tenant's authentication contexts.

    Raises Refused, to be sent to the reply address, where Entra would.
    """
    response_type = parameters.get("response_type", "")
    if not response_type:
        raise refusals.parameter_missing("response_type")
    if response_type != "code":
        raise refusals.response_type_unsupported(response_type)
    if parameters.get("response_mode", "query") != "query":
        raise refusals.parameter_wrong("response_mode", "must be 'query'")
    if "openid" not in parameters.get("scope", "").split():
        raise refusals.parameter_wrong("scope", "must contain 'openid'")
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise refusals.challenge_missing()
    prompt = parameters.get("prompt", "")
    if prompt not in _PROMPTS:
        raise refusals.parameter_wrong("prompt", "must be 'login', 'select_account' or 'none'")
    # Nobody stays signed in here, or changing places in a demo would take two steps each time.
    if prompt == "none":
        raise refusals.nobody_signed_in()
    longest_age = parameters.get("max_age", "")
    # Everybody signs in anew here, so that no age is too short.
    if longest_age and not (longest_age.isascii() and longest_age.isdecimal()):
        raise refusals.parameter_wrong("max_age", "must be a whole number of seconds")
    contexts = _contexts(parameters.get("claims", ""))
    if unknown := [context for context in contexts if context not in published]:
        raise refusals.parameter_wrong("claims", f"names an authentication context that is not published: {unknown[0]}")
    return Ask(
        redirect_uri=redirect_uri,
        state=parameters.get("state", ""),
        nonce=parameters.get("nonce", ""),
        challenge=challenge,
        prompt=prompt,
        login_hint=parameters.get("login_hint", ""),
        contexts=contexts,
    )


def _contexts(claims: str) -> tuple[str, ...]:
    """The authentication contexts in a `claims` parameter (OpenID Connect Core 5.5), none if it has none."""
    if not claims:
        return ()
    wrong = refusals.parameter_wrong("claims", 'must be a JSON object such as {"id_token": {"acrs": {"value": "c1"}}}')
    try:
        asked = json.loads(claims)["id_token"]["acrs"]
        values = asked["values"] if "values" in asked else [asked["value"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise wrong from None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise wrong
    return tuple(values)
