"""A directory of people that signs them in for one application: the parts behind the pages, without HTTP."""

import hmac
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from jitportal.demo.directory import authorization, refusals
from jitportal.demo.directory.authorization import Ask, Client
from jitportal.demo.directory.claims import TOKEN_LIFETIME, id_token_claims
from jitportal.demo.directory.codes import Codes
from jitportal.demo.directory.keys import SigningKeys
from jitportal.demo.directory.people import Person

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Directory:
    """One tenant with one registered application.

    `is_redirect_uri` says whether an address, compared whole, is one of the application's; those to return to
    after signing out are among them. `base_url` is where the pages are served, without a slash at its end,
    such as http://127.0.0.1:8000/directory. `clock` gives epoch seconds. `alter_claims` may change the claims
    of a token before it is signed: that is how a test makes a malformed one.
    """

    def __init__(
        self,
        *,
        tenant_id: str,
        client_id: str,
        client_secret: str,
        is_redirect_uri: Callable[[str], bool],
        people: Iterable[Person],
        base_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.tenant_id = tenant_id
        self.client = Client(client_id, client_secret, is_redirect_uri)
        self.people: dict[str, Person] = {person.object_id: person for person in people}
        self.base_url = base_url
        self.clock = clock
        self.alter_claims: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.keys = SigningKeys()
        self._codes = Codes()

    @property
    def issuer(self) -> str:
        return f"{self.base_url}/{self.tenant_id}/v2.0"

    def add(self, person: Person) -> None:
        """Puts a person in, or in place of the one with the same object id."""
        self.people[person.object_id] = person

    def rotate_keys(self) -> None:
        """Signs with a new key; tokens signed with the one before are still verifiable."""
        self.keys.rotate()

    def configuration(self) -> dict[str, Any]:
        """The OpenID Connect discovery document."""
        tenant = f"{self.base_url}/{self.tenant_id}"
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{tenant}/oauth2/v2.0/token",
            "end_session_endpoint": f"{tenant}/oauth2/v2.0/logout",
            "jwks_uri": f"{tenant}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile", "email"],
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "name",
                "oid",
                "tid",
                "ver",
            ],
            "request_uri_parameter_supported": False,
        }

    def person(self, object_id: str) -> Person:
        """Whom the picker's answer names. Raises Refused if that is nobody."""
        if object_id not in self.people:
            raise refusals.parameter_wrong("person", "names nobody in this directory")
        return self.people[object_id]

    def authorize(self, person: Person, ask: Ask) -> str:
        """A code for this person's answer."""
        return self._codes.issue(person, ask, self.clock())

    def exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The token endpoint: a code becomes an id token. Raises Refused."""
        for name in ("client_id", "grant_type"):
            if not form.get(name):
                raise refusals.parameter_missing(name)
        if form["client_id"] != self.client.client_id:
            raise refusals.client_unknown(form["client_id"], self.tenant_id)
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self.client.secret.encode()):
            raise refusals.secret_wrong(self.client.client_id)
        if form["grant_type"] != "authorization_code":
            raise refusals.grant_type_unsupported(form["grant_type"])
        for name in ("code", "redirect_uri", "code_verifier"):
            if not form.get(name):
                raise refusals.parameter_missing(name)
        if not _VERIFIER.fullmatch(form["code_verifier"]):
            raise refusals.parameter_wrong("code_verifier", "must be 43 to 128 unreserved characters")
        now = self.clock()
        issued = self._codes.redeem(
            form["code"], redirect_uri=form["redirect_uri"], verifier=form["code_verifier"], now=now
        )
        claims = id_token_claims(
            issued, issuer=self.issuer, tenant_id=self.tenant_id, client_id=self.client.client_id, now=now
        )
        return {
            "token_type": "Bearer",
            "scope": "openid profile email",
            "expires_in": TOKEN_LIFETIME,
            "ext_expires_in": TOKEN_LIFETIME,
            # There is no resource to read with it; clients insist on having one.
            "access_token": f"none.{issued.person.object_id}",
            "id_token": self.keys.sign(self.alter_claims(claims)),
        }

    def may_return_to(self, address: str) -> bool:
        """Whether a person who has signed out may be sent to this address."""
        return self.client.is_redirect_uri(address)

    def reply_address(self, parameters: Mapping[str, str]) -> str:
        """Where an authorization request may be answered. Raises Refused, to be shown to the person."""
        return authorization.reply_address(self.client, self.tenant_id, parameters)
