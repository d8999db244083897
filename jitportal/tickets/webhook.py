"""Asks a webhook whether a ticket is good; docs/tickets.md has the contract."""

import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from accessrequests.ticketing import Answer, NoAnswer, Question
from catalog.names import showable
from jitportal.tickets.call import Answered, Call

DEADLINE: Final = 3.0
MOST_BYTES: Final = 16 * 1024
MOST_WORDS: Final = 300
TIMESTAMP: Final = "X-Jitportal-Timestamp"
SIGNATURE: Final = "X-Jitportal-Signature"


class Webhook:
    """The ticket system behind TICKET_WEBHOOK_URL. `now` gives epoch seconds."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._url: str = settings.TICKET_WEBHOOK_URL
        self._secret: str = settings.TICKET_WEBHOOK_SECRET
        self._now = now

    @property
    def name(self) -> str:
        return urlsplit(self._url).hostname or ""

    def check(self, question: Question) -> Answer:
        """Posts the question, signed, and reads the answer; nothing but a plain yes is one.

        Raises:
            NoAnswer: no answer came within the deadline, or none that can be read.
        """
        body = json.dumps(_asked(question), ensure_ascii=False).encode()
        timestamp = str(int(self._now()))
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "jitportal",
            TIMESTAMP: timestamp,
            SIGNATURE: signature(self._secret, timestamp, body),
        }
        try:
            answered = Call(self._url, headers, body, MOST_BYTES).within(DEADLINE)
        except TimeoutError:
            raise NoAnswer(f"did not answer within {DEADLINE:.0f} seconds") from None
        except OSError as error:
            raise NoAnswer(f"could not be reached ({type(error).__name__})") from error
        except (http.client.HTTPException, ValueError, RuntimeError) as error:
            raise NoAnswer(f"gave no answer that can be read ({type(error).__name__})") from error
        return _read(answered)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over the timestamp, a full stop and the body, as the header carries it."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"


def _asked(question: Question) -> dict[str, Any]:
    requester = question.requester
    return {
        "request_id": str(question.request_id),
        "ticket": question.ticket,
        "requester": {
            "object_id": requester.object_id,
            "user_name": requester.user_name,
            "name": requester.name,
        },
        "role": question.role,
        "environment": question.environment,
        "accounts": [{"id": account.account_id, "name": account.name} for account in question.accounts],
        "duration_seconds": int(question.duration.total_seconds()),
        "reason": question.reason,
        "extends": question.more,
    }


def _read(answered: Answered) -> Answer:
    if 300 <= answered.status < 400:
        raise NoAnswer(f"answered with a redirect (HTTP {answered.status})")
    if answered.status != http.client.OK:
        raise NoAnswer(f"answered with an error (HTTP {answered.status})")
    if len(answered.body) > MOST_BYTES:
        raise NoAnswer(f"answered with more than {MOST_BYTES // 1024} KiB")
    try:
        said = json.loads(answered.body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise NoAnswer("answered with something that is not JSON") from None
    valid = said.get("valid") if isinstance(said, dict) else None
    if not isinstance(valid, bool):
        raise NoAnswer("answered with neither yes nor no")
    return Answer(valid, "" if valid else _tidied(said.get("reason")))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _tidied(reason: Any) -> str:
    """The reason as one line of text, without what cannot be seen, and not too long."""
    if not isinstance(reason, str):
        return ""
    text = " ".join(showable(reason[: 4 * MOST_WORDS]).split())
    return text if len(text) <= MOST_WORDS else f"{text[:MOST_WORDS].rstrip()}…"
