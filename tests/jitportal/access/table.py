"""The access matrix: for every address, what each kind of person gets there, in every state of a request."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from accessrequests.states import RequestStatus

ANONYMOUS: Final = "anonymous"
OFFBOARDED: Final = "offboarded approver"
ENGINEER: Final = "engineer"
REQUESTER: Final = "requester of it"
APPROVER: Final = "approver of it"
OTHER_STAGE: Final = "approver at another stage of it"
OTHER_APPROVER: Final = "approver of another"
FORMER: Final = "former approver of it"
ADMIN: Final = "admin"
COMPLIANCE: Final = "compliance"
LOCAL: Final = "local administrator"
KINDS: Final = (
    ANONYMOUS,
    OFFBOARDED,
    ENGINEER,
    REQUESTER,
    APPROVER,
    OTHER_STAGE,
    OTHER_APPROVER,
    FORMER,
    ADMIN,
    COMPLIANCE,
    LOCAL,
)
# Whoever has no session, or one of somebody who is disabled, is led to the sign-in page and gets nothing.
NOBODY: Final = frozenset({ANONYMOUS, OFFBOARDED})
SIGNED_IN: Final = frozenset(KINDS) - NOBODY
# Who may read a request at all; to all others it looks like one that does not exist.
CONCERNED: Final = frozenset({REQUESTER, APPROVER, OTHER_STAGE, FORMER, ADMIN, COMPLIANCE, LOCAL})
# A local administrator is one of whom the directory knows nothing.
ADMINS: Final = frozenset({ADMIN, LOCAL})
READERS: Final = ADMINS | {COMPLIANCE}


class Got(StrEnum):
    """What came of it."""

    SHOWN = "shown"
    DONE = "done"
    REFUSED = "refused, and nothing changed"
    NOT_FOUND = "not found"
    FORBIDDEN = "forbidden"
    SIGN_IN = "led to sign in"
    NO_SUCH_VERB = "no such verb"


_S = RequestStatus
EVERY_STATE: Final = frozenset(RequestStatus)

# Pages of no request in particular: who is shown them; the others are forbidden, nobody is led to sign in.
PAGES: Final[Mapping[str, frozenset[str]]] = {
    "home": SIGNED_IN,
    "request-new": SIGNED_IN,
    "approvals": SIGNED_IN,
    "catalog": SIGNED_IN,
    "explain": SIGNED_IN,
    "catalog-problems": READERS,
    "proposals": READERS,
    "you": SIGNED_IN,
    "findings": READERS,
    "audit": READERS,
    "audit-export": READERS,
    "audit-export-jsonl": READERS,
    "audit-checkpoints": READERS,
}
# What can be asked of the page that explains: by whom; the others are forbidden.
QUESTIONS: Final[Mapping[str, frozenset[str]]] = {"who": READERS, "why": READERS, "reach": READERS, "me": SIGNED_IN}
# Open to everybody, signed in or not; they say nothing secret.
OPEN: Final = frozenset({"sign-in", "healthz", "readyz"})
# Begin, strengthen and end a session; tests/jitportal/signin holds what they do.
SESSION: Final = frozenset(
    {"openid_connect_login", "openid_connect_callback", "sign-in-local", "sign-out", "sign-out-everywhere", "step-up"}
)
# Other names of the sign-in and sign-out pages, which allauth looks for.
ALIASES: Final = frozenset(
    {
        "account_login",
        "account_inactive",
        "account_signup",
        "socialaccount_login_error",
        "socialaccount_login_cancelled",
        "socialaccount_signup",
        "account_logout",
    }
)
# The verbs on one request: who can carry them out, in which of its states.
VERBS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "request-decide": {APPROVER: frozenset({_S.PENDING})},
    "request-withdraw": {REQUESTER: frozenset({_S.PENDING, _S.APPROVED})},
    "request-give-back": {REQUESTER: frozenset({_S.ACTIVE})},
    "request-extend": {REQUESTER: frozenset({_S.ACTIVE})},
    "request-revoke": {who: frozenset({_S.APPROVED, _S.ACTIVE}) for who in (APPROVER, OTHER_STAGE, *ADMINS)},
}
# The verbs on a finding: in which of its states an admin can carry them out; compliance is refused, others forbidden.
FINDING_VERBS: Final[Mapping[str, frozenset[str]]] = {
    "finding-adopt": frozenset({"open", "accepted", "adopted"}),
    "finding-remove": frozenset({"open", "accepted", "adopted"}),
    "finding-accept": frozenset({"open", "accepted"}),
}
FINDING_STATES: Final = ("open", "accepted", "adopted", "removing", "gone")
# The page of what an admin has proposed, and the verbs on it: who may send them; nobody decides on their own.
PROPOSAL: Final = READERS
PROPOSAL_VERBS: Final[Mapping[str, frozenset[str]]] = {
    "proposal-accept": frozenset({ADMIN}),
    "proposal-confirm": frozenset(),
    "proposal-reject": frozenset({ADMIN}),
    "proposal-withdraw": frozenset(),
    "proposal-look-at": frozenset({ADMIN}),
}
# Verbs of no request in particular: who can carry them out.
OTHER_VERBS: Final[Mapping[str, frozenset[str]]] = {
    # A policy names the approver at the first stage, too, but nobody else is left there to agree to what they ask.
    "request-new": frozenset({ENGINEER, REQUESTER}),
    "audit-verify": READERS,
    "confirm-leavers": ADMINS,
    "person-lock": ADMINS,
    "person-unlock": ADMINS,
}

# The admin: what its members may edit, and what they may only read.
EDITED: Final = frozenset(
    f"catalog_{model}"
    for model in (
        "accesspolicy",
        "account",
        "approvergroup",
        "directorygroup",
        "environment",
        "oncallschedule",
        "permissionset",
        "role",
    )
)
READ: Final = frozenset(
    {
        "auditlog_event",
        "auditlog_checkpoint",
        "jitportal_user",
        "catalog_principal",
        *(
            f"accessrequests_{model}"
            for model in ("accessrequest", "assignment", "decision", "finding", "grant", "notification", "scancursor")
        ),
    }
)
ADMIN_PAGES: Final = frozenset(
    {"index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site"}
    | {"app_list"}
)
MODEL_PAGES: Final = ("changelist", "add", "history", "delete", "change", "simple_history")

# Celery's tasks: those that are told ids, and those that find by themselves what is due.
TOLD_A_REQUEST: Final = frozenset({"accessrequests.tasks.start"})
TOLD_AN_ASSIGNMENT: Final = frozenset(f"accessrequests.tasks.{name}" for name in ("converge", "remove"))
TOLD_A_QUEUE: Final = frozenset({"accessrequests.tasks.answer"})
TOLD_ASSIGNMENTS: Final = frozenset({"accessrequests.tasks.watch"})
TOLD_NOTHING: Final = frozenset(
    {
        "accessrequests.tasks.sweep",
        "accessrequests.tasks.scan",
        "accessrequests.tasks.notify",
        "auditlog.tasks.checkpoint",
        "jitportal.tasks.end_local_admins",
        "jitportal.tasks.sync_people",
        "jitportal.tasks.sync_inventory",
    }
)


def expected_of_page(name: str, who: str) -> Got:
    """What somebody gets who opens a page."""
    if who in NOBODY:
        return Got.SIGN_IN
    return Got.SHOWN if who in PAGES[name] else Got.FORBIDDEN


def expected_of_verb(name: str, who: str, status: str) -> Got:
    """What somebody gets who sends a verb on a request in this state, filled in as well as can be."""
    if who in NOBODY:
        return Got.SIGN_IN
    if who not in CONCERNED:
        return Got.NOT_FOUND
    return Got.DONE if status in VERBS[name].get(who, ()) else Got.REFUSED


def expected_of_finding(name: str, who: str, status: str) -> Got:
    """What somebody gets who sends a verb on a finding in this state."""
    if who in NOBODY:
        return Got.SIGN_IN
    if who not in READERS:
        return Got.FORBIDDEN
    return Got.DONE if who in ADMINS and status in FINDING_VERBS[name] else Got.REFUSED
