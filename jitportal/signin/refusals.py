"""Why somebody is not let in: the rule, what happened and what to do, for the page and for the ledger."""

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """Which check of the gate turned somebody away; recorded as the event's rule."""

    PROCESS = "sign-in.process"
    TOKEN = "sign-in.token"  # noqa: S105 - a name, not a secret
    NONCE = "sign-in.nonce"
    ISSUER = "sign-in.issuer"
    TENANT = "sign-in.tenant"
    GUEST = "sign-in.guest"
    OVERAGE = "sign-in.groups-overage"
    CLAIM = "sign-in.claim"
    INACTIVE = "sign-in.inactive"
    LOCAL_UNKNOWN = "local-admin.unknown"
    LOCAL_USED = "local-admin.used"
    LOCAL_OVER = "local-admin.over"
    STEP_UP_LOST = "step-up.form"
    STEP_UP_PERSON = "step-up.person"
    STEP_UP_CONTEXT = "step-up.context"
    STEP_UP_AGE = "step-up.age"


ASK_ADMINISTRATORS = "Tell the people who run this portal; they will find this refusal in the audit pages."
BEGIN_AGAIN = "Begin again from the sign-in page."


@dataclass(eq=False)
class Refused(Exception):
    """A sign-in that stops here; `reason` is a sentence to be shown and kept, `remedy` says what to do."""

    rule: Rule
    reason: str
    remedy: str = ASK_ADMINISTRATORS
