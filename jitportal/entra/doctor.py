"""Whether the tenant is set up as the portal needs it: each thing asked for itself, with what to do where it is not."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final

import jwt
import requests
from django.conf import settings
from django.urls import reverse

from catalog import app_roles
from catalog.models import AccessPolicy, ApprovalStage, DirectoryGroup
from catalog.offers import departments_of
from jitportal.entra import registration
from jitportal.entra.calls import Calls
from jitportal.entra.errors import Forbidden, GraphError
from jitportal.entra.graph import MEMBERS, PEOPLE, Graph, Kind
from jitportal.entra.remedies import Remedy
from jitportal.models import User
from jitportal.people import known_groups

PATIENCE: Final = 10.0
# As much as a token's times may differ from ours.
_LEEWAY: Final = timedelta(minutes=1)
_READS_ALL: Final = "Directory.Read.All"
_PERMISSIONS: Final[tuple[tuple[str, Kind], ...]] = ((PEOPLE, "users"), (MEMBERS, "groups"))
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")


class State(StrEnum):
    """What came of a check; what could not be asked is neither right nor wrong."""

    OK = "ok"
    MISSING = "missing"
    UNASKED = "could not ask"


@dataclass(frozen=True)
class Check:
    """What was looked at, what came of it in a few words, and what to do about it unless it is as it should be."""

    what: str
    state: State
    said: str
    remedy: str = ""


def examine(patience: float = PATIENCE) -> Iterator[Check]:
    """Every check in turn, each with so many seconds' patience; what leans on something not there is left out."""
    calls = Calls(patience)
    config: dict[str, Any] = {}
    yield from _asked("Discovery document", Remedy.TENANT, partial(_discovery, calls, config))
    if config:
        yield from _asked("Signing keys", Remedy.TENANT, partial(_keys, calls, config["jwks_uri"]))
        for name in ("openid_connect_callback", "sign-in"):
            address = settings.PORTAL_URL + reverse(name, args=["entra"] if name != "sign-in" else [])
            yield from _asked(
                f"Redirect address {address}",
                Remedy.REDIRECT,
                partial(_redirect, calls, config["authorization_endpoint"], address),
            )
    granted: list[frozenset[str] | None] = []
    yield from _asked("Client secret", Remedy.RENEW, partial(_secret, calls, granted))
    if not granted:
        return
    graph = Graph(patience)
    for permission, kind in _PERMISSIONS:
        yield from _asked(
            f"Permission {permission}",
            Remedy.PERMISSION,
            partial(_permission, graph, permission, kind, granted[0]),
        )
    yield from _asked("Groups", Remedy.GROUP, partial(_groups, graph))
    if departments := _departments_used():
        yield from _asked("Departments", Remedy.PERMISSION, partial(_departments, graph, departments))
    if _managers_used():
        yield from _asked("Managers", Remedy.PERMISSION, partial(_managers, graph))
    if roles := app_roles.among(known_groups()):
        yield from _asked("App roles", Remedy.ROLES_PERMISSION, partial(_roles, graph, roles))
    yield from _optional("Authentication contexts", Remedy.CONTEXTS_UNASKED, partial(_contexts, calls))
    yield from _optional("App registration", Remedy.REGISTRATION_UNASKED, partial(_registration, calls))


def _asked(what: str, remedy: Remedy, ask: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The checks, or that the directory refused them, or that nobody can say."""
    try:
        yield from ask()
    except Forbidden as error:
        yield Check(what, State.MISSING, error.message, remedy)
    except (GraphError, requests.RequestException) as error:
        yield Check(what, State.UNASKED, _words(error), Remedy.UNREACHABLE)


def _optional(what: str, remedy: Remedy, ask: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """As `_asked`, where the portal itself needs no permission to ask: a refusal means only that nobody can say."""
    try:
        yield from ask()
    except (GraphError, requests.RequestException) as error:
        yield Check(what, State.UNASKED, _words(error), remedy)


def _words(error: Exception) -> str:
    return error.message if isinstance(error, GraphError) else f"No answer came ({type(error).__name__})."


def _discovery(calls: Calls, config: dict[str, Any]) -> Iterator[Check]:
    what = "Discovery document"
    answer = calls.fetch(f"{settings.ENTRA_ISSUER}/.well-known/openid-configuration")
    body = calls.body_of(answer)
    lacking = [name for name in _ENDPOINTS if not isinstance(body.get(name), str)]
    if not answer.ok:
        said = str(body.get("error_description") or f"HTTP {answer.status_code}")
        yield Check(what, State.MISSING, f"The directory has none for this tenant: {said[:200]}", Remedy.TENANT)
    elif body.get("issuer") != settings.ENTRA_ISSUER:
        yield Check(what, State.MISSING, f"It is another issuer's: {str(body.get('issuer'))[:200]}", Remedy.TENANT)
    elif lacking:
        yield Check(what, State.MISSING, f"It lacks {', '.join(lacking)}.", Remedy.TENANT)
    else:
        config.update(body)
        yield Check(what, State.OK, f"the issuer is {settings.ENTRA_ISSUER}")
    if date := answer.headers.get("Date"):
        off = abs(parsedate_to_datetime(date) - datetime.now(UTC))
        if off > _LEEWAY:
            yield Check("Clock", State.MISSING, f"This machine is {int(off.total_seconds())} s off.", Remedy.CLOCK)
        else:
            yield Check("Clock", State.OK, "this machine's clock and the directory's agree")


def _keys(calls: Calls, address: str) -> Iterator[Check]:
    keys = calls.body_of(calls.fetch(address)).get("keys")
    usable = (
        [key for key in keys if isinstance(key, dict) and key.get("kty") == "RSA" and key.get("kid")] if keys else []
    )
    if usable:
        yield Check("Signing keys", State.OK, f"{len(usable)} are published")
    else:
        yield Check("Signing keys", State.MISSING, "None is published that signs tokens with RS256.", Remedy.TENANT)


def _redirect(calls: Calls, endpoint: str, address: str) -> Iterator[Check]:
    """The directory sends nobody to an address that is not registered, not even with an error."""
    what = f"Redirect address {address}"
    asked = {
        "client_id": registration.app()["client_id"],
        "response_type": "code",
        "response_mode": "query",
        "redirect_uri": address,
        "scope": "openid",
        "prompt": "none",
        "state": "doctor",
        "nonce": "doctor",
        "code_challenge": secrets.token_urlsafe(32),
        "code_challenge_method": "S256",
    }
    answer = calls.fetch(endpoint, asked)
    if answer.headers.get("Location", "").startswith(address):
        yield Check(what, State.OK, "is registered")
    elif "AADSTS50011" in answer.text:
        yield Check(what, State.MISSING, "It is not registered (AADSTS50011).", Remedy.REDIRECT)
    elif "AADSTS700016" in answer.text:
        yield Check(what, State.MISSING, "The tenant has no such application (AADSTS700016).", Remedy.CLIENT)
    else:
        said = f"The answer is HTTP {answer.status_code}, which tells neither."
        yield Check(what, State.UNASKED, said, Remedy.REDIRECT)


def _secret(calls: Calls, granted: list[frozenset[str] | None]) -> Iterator[Check]:
    token = calls.own_token()
    try:
        roles = jwt.decode(token, options={"verify_signature": False}).get("roles", [])
    except jwt.PyJWTError:
        # The token is Graph's to read; whether it permits what it should, Graph then says.
        roles = None
    granted.append(frozenset(map(str, roles)) if isinstance(roles, list) else None)
    yield Check("Client secret", State.OK, "the directory gives the application a token of its own")


def _permission(graph: Graph, permission: str, kind: Kind, granted: frozenset[str] | None) -> Iterator[Check]:
    what = f"Permission {permission}"
    if granted is not None and not granted & {permission, _READS_ALL}:
        yield Check(what, State.MISSING, "The application's token (claim roles) does not have it.", Remedy.PERMISSION)
        return
    graph.from_now(kind)
    yield Check(what, State.OK, f"Graph tells the application of {kind}")


def _groups(graph: Graph) -> Iterator[Check]:
    named = {row.object_id: f"“{row.name}” of the catalog" for row in DirectoryGroup.objects.all()}
    named |= {
        settings.ENTRA_ADMIN_GROUP_ID: "ENTRA_ADMIN_GROUP_ID",
        settings.ENTRA_COMPLIANCE_GROUP_ID: "ENTRA_COMPLIANCE_GROUP_ID",
    }
    known = {each for each in known_groups() if not each.startswith(app_roles.PREFIX)}
    found = graph.group_names(known)
    gone = sorted(known - found.keys())
    for object_id in gone:
        said = f"The directory has no group {object_id} ({named[object_id]})."
        yield Check("Groups", State.MISSING, said, Remedy.GROUP)
    if not gone:
        yield Check("Groups", State.OK, f"all {len(known)} of the settings and the catalog are there")


def _departments_used() -> dict[str, str]:
    """The departments that policies in force name, and one policy of each."""
    policies = AccessPolicy.objects.filter(is_in_force=True).order_by("-name")
    return {department: policy.name for policy in policies for department in departments_of(policy)}


def _departments(graph: Graph, used: dict[str, str]) -> Iterator[Check]:
    missing = False
    for department, policy in sorted(used.items()):
        written = graph.departments_like(department)
        if department in written:
            continue
        missing = True
        said = f"The directory has nobody in the department “{department}”, which “{policy}” names"
        others = f"; it writes {', '.join(f'“{each}”' for each in sorted(written))}" if written else ""
        yield Check("Departments", State.MISSING, f"{said}{others}.", Remedy.DEPARTMENT)
    if not missing:
        yield Check("Departments", State.OK, f"all {len(used)} that policies name are there, and told by the sync")


def _managers_used() -> bool:
    """Whether a policy in force has a stage that the requester's manager decides."""
    stages = ApprovalStage.objects.filter(approver_group__is_requesters_manager=True, policy__is_in_force=True)
    return stages.exists()


def _managers(graph: Graph) -> Iterator[Check]:
    """Whether anybody has one, of those whom the portal knows; one of them is asked about, to see that it is told."""
    people = User.objects.filter(is_active=True, tenant_id=settings.ENTRA_TENANT_ID)
    having = people.exclude(manager_object_id="")
    if person := having.first() or people.first():
        graph.person(person.object_id)
    said = f"of {having.count()} of the {people.count()} people known here the directory has told one"
    if having.exists() or not people.exists():
        yield Check("Managers", State.OK, said)
    else:
        yield Check("Managers", State.MISSING, "The directory has told no manager of anybody here.", Remedy.MANAGER)


def _roles(graph: Graph, wanted: frozenset[str]) -> Iterator[Check]:
    there = graph.app_roles.defined()
    for role in sorted(wanted - there):
        yield Check("App roles", State.MISSING, f"The registration has no enabled role for {role}.", Remedy.ROLE)
    graph.app_roles.digest()
    if wanted <= there:
        yield Check("App roles", State.OK, f"all {len(wanted)} of the settings and the catalog are there")


def _contexts(calls: Calls) -> Iterator[Check]:
    what = "Authentication contexts"
    policies = AccessPolicy.objects.filter(is_in_force=True, step_up_context__gt="").order_by("name")
    demanded = {policy.step_up_context or "": policy.name for policy in reversed(policies)}
    if not demanded:
        yield Check(what, State.OK, "no access policy demands one")
        return
    published = registration.published_contexts(calls)
    for context, name in sorted(demanded.items()):
        if context in published:
            yield Check(what, State.OK, f"{context.upper()} is published")
        else:
            said = f"{context.upper()}, which “{name}” demands, is not published to apps."
            yield Check(what, State.MISSING, said, Remedy.CONTEXT)


def _registration(calls: Calls) -> Iterator[Check]:
    told = registration.read(calls)
    if told.sends_groups:
        yield Check("Groups claim", State.OK, "tokens carry the groups")
    else:
        yield Check("Groups claim", State.MISSING, "Tokens carry no groups.", Remedy.GROUPS_CLAIM)
    for claim in registration.WANTED:
        if claim in told.optional_claims:
            yield Check(f"Optional claim {claim}", State.OK, "is in the ID token")
        else:
            said = f"The ID token does not carry it: {registration.WANTED[claim]}."
            yield Check(f"Optional claim {claim}", State.MISSING, said, Remedy.CLAIMS)
    if told.secret_ends and told.secret_ends < datetime.now(UTC) + registration.SOON:
        yield Check("Secret’s end", State.MISSING, f"It runs out on {told.secret_ends:%Y-%m-%d}.", Remedy.RENEW)
    elif told.secret_ends:
        yield Check("Secret’s end", State.OK, f"it is good until {told.secret_ends:%Y-%m-%d}")
