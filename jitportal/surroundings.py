"""What environment variables say beside their own values: whose machine they name, and which were meant for us."""

import difflib
import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

# Names that begin so are nobody's but ours.
_OUR_STEMS: Final = (
    "AUDIT_SIGNING_",
    "ENTRA_",
    "IDENTITY_CENTER_",
    "IDENTITY_STORE_",
    "JITPORTAL_",
    "LONGEST_LEAD_",
    "OUTSTANDING_CAP",
    "OVERDUE_AFTER_",
    "REQUEST_LAPSES_",
    "SYNC_MOST_LEAVERS",
    "SENSITIVE_FROM",
    "SYNC_PEOPLE_",
    "TICKET_WEBHOOK_",
)
# So alike is a slip of the finger: OVERDEU_AFTER_SECONDS, PORTAL_URI. PORTABLE is not.
_ALIKE: Final = 0.88
# Kubernetes puts the addresses of a Service that is called jitportal into every container beside it.
_SERVICE_LINK: Final = re.compile(r"_(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)\Z")


def misspelt(variables: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """Variables that nobody reads and that were meant for us, each with the known name that is likest, or nothing.

    Variables of other programs are passed over, however much they look like ours.
    """
    ours = [name for name in known if name.startswith((*_OUR_STEMS, "PORTAL_", "SIMULATOR_"))]
    found = {}
    for name, value in variables.items():
        if name in known or _SERVICE_LINK.search(name) or (name.endswith("_PORT") and value.startswith("tcp://")):
            continue
        stemmed = name.upper().startswith(_OUR_STEMS)
        if alike := difflib.get_close_matches(name.upper(), ours, 1, 0.6 if stemmed else _ALIKE):
            found[name] = alike[0]
        elif stemmed:
            found[name] = ""
    return found


def aws_elsewhere(variables: Mapping[str, str]) -> list[str]:
    """Names of the variables that send boto3's calls to somewhere else than AWS."""
    return sorted(name for name, value in variables.items() if name.startswith("AWS_ENDPOINT_URL_") and value)


def host_of(url: str) -> str:
    """The URL's host in lower case, without brackets; empty if it has none or is no URL."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_this_machine(host: str) -> bool:
    """Whether a host is loopback, or the path of a unix socket."""
    if host == "localhost" or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def database_is_here(database: Mapping[str, Any], variables: Mapping[str, str]) -> bool:
    """Whether a database, as Django's settings have it, is a file or a server on this machine.

    What the URL leaves open, libpq takes from PGHOST, PGHOSTADDR and PGSERVICE; without any it is the unix socket.
    """
    if not str(database.get("ENGINE", "")).endswith("postgresql"):
        return True
    options = database.get("OPTIONS") or {}
    if options.get("service") or variables.get("PGSERVICE"):
        return False
    named = options.get("host") or database.get("HOST") or variables.get("PGHOST", "")
    addressed = options.get("hostaddr") or variables.get("PGHOSTADDR", "")
    return all(is_this_machine(host.strip().lower()) for host in f"{named},{addressed}".split(",") if host.strip())


def redis_is_here(url: str) -> bool:
    """Whether Redis is none, a unix socket, or on this machine."""
    # With ; kombu takes a list of brokers, and turns to the next when one is gone.
    if ";" in url:
        return False
    if not url or urlsplit(url).scheme == "unix":
        return True
    hosts = [host_of(url) or "localhost", *parse_qs(urlsplit(url).query).get("host", [])]
    return all(is_this_machine(host) for host in hosts)
