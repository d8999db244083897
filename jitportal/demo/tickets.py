"""The demo's ticket system: a few tickets, some of them closed, and the webhook that says whether one is good.

Only what the portal has signed is answered, as docs/tickets.md tells those who write such a service to do.
"""

import hmac
import json
import time
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.exceptions import BadRequest, Forbidden, HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from jitportal.tickets.webhook import SIGNATURE, TIMESTAMP, signature

# An older question may be somebody else's, sent again.
LONGEST_AGE: Final = 300
OPEN: Final = {
    "INC-4471": "A caching rule serves stale prices.",
    "INC-4711": "Card payments are slow.",
    "INC-4720": "The nightly close of the ledger hangs.",
    "CHG-1234": "Upgrade of the build runners.",
    "CHG-2051": "The regulator's question on chargebacks.",
}
CLOSED: Final = {
    "INC-4402": "Card payments time out.",
    "INC-4431": "New customers cannot upload documents.",
    "INC-4460": "A session blocks the nightly close.",
    "CHG-2033": "Change of the load balancer.",
}
_ADDRESSES: Final = Map(
    [Rule("/", endpoint="listed", methods=["GET"]), Rule("/check", endpoint="checked", methods=["POST"])]
)


class TicketDesk:
    """A WSGI application. `secret` is the portal's; `now` gives epoch seconds."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._secret, self._now = secret, now

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer: WSGIApplication
        try:
            endpoint, _ = _ADDRESSES.bind_to_environ(environ).match()
            answer = self._check(Request(environ)) if endpoint == "checked" else _listed()
        except HTTPException as error:
            answer = error
        return answer(environ, start_response)

    def _check(self, request: Request) -> Response:
        self._verify(request)
        asked = request.get_json(silent=True)
        ticket = asked.get("ticket") if isinstance(asked, dict) else None
        if not isinstance(ticket, str):
            raise BadRequest("The question names no ticket.")
        return Response(json.dumps(_answer(ticket)), mimetype="application/json")

    def _verify(self, request: Request) -> None:
        timestamp, body = request.headers.get(TIMESTAMP, ""), request.get_data()
        expected = signature(self._secret, timestamp, body)
        if not hmac.compare_digest(expected.encode(), request.headers.get(SIGNATURE, "").encode()):
            raise Forbidden("The question is not signed by the portal.")
        if not timestamp.isdecimal() or abs(self._now() - int(timestamp)) > LONGEST_AGE:
            raise Forbidden("The question is too old.")


def _answer(ticket: str) -> dict[str, Any]:
    if ticket in OPEN:
        return {"valid": True}
    if ticket in CLOSED:
        return {"valid": False, "reason": f"{ticket} is closed: {CLOSED[ticket]}"}
    return {"valid": False, "reason": f"There is no ticket {ticket}."}


def _listed() -> Response:
    lines = ["The demo's tickets. Open:", *_lines(OPEN), "", "Closed:", *_lines(CLOSED), ""]
    return Response("\n".join(lines), mimetype="text/plain")


def _lines(tickets: dict[str, str]) -> list[str]:
    return [f"  {ticket}  {about}" for ticket, about in tickets.items()]
