"""Reads every environment variable of the portal, strictly, and names what is wrong together with its remedy."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured
from environs import Env, ValidationError, validate
from environs.exceptions import EnvValidationError

from catalog import app_roles
from jitportal import surroundings

PROJECT: Final = Path(__file__).resolve().parent.parent

# The embedded directory and organisation are fixtures: their identifiers are public and open nothing but themselves.
EMBEDDED: Final = {
    "tenant": "7d3c9a52-0b61-4e1f-9d0e-5b1f2c3d4e5f",
    "client": "c1b2a3d4-5e6f-4a1b-8c2d-9e0f1a2b3c4d",
    "admins": "a0000000-0000-4000-8000-000000000001",
    "compliance": "a0000000-0000-4000-8000-000000000002",
    "instance": "arn:aws:sso:::instance/ssoins-ac24d6a727ca1d5f",
    "store": "d-becbaf4ad7",
}

REMEDIES: Final = {
    "JITPORTAL_MODE": "Use 'production', or 'embedded' for the demo and tests.",
    "DATA_DIR": "Name a folder that this user may write to.",
    "PORT": "Use a free port from 1024 to 65534.",
    "SIMULATOR_PORT": "Use a free port from 1024 to 65535, other than PORT.",
    "PORTAL_URL": "Give the address people type, such as https://access.example.com, without a path.",
    "SECRET_KEY": "Give at least 50 random characters: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
    "ALLOWED_HOSTS": "Give the host names of PORTAL_URL, with commas between them; no '*', and no dot in front.",
    "DATABASE_URL": "Give postgres://user:password@host:5432/name, PostgreSQL 15 or newer.",
    "REDIS_URL": "Give redis://host:6379/0 or rediss://…, Redis 7 or newer.",
    "EMAIL_URL": "Give smtp+tls://user:password@host:587, or leave it out: then no mail is sent.",
    "FROM_EMAIL": "Give the sender's address, such as access@example.com.",
    "ENTRA_TENANT_ID": "Give the directory (tenant) id, a GUID, from the app registration's overview; never 'common'.",
    "ENTRA_CLIENT_ID": "Give the application (client) id, a GUID, from the app registration's overview.",
    "ENTRA_CLIENT_SECRET": "Give the value of a client secret of the app registration.",
    "ENTRA_ADMIN_GROUP_ID": "Give the object id, a GUID, of the group whose members administer the catalog, "
    "or role: and the value of an app role.",
    "ENTRA_COMPLIANCE_GROUP_ID": "Give the object id, a GUID, of the group whose members read the audit pages, "
    "or role: and the value of an app role.",
    "ENTRA_GUESTS": "Use 'refused', or 'allowed' if guests of the tenant may sign in.",
    "AWS_REGION": "Give the home region of IAM Identity Center, such as eu-central-1.",
    "AWS_ENDPOINT_URL": "Leave it out for AWS; for a simulator give http://127.0.0.1:port.",
    "AWS_ROLE_ARN": "Give arn:aws:iam::<account>:role/<name>, or leave it out to use the worker's own credentials.",
    "IDENTITY_CENTER_INSTANCE_ARN": "Give arn:aws:sso:::instance/ssoins-…, from the Identity Center settings page.",
    "IDENTITY_STORE_ID": "Give d-…, from the Identity Center settings page.",
    "OUTSTANDING_CAP": "Use a whole number from 1 to 15: AWS refuses more operations at once.",
    "AWS_CALLS_PER_SECOND": "Use a whole number from 4 to 20: AWS refuses more calls a second.",
    "AUDIT_SIGNING_KEY": "Give 64 hexadecimal digits: python -c 'import secrets; print(secrets.token_hex(32))'",
    "REQUEST_LAPSES_AFTER_HOURS": "Use a whole number of hours from 1 to 720.",
    "LONGEST_LEAD_DAYS": "Use a whole number of days from 0 to 365.",
    "OVERDUE_AFTER_SECONDS": "Use a whole number of seconds from 10 to 3600.",
    "SESSION_IDLE_MINUTES": "Use a whole number of minutes from 5 to 720.",
    "SYNC_PEOPLE_MINUTES": "Use a whole number of minutes from 1 to 30.",
    "SYNC_MOST_LEAVERS": "Use a whole number of percent from 1 to 100.",
    "LOG_LEVEL": "Use DEBUG, INFO, WARNING or ERROR.",
}

_GUID: Final = validate.Regexp(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", error="Not a lower-case GUID.")
_GROUP: Final = validate.Regexp(
    rf"^([0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|{app_roles.PATTERN})\Z",
    error="Neither a lower-case GUID nor an app role.",
)
_FILLED: Final = validate.Length(min=1, error="It is empty.")
_LEAST_DISTINCT: Final = 10
_ELSEWHERE: Final = (
    "It names another machine, and embedded mode is a demo on this one. "
    "Set JITPORTAL_MODE=production if this is production; otherwise leave this variable out."
)
_NOT_AWS: Final = "Production talks to AWS itself. Take this variable away."


@dataclass(frozen=True)
class Environment:
    """What the environment says, parsed and checked."""

    embedded: bool
    data_dir: Path
    port: int
    simulator_port: int
    portal_url: str
    secret_key: str
    allowed_hosts: list[str]
    database: dict[str, Any]
    redis_url: str
    email: dict[str, Any] | None
    from_email: str
    issuer: str
    graph_url: str
    tenant_id: str
    client_id: str
    client_secret: str
    admin_group: str
    compliance_group: str
    guests_allowed: bool
    aws_region: str
    aws_endpoint: str
    aws_role_arn: str
    instance_arn: str
    identity_store: str
    outstanding_cap: int
    calls_per_second: int
    audit_signing_key: str
    request_lapses_after: timedelta
    longest_lead: timedelta
    overdue_after: timedelta
    session_idle: timedelta
    sync_people_minutes: int
    sync_most_leavers: int
    log_level: str


def read() -> Environment:
    """The process's environment, or ImproperlyConfigured with a line for every variable that is wrong."""
    env = Env(eager=False)
    mode = env.str("JITPORTAL_MODE", "embedded", validate=validate.OneOf(["embedded", "production"]))
    embedded = mode != "production"
    data_dir = Path(env.str("DATA_DIR", str(PROJECT / ".data"), validate=_FILLED) or ".").absolute()
    port = env.int("PORT", 8000, validate=validate.Range(1024, 65534)) or 8000
    own = _embedded_values(data_dir, port) if embedded else {}

    def text(name: str, *checks: Any, default: str | None = None) -> str:
        fallback = own.get(name, default)
        options: dict[str, Any] = {} if fallback is None else {"default": fallback}
        return env.str(name, validate=list(checks) or None, **options) or ""

    tenant = text("ENTRA_TENANT_ID", _GUID)
    portal_url = text("PORTAL_URL", _origin if embedded else _https_origin).rstrip("/")
    redis_url = text("REDIS_URL", _redis(embedded))
    found = Environment(
        embedded=embedded,
        data_dir=data_dir,
        port=port,
        simulator_port=env.int("SIMULATOR_PORT", port + 1, validate=[validate.Range(1024, 65535), _other_than(port)])
        or 0,
        portal_url=portal_url,
        secret_key=text("SECRET_KEY", validate.Length(min=50, error="Shorter than 50 characters."), _random),
        allowed_hosts=[host.strip() for host in text("ALLOWED_HOSTS", _hosts).split(",") if host.strip()],
        database=_parsed(text("DATABASE_URL", _database(embedded)), dj_database_url.parse) or {},
        redis_url=redis_url,
        email=_parsed(text("EMAIL_URL", _email, default=""), dj_email_url.parse),
        from_email=text("FROM_EMAIL", validate.Email(), default="jitportal@localhost.localdomain"),
        issuer=f"{portal_url}/directory/{tenant}/v2.0"
        if embedded
        else f"https://login.microsoftonline.com/{tenant}/v2.0",
        graph_url=f"{portal_url}/directory/graph" if embedded else "https://graph.microsoft.com",
        tenant_id=tenant,
        client_id=text("ENTRA_CLIENT_ID", _GUID),
        client_secret=text("ENTRA_CLIENT_SECRET", _not_blank),
        admin_group=text("ENTRA_ADMIN_GROUP_ID", _GROUP),
        compliance_group=text("ENTRA_COMPLIANCE_GROUP_ID", _GROUP),
        guests_allowed=env.str("ENTRA_GUESTS", "refused", validate=validate.OneOf(["refused", "allowed"])) == "allowed",
        aws_region=text("AWS_REGION", validate.Regexp(r"^[a-z]{2}(-[a-z]+)+-\d\Z", error="Not a region.")),
        aws_endpoint=text("AWS_ENDPOINT_URL", _simulator if embedded else _nothing, default=""),
        aws_role_arn=text(
            "AWS_ROLE_ARN",
            validate.Regexp(r"^$|^arn:aws[a-z-]*:iam::\d{12}:role/\S+\Z", error="Not a role's ARN."),
            default="",
        ),
        instance_arn=text(
            "IDENTITY_CENTER_INSTANCE_ARN",
            validate.Regexp(r"^arn:aws[a-z-]*:sso:::instance/(sso)?ins-[0-9a-f]{16}\Z", error="Not an instance's ARN."),
        ),
        identity_store=text(
            "IDENTITY_STORE_ID", validate.Regexp(r"^d-[0-9a-f]{10}\Z", error="Not an identity store's id.")
        ),
        # A simulator's limits can be lifted, and benches do; AWS's cannot.
        outstanding_cap=env.int("OUTSTANDING_CAP", 10, validate=validate.Range(1, 1000 if embedded else 15)) or 0,
        calls_per_second=env.int("AWS_CALLS_PER_SECOND", 18, validate=validate.Range(4, 10000 if embedded else 20))
        or 0,
        audit_signing_key=text("AUDIT_SIGNING_KEY", _signing_key),
        request_lapses_after=timedelta(
            hours=env.int("REQUEST_LAPSES_AFTER_HOURS", 72, validate=validate.Range(1, 720)) or 0
        ),
        longest_lead=timedelta(days=env.int("LONGEST_LEAD_DAYS", 30, validate=validate.Range(0, 365)) or 0),
        overdue_after=timedelta(seconds=env.int("OVERDUE_AFTER_SECONDS", 60, validate=validate.Range(10, 3600)) or 0),
        session_idle=timedelta(minutes=env.int("SESSION_IDLE_MINUTES", 60, validate=validate.Range(5, 720)) or 0),
        sync_people_minutes=env.int("SYNC_PEOPLE_MINUTES", 5, validate=validate.Range(1, 30)) or 0,
        sync_most_leavers=env.int("SYNC_MOST_LEAVERS", 10, validate=validate.Range(1, 100)) or 0,
        log_level=env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])) or "",
    )
    wrong = _wrong_together(found)
    try:
        env.seal()
    except EnvValidationError as each:
        # What is wrong by itself is said alone: that it does not go with another either helps nobody.
        wrong |= cast("dict[str, list[str]]", each.error_messages)
    if wrong:
        raise ImproperlyConfigured(_explained(wrong))
    return found


def _explained(wrong: dict[str, list[str]]) -> str:
    """One line a variable: what is wrong, then what to do; values are not repeated, they may be secrets."""
    lines = ["These environment variables stop jitportal from starting:"]
    for name, messages in sorted(wrong.items()):
        said = " ".join(str(message) for message in messages)
        remedy = "" if said in (_ELSEWHERE, _NOT_AWS) else REMEDIES.get(name, "")
        lines.append(f"  {name}: {said} {remedy}".rstrip())
    return "\n".join(lines)


def _wrong_together(found: Environment) -> dict[str, list[str]]:
    """What no variable shows by itself: misspelt names, hosts of other machines, values that do not go together."""
    wrong: dict[str, list[str]] = {}
    for name, meant in surroundings.misspelt(os.environ, REMEDIES).items():
        hint = f"Did you mean {meant}?" if meant else f"Known are: {', '.join(sorted(REMEDIES))}."
        wrong[name] = [f"It is not a variable of jitportal. {hint} Rename it or take it away."]
    host = surroundings.host_of(found.portal_url)
    if host and host not in {name.lower().strip("[]") for name in found.allowed_hosts}:
        wrong["ALLOWED_HOSTS"] = ["The host of PORTAL_URL is not among them."]
    if found.admin_group and found.admin_group == found.compliance_group:
        wrong["ENTRA_COMPLIANCE_GROUP_ID"] = ["The same as ENTRA_ADMIN_GROUP_ID: nobody should audit themselves."]
    if found.embedded:
        here = {
            "PORTAL_URL": surroundings.is_this_machine(host),
            "DATABASE_URL": surroundings.database_is_here(found.database, os.environ),
            "REDIS_URL": surroundings.redis_is_here(found.redis_url),
        }
        wrong |= {name: [_ELSEWHERE] for name, is_here in here.items() if not is_here}
    else:
        wrong |= {name: [_NOT_AWS] for name in surroundings.aws_elsewhere(os.environ)}
    return wrong


def _embedded_values(data_dir: Path, port: int) -> dict[str, str]:
    """The variables that embedded mode fills by itself; secrets are drawn once and kept beside the database."""
    simulator = os.environ.get("SIMULATOR_PORT", "") or str(port + 1)
    return {
        "PORTAL_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": _kept_secret(data_dir / "secret_key", 50),
        "AUDIT_SIGNING_KEY": _kept_secret(data_dir / "audit_signing_key", 32),
        "ENTRA_CLIENT_SECRET": _kept_secret(data_dir / "client_secret", 24),
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
        "DATABASE_URL": f"sqlite:///{data_dir / 'jitportal.sqlite3'}",
        "REDIS_URL": "",
        "ENTRA_TENANT_ID": EMBEDDED["tenant"],
        "ENTRA_CLIENT_ID": EMBEDDED["client"],
        "ENTRA_ADMIN_GROUP_ID": EMBEDDED["admins"],
        "ENTRA_COMPLIANCE_GROUP_ID": EMBEDDED["compliance"],
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{simulator}",
        "IDENTITY_CENTER_INSTANCE_ARN": EMBEDDED["instance"],
        "IDENTITY_STORE_ID": EMBEDDED["store"],
    }


def _kept_secret(path: Path, size: int) -> str:
    """The secret in the file, drawn when the file is new; readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Linked into place whole: two first starts at once must read the same secret, and never half of one.
        if not path.exists():
            draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_hex(size))
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"DATA_DIR: {path.parent} cannot be used ({error.strerror}). {REMEDIES['DATA_DIR']}"
        ) from None


def _origin(url: str) -> None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what finds a port that is none
    except ValueError:
        raise ValidationError("Not an origin.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or set("?#@") & set(url):
        raise ValidationError("Not an origin.")


def _https_origin(url: str) -> None:
    _origin(url)
    if urlsplit(url).scheme != "https":
        raise ValidationError("Sign-in cookies need https.")


def _hosts(text: str) -> None:
    hosts = [host.strip() for host in text.split(",")]
    if not all(hosts) or any("*" in host or "/" in host or host.startswith(".") for host in hosts):
        raise ValidationError("Not a list of host names.")


def _random(text: str) -> None:
    if len(set(text)) < _LEAST_DISTINCT:
        raise ValidationError(f"Fewer than {_LEAST_DISTINCT} different characters.")


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ValidationError("It is empty.")


def _redis(embedded: bool) -> Any:
    def check(url: str) -> None:
        try:
            urlsplit(url)
        except ValueError:
            raise ValidationError("Not a Redis URL.") from None
        if urlsplit(url).scheme not in ("redis", "rediss", "unix") and not (embedded and not url):
            raise ValidationError("Not a Redis URL.")

    return check


def _simulator(url: str) -> None:
    if not surroundings.is_this_machine(surroundings.host_of(url)):
        raise ValidationError("Embedded mode talks to a simulator on this machine only.")


def _nothing(url: str) -> None:
    if url:
        raise ValidationError("Production talks to AWS itself.")


def _other_than(port: int) -> Any:
    def check(value: int) -> None:
        if value == port:
            raise ValidationError("The same as PORT.")

    return check


def _signing_key(text: str) -> None:
    try:
        Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
    except ValueError:
        raise ValidationError("Not a 32-byte key in hexadecimal.") from None


def _parsed(url: str, parse: Any) -> dict[str, Any] | None:
    """The URL as Django's settings have it; None when there is none or it cannot be read (a validator has said so)."""
    try:
        return dict(parse(url)) if url else None
    except (ValueError, KeyError):
        return None


def _email(url: str) -> None:
    if url and not (_parsed(url, dj_email_url.parse) or {}).get("EMAIL_BACKEND"):
        raise ValidationError("Not a mail server's URL.")


def _database(embedded: bool) -> Any:
    allowed = {"django.db.backends.postgresql"} | ({"django.db.backends.sqlite3"} if embedded else set())

    def check(url: str) -> None:
        if (_parsed(url, dj_database_url.parse) or {}).get("ENGINE") not in allowed:
            raise ValidationError("Not a database that jitportal runs on.")

    return check
