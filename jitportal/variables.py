"""What one environment variable may hold, and what to do where it does not; each check raises ValidationError."""

from typing import Any, Final
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from environs import ValidationError, validate

from catalog import app_roles
from jitportal import surroundings

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
    "AWS_ACCESS_PORTAL_URL": "Give https://…awsapps.com/start, from the Identity Center dashboard, or leave it out.",
    "OUTSTANDING_CAP": "Use a whole number from 1 to 15: AWS refuses more operations at once.",
    "AWS_CALLS_PER_SECOND": "Use a whole number from 4 to 20: AWS refuses more calls a second.",
    "AUDIT_SIGNING_KEY": "Give 64 hexadecimal digits: python -c 'import secrets; print(secrets.token_hex(32))'",
    "REQUEST_LAPSES_AFTER_HOURS": "Use a whole number of hours from 1 to 720.",
    "LONGEST_LEAD_DAYS": "Use a whole number of days from 0 to 365.",
    "OVERDUE_AFTER_SECONDS": "Use a whole number of seconds from 10 to 3600.",
    "SESSION_IDLE_MINUTES": "Use a whole number of minutes from 5 to 720.",
    "SYNC_PEOPLE_MINUTES": "Use a whole number of minutes from 1 to 30.",
    "SYNC_MOST_LEAVERS": "Use a whole number of percent from 1 to 100.",
    "SENSITIVE_FROM": "Use sandbox, development, staging or production, or never if no change needs a second admin.",
    "TICKET_WEBHOOK_URL": "Give https://… of the service that checks tickets, without a user or a fragment, or leave "
    "it out: then no policy can have them checked.",
    "TICKET_WEBHOOK_SECRET": "Give at least 32 random characters, which the service that checks tickets has, too: "
    "python -c 'import secrets; print(secrets.token_urlsafe(32))'",
    "LOG_LEVEL": "Use DEBUG, INFO, WARNING or ERROR.",
}

GUID: Final = validate.Regexp(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", error="Not a lower-case GUID.")
GROUP: Final = validate.Regexp(
    rf"^([0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|{app_roles.PATTERN})\Z",
    error="Neither a lower-case GUID nor an app role.",
)
FILLED: Final = validate.Length(min=1, error="It is empty.")
_LEAST_DISTINCT: Final = 10
_LEAST_SECRET: Final = 32


def origin(url: str) -> None:
    """An address without a path."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what finds a port that is none
    except ValueError:
        raise ValidationError("Not an origin.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or set("?#@") & set(url):
        raise ValidationError("Not an origin.")


def https_origin(url: str) -> None:
    """An address without a path, over https."""
    origin(url)
    if urlsplit(url).scheme != "https":
        raise ValidationError("Sign-in cookies need https.")


def page(url: str) -> None:
    """The address of a page over https, to which a fragment can be added; maybe none."""
    if not url:
        return
    https_origin(urlsplit(url)._replace(path="").geturl())


def hosts(text: str) -> None:
    """Host names with commas between them."""
    hosts = [host.strip() for host in text.split(",")]
    if not all(hosts) or any("*" in host or "/" in host or host.startswith(".") for host in hosts):
        raise ValidationError("Not a list of host names.")


def drawn(text: str) -> None:
    """A secret that looks drawn, not typed."""
    if len(set(text)) < _LEAST_DISTINCT:
        raise ValidationError(f"Fewer than {_LEAST_DISTINCT} different characters.")


def not_blank(text: str) -> None:
    """Anything but spaces."""
    if not text.strip():
        raise ValidationError("It is empty.")


def redis(embedded: bool) -> Any:
    """A Redis URL; in embedded mode maybe none."""

    def check(url: str) -> None:
        try:
            urlsplit(url)
        except ValueError:
            raise ValidationError("Not a Redis URL.") from None
        if urlsplit(url).scheme not in ("redis", "rediss", "unix") and not (embedded and not url):
            raise ValidationError("Not a Redis URL.")

    return check


def simulator(url: str) -> None:
    """The address of a simulator on this machine."""
    if not surroundings.is_this_machine(surroundings.host_of(url)):
        raise ValidationError("Embedded mode talks to a simulator on this machine only.")


def nothing(url: str) -> None:
    """Not given at all."""
    if url:
        raise ValidationError("Production talks to AWS itself.")


def other_than(port: int) -> Any:
    """Any port but this one."""

    def check(value: int) -> None:
        if value == port:
            raise ValidationError("The same as PORT.")

    return check


def signing_key(text: str) -> None:
    """The 32 bytes of an Ed25519 key."""
    try:
        Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
    except ValueError:
        raise ValidationError("Not a 32-byte key in hexadecimal.") from None


def parsed(url: str, parse: Any) -> dict[str, Any] | None:
    """The URL as Django's settings have it; None when there is none or it cannot be read (a validator has said so)."""
    try:
        return dict(parse(url)) if url else None
    except (ValueError, KeyError):
        return None


def email(url: str) -> None:
    """The URL of a mail server, or none."""
    if url and not (parsed(url, dj_email_url.parse) or {}).get("EMAIL_BACKEND"):
        raise ValidationError("Not a mail server's URL.")


def database(embedded: bool) -> Any:
    """The URL of a database that jitportal runs on."""
    allowed = {"django.db.backends.postgresql"} | ({"django.db.backends.sqlite3"} if embedded else set())

    def check(url: str) -> None:
        if (parsed(url, dj_database_url.parse) or {}).get("ENGINE") not in allowed:
            raise ValidationError("Not a database that jitportal runs on.")

    return check


# As `catalog.models.Sensitivity` has them, which cannot be imported before the settings are made.
SENSITIVE_FROM: Final[dict[str, int | None]] = {
    "sandbox": 1,
    "development": 2,
    "staging": 3,
    "production": 4,
    "never": None,
}


def ticket_webhook(embedded: bool) -> Any:
    """A URL to post to: https, or in embedded mode of this machine."""

    def check(url: str) -> None:
        if not url:
            return
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 - reading it is what finds a port that is none
        except ValueError:
            raise ValidationError("Not a URL.") from None
        if not parts.hostname or {"#", "@", " "} & set(url) or not (url.isascii() and url.isprintable()):
            raise ValidationError("Not a URL to post to.")
        if embedded and not surroundings.is_this_machine(surroundings.host_of(url)):
            raise ValidationError("Embedded mode asks a ticket system on this machine only.")
        if parts.scheme != "https" and not (embedded and parts.scheme == "http"):
            raise ValidationError("Tickets and reasons go there, so it needs https.")

    return check


def webhook_secret(text: str) -> None:
    """Long and varied, if there is one."""
    if text and len(text) < _LEAST_SECRET:
        raise ValidationError(f"Shorter than {_LEAST_SECRET} characters.")
    if text:
        drawn(text)
