"""Authorization codes: good once, for a minute, for the address and the proof key that they were made for."""

import base64
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass
from typing import Final

from jitportal.demo.directory import refusals
from jitportal.demo.directory.authorization import Ask
from jitportal.demo.directory.people import Person

LIFETIME: Final = 60.0
_REMEMBERED: Final = 10_000


@dataclass(frozen=True)
class Issued:
    """What a code stands for; `at` in epoch seconds."""

    person: Person
    ask: Ask
    at: float


class Codes:
    """One directory's codes, in memory; used ones are remembered, to tell a second use from a wrong code."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Issued] = {}
        self._used: dict[str, None] = {}

    def issue(self, person: Person, ask: Ask, now: float) -> str:
        """A new code for this person's answer to this request."""
        code = secrets.token_urlsafe(48)
        with self._lock:
            self._open = {known: issued for known, issued in self._open.items() if now - issued.at <= 2 * LIFETIME}
            self._open[code] = Issued(person, ask, now)
        return code

    def redeem(self, code: str, *, redirect_uri: str, verifier: str, now: float) -> Issued:
        """What the code stands for, once; a failed attempt uses it up too. Raises Refused."""
        with self._lock:
            issued = self._open.pop(code, None)
            if issued is None:
                raise refusals.code_redeemed() if code in self._used else refusals.code_unknown()
            self._used[code] = None
            if len(self._used) > _REMEMBERED:
                self._used.pop(next(iter(self._used)))
        if not 0 <= now - issued.at <= LIFETIME:
            raise refusals.code_expired()
        if redirect_uri != issued.ask.redirect_uri:
            raise refusals.code_for_other_address(redirect_uri)
        if not hmac.compare_digest(_challenge(verifier), issued.ask.challenge):
            raise refusals.verifier_wrong()
        return issued


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
