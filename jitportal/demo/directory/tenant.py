"""A directory of people that signs them in for one application: the parts behind the pages, without HTTP.

People and groups change while it runs, by its methods alone: each change goes into the journal that Graph tells of.
"""

import hmac
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from jitportal.demo.directory import authorization, refusals
from jitportal.demo.directory.authorization import Ask, Client
from jitportal.demo.directory.claims import TOKEN_LIFETIME, id_token_claims
from jitportal.demo.directory.codes import Codes
from jitportal.demo.directory.journal import Journal
from jitportal.demo.directory.keys import SigningKeys
from jitportal.demo.directory.people import Group, Person

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Directory:
    """One tenant with one registered application.

    `is_redirect_uri` says whether an address, compared whole, is one of the application's; those to return to
    after signing out are among them. `base_url` is where the pages are served, without a slash at its end,
    such as http://127.0.0.1:8000/directory. `clock` gives epoch seconds. `alter_claims` may change the claims
    of a token before it is signed: that is how a test makes a malformed one. `contexts` are the authentication
    contexts that the tenant has published.
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
        contexts: Iterable[str] = ("c1", "c2"),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.tenant_id = tenant_id
        self.client = Client(client_id, client_secret, is_redirect_uri)
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.journal = Journal()
        # App roles, by who is assigned them, people and groups; and those that are there and nobody has.
        self.assigned: dict[str, set[str]] = {}
        self.spare_roles: set[str] = set()
        for person in people:
            self.add(person)
        self.base_url = base_url
        self.contexts = frozenset(contexts)
        self.clock = clock
        self.alter_claims: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.keys = SigningKeys()
        self._codes = Codes()

    @property
    def issuer(self) -> str:
        return f"{self.base_url}/{self.tenant_id}/v2.0"

    @property
    def graph_url(self) -> str:
        """Where the directory is read as Microsoft Graph is, without the version."""
        return f"{self.base_url}/graph"

    def add(self, person: Person) -> None:
        """Puts a person in, or in place of the one with the same object id."""
        before = self.people.get(person.object_id)
        self.people[person.object_id] = person
        if before is None or before.roles != person.roles:
            self.assigned[person.object_id] = set(person.roles)
        self.journal.person_changed(person.object_id)
        left = set(before.groups if before else ()) - set(person.groups)
        for group in (*person.all_groups, *left):
            self.add_group(group)
        for group in (*(group for group in person.groups if not before or group not in before.groups), *left):
            self.journal.member_changed(group.object_id, person.object_id)

    def change(self, object_id: str, **changes: Any) -> None:
        """Changes a person: any field of Person. Raises KeyError if there is no such person."""
        self.add(replace(self.people[object_id], **changes))

    def remove(self, object_id: str) -> None:
        """Deletes a person with all their memberships. Raises KeyError if there is no such person."""
        person = self.people.pop(object_id)
        self.assigned.pop(object_id, None)
        self.journal.person_changed(object_id)
        for group in person.groups:
            self.journal.member_changed(group.object_id, object_id)
        for report in self.people.values():
            if report.manager == object_id:
                self.journal.person_changed(report.object_id)

    def set_member(self, group_id: str, object_id: str, *, is_member: bool) -> None:
        """Puts a person into a group or takes them out. Raises KeyError if one of them is not there."""
        group, person = self.groups[group_id], self.people[object_id]
        others = tuple(each for each in person.groups if each.object_id != group_id)
        self.add(replace(person, groups=(*others, group) if is_member else others))

    def assign_role(self, value: str, principal: str, *, is_assigned: bool) -> None:
        """Gives an app role to a person or a group, or takes it away. Raises KeyError if there is neither.

        As in Entra no delta query tells of it, and members of groups within the group do not get it.
        """
        if principal not in self.people and principal not in self.groups:
            raise KeyError(principal)
        held = self.assigned.setdefault(principal, set())
        (held.add if is_assigned else held.discard)(value)

    def holders_of(self, person: Person) -> tuple[str, ...]:
        """Whose app roles a person has: their own, and those of the groups that they are directly in."""
        return (person.object_id, *(group.object_id for group in person.groups))

    def roles_of(self, person: Person) -> list[str]:
        """The app roles that a person's token lists."""
        return sorted({value for holder in self.holders_of(person) for value in self.assigned.get(holder, ())})

    def rename_group(self, group_id: str, name: str) -> None:
        """Gives a group another name; its people stay. Raises KeyError if there is no such group."""
        self.groups[group_id] = replace(self.groups[group_id], name=name)
        self.journal.group_changed(group_id)

    def add_group(self, group: Group) -> None:
        """Makes a group that is not there yet, and those it is within; it has no people by that."""
        if group.object_id not in self.groups:
            self.groups[group.object_id] = group
            self.journal.group_changed(group.object_id)
            for outer in group.within:
                self.add_group(outer)
                self.journal.member_changed(outer.object_id, group.object_id)

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

    def authenticate(self, form: Mapping[str, str]) -> None:
        """Whether a token is asked for by the application itself. Raises Refused."""
        for name in ("client_id", "grant_type"):
            if not form.get(name):
                raise refusals.parameter_missing(name)
        if form["client_id"] != self.client.client_id:
            raise refusals.client_unknown(form["client_id"], self.tenant_id)
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self.client.secret.encode()):
            raise refusals.secret_wrong(self.client.client_id)

    def exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The token endpoint for sign-in: a code becomes an id token. Raises Refused."""
        self.authenticate(form)
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
            issued,
            roles=self.roles_of(issued.person),
            issuer=self.issuer,
            tenant_id=self.tenant_id,
            client_id=self.client.client_id,
            now=now,
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
