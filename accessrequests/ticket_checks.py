"""Has the ticket of an ask checked where its policies demand it; whatever is not a yes refuses the ask."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from accessrequests import ticketing
from accessrequests.refusals import Refused
from accessrequests.ticketing import Answer, NoAnswer, Question
from auditlog import clock
from catalog.policy import Verdict
from catalog.terms import Terms

log = structlog.get_logger(__name__)

_NOT_CONNECTED: Final = "this portal is connected to no ticket system; an admin must mend it"
_KEPT: Final = "Nothing was asked for, and what you typed is kept: try again, and if it lasts, tell your admins."


@dataclass(frozen=True)
class Checked:
    """What the ticket system said yes to, when, and for which policies."""

    question: Question
    at: datetime
    system: str
    rules: tuple[str, ...]

    def described(self) -> dict[str, Any]:
        """As the request keeps it."""
        return {"at": self.at.isoformat(), "system": self.system, "rules": list(self.rules)}


def check(question: Question, terms: Terms) -> Checked:
    """Asks the ticket system, once; never inside a transaction, for it may take three seconds.

    Raises:
        Refused: it said no, or did not say.
    """
    rules = _rules(terms)
    system = ticketing.current()
    if system is None:
        raise Refused(_refusal(rules, f"{_asks(rules)} to be checked, and {_NOT_CONNECTED}."))
    try:
        answer = system.check(question)
    except NoAnswer as error:
        log.error("ticket_not_checked", system=system.name, error=str(error))
        said = f"{_asks(rules)} to be checked, and that could not be done: the ticket system {error}."
        raise Refused(_refusal(rules, f"{said} {_KEPT}", "The ticket could not be checked.")) from error
    if not answer.is_valid:
        raise Refused(_refusal(rules, _no(question, answer), f"The ticket {question.ticket} was not accepted."))
    return Checked(question, clock.now(), system.name, rules)


def settled(checked: Checked | None, question: Question, terms: Terms) -> Verdict:
    """Whether all policies that demand a check have had it, of this very ticket, and for no less than is asked now."""
    rules = _rules(terms)
    if not rules:
        return Verdict(True, "", "")
    if checked is not None and set(rules) <= set(checked.rules):
        if checked.question.covers(question):
            return Verdict(True, "", "")
        return _refusal(rules, "The ticket was checked for less than would be given now. Send the form again.")
    return _refusal(rules, f"{_asks(rules)} to be checked since this form was sent. Send it again.")


def _rules(terms: Terms) -> tuple[str, ...]:
    return tuple(check.rule for check in terms.ticket_checks)


def _asks(rules: tuple[str, ...]) -> str:
    names = " and ".join(f"“{rule}”" for rule in rules)
    return f"{names} {'wants' if len(rules) == 1 else 'want'} the ticket"


def _no(question: Question, answer: Answer) -> str:
    why = f": “{answer.reason}”" if answer.reason else ", and does not say why."
    return f"The ticket system does not accept the ticket {question.ticket} for this{why}"


def _refusal(rules: tuple[str, ...], reason: str, brief: str = "") -> Verdict:
    return Verdict(False, reason, ", ".join(rules), "ticket", brief)
