"""Reads every environment variable of the portal, strictly, and names what is wrong together with its remedy."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import dj_database_url
import dj_email_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, validate
from environs.exceptions import EnvValidationError

from jitportal import surroundings, variables

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
    sensitive_from: int | None
    aws_region: str
    aws_endpoint: str
    aws_role_arn: str
    instance_arn: str
    identity_store: str
    access_portal: str
    outstanding_cap: int
    calls_per_second: int
    audit_signing_key: str
    request_lapses_after: timedelta
    longest_lead: timedelta
    overdue_after: timedelta
    session_idle: timedelta
    sync_people_minutes: int
    sync_most_leavers: int
    ticket_webhook_url: str
    ticket_webhook_secret: str
    log_level: str


def read() -> Environment:
    """The process's environment, or ImproperlyConfigured with a line for every variable that is wrong."""
    env = Env(eager=False)
    mode = env.str("JITPORTAL_MODE", "embedded", validate=validate.OneOf(["embedded", "production"]))
    embedded = mode != "production"
    data_dir = Path(env.str("DATA_DIR", str(PROJECT / ".data"), validate=variables.FILLED) or ".").absolute()
    port = env.int("PORT", 8000, validate=validate.Range(1024, 65534)) or 8000
    own = _embedded_values(data_dir, port) if embedded else {}

    def text(name: str, *checks: Any, default: str | None = None) -> str:
        fallback = own.get(name, default)
        options: dict[str, Any] = {} if fallback is None else {"default": fallback}
        return env.str(name, validate=list(checks) or None, **options) or ""

    tenant = text("ENTRA_TENANT_ID", variables.GUID)
    portal_url = text("PORTAL_URL", variables.origin if embedded else variables.https_origin).rstrip("/")
    redis_url = text("REDIS_URL", variables.redis(embedded))
    found = Environment(
        embedded=embedded,
        data_dir=data_dir,
        port=port,
        simulator_port=env.int(
            "SIMULATOR_PORT", port + 1, validate=[validate.Range(1024, 65535), variables.other_than(port)]
        )
        or 0,
        portal_url=portal_url,
        secret_key=text("SECRET_KEY", validate.Length(min=50, error="Shorter than 50 characters."), variables.drawn),
        allowed_hosts=[host.strip() for host in text("ALLOWED_HOSTS", variables.hosts).split(",") if host.strip()],
        database=variables.parsed(text("DATABASE_URL", variables.database(embedded)), dj_database_url.parse) or {},
        redis_url=redis_url,
        email=variables.parsed(text("EMAIL_URL", variables.email, default=""), dj_email_url.parse),
        from_email=text("FROM_EMAIL", validate.Email(), default="jitportal@localhost.localdomain"),
        issuer=f"{portal_url}/directory/{tenant}/v2.0"
        if embedded
        else f"https://login.microsoftonline.com/{tenant}/v2.0",
        graph_url=f"{portal_url}/directory/graph" if embedded else "https://graph.microsoft.com",
        tenant_id=tenant,
        client_id=text("ENTRA_CLIENT_ID", variables.GUID),
        client_secret=text("ENTRA_CLIENT_SECRET", variables.not_blank),
        admin_group=text("ENTRA_ADMIN_GROUP_ID", variables.GROUP),
        compliance_group=text("ENTRA_COMPLIANCE_GROUP_ID", variables.GROUP),
        guests_allowed=env.str("ENTRA_GUESTS", "refused", validate=validate.OneOf(["refused", "allowed"])) == "allowed",
        sensitive_from=variables.SENSITIVE_FROM.get(
            env.str("SENSITIVE_FROM", "production", validate=validate.OneOf([*variables.SENSITIVE_FROM])) or ""
        ),
        aws_region=text("AWS_REGION", validate.Regexp(r"^[a-z]{2}(-[a-z]+)+-\d\Z", error="Not a region.")),
        aws_endpoint=text("AWS_ENDPOINT_URL", variables.simulator if embedded else variables.nothing, default=""),
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
        access_portal=text(
            "AWS_ACCESS_PORTAL_URL",
            *([] if embedded else [variables.page]),
            default=f"{portal_url}/directory/access-portal" if embedded else "",
        ).rstrip("/"),
        # A simulator's limits can be lifted, and benches do; AWS's cannot.
        outstanding_cap=env.int("OUTSTANDING_CAP", 10, validate=validate.Range(1, 1000 if embedded else 15)) or 0,
        calls_per_second=env.int("AWS_CALLS_PER_SECOND", 18, validate=validate.Range(4, 10000 if embedded else 20))
        or 0,
        audit_signing_key=text("AUDIT_SIGNING_KEY", variables.signing_key),
        request_lapses_after=timedelta(
            hours=env.int("REQUEST_LAPSES_AFTER_HOURS", 72, validate=validate.Range(1, 720)) or 0
        ),
        longest_lead=timedelta(days=env.int("LONGEST_LEAD_DAYS", 30, validate=validate.Range(0, 365)) or 0),
        overdue_after=timedelta(seconds=env.int("OVERDUE_AFTER_SECONDS", 60, validate=validate.Range(10, 3600)) or 0),
        session_idle=timedelta(minutes=env.int("SESSION_IDLE_MINUTES", 60, validate=validate.Range(5, 720)) or 0),
        sync_people_minutes=env.int("SYNC_PEOPLE_MINUTES", 5, validate=validate.Range(1, 30)) or 0,
        sync_most_leavers=env.int("SYNC_MOST_LEAVERS", 10, validate=validate.Range(1, 100)) or 0,
        ticket_webhook_url=text("TICKET_WEBHOOK_URL", variables.ticket_webhook(embedded), default=""),
        ticket_webhook_secret=text("TICKET_WEBHOOK_SECRET", variables.webhook_secret, default=""),
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
        remedy = "" if said in (_ELSEWHERE, _NOT_AWS) else variables.REMEDIES.get(name, "")
        lines.append(f"  {name}: {said} {remedy}".rstrip())
    return "\n".join(lines)


def _wrong_together(found: Environment) -> dict[str, list[str]]:
    """What no variable shows by itself: misspelt names, hosts of other machines, values that do not go together."""
    wrong: dict[str, list[str]] = {}
    for name, meant in surroundings.misspelt(os.environ, variables.REMEDIES).items():
        hint = f"Did you mean {meant}?" if meant else f"Known are: {', '.join(sorted(variables.REMEDIES))}."
        wrong[name] = [f"It is not a variable of jitportal. {hint} Rename it or take it away."]
    host = surroundings.host_of(found.portal_url)
    if host and host not in {name.lower().strip("[]") for name in found.allowed_hosts}:
        wrong["ALLOWED_HOSTS"] = ["The host of PORTAL_URL is not among them."]
    if found.admin_group and found.admin_group == found.compliance_group:
        wrong["ENTRA_COMPLIANCE_GROUP_ID"] = ["The same as ENTRA_ADMIN_GROUP_ID: nobody should audit themselves."]
    if found.ticket_webhook_url and not found.ticket_webhook_secret:
        wrong["TICKET_WEBHOOK_SECRET"] = ["Missing beside TICKET_WEBHOOK_URL: nobody could tell who asks."]
    if found.ticket_webhook_secret and not found.ticket_webhook_url:
        wrong["TICKET_WEBHOOK_URL"] = ["Missing beside TICKET_WEBHOOK_SECRET."]
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
        "TICKET_WEBHOOK_URL": f"http://127.0.0.1:{port}/tickets/check",
        "TICKET_WEBHOOK_SECRET": _kept_secret(data_dir / "ticket_webhook_secret", 24),
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
            f"DATA_DIR: {path.parent} cannot be used ({error.strerror}). {variables.REMEDIES['DATA_DIR']}"
        ) from None
