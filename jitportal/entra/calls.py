"""One call to Microsoft Graph: a token of the application, patience within a budget, and errors sorted.

Sources: Microsoft Graph, "Throttling guidance", "Error responses and resource types"; Microsoft identity platform,
"OAuth 2.0 client credentials flow".
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import requests
from django.conf import settings
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from jitportal.entra.errors import Failed, Forbidden, GraphError, LinkTooOld, NotThere, Throttled, Unreachable

_TIMEOUT: Final = (3.05, 20.0)
_MOST_ATTEMPTS: Final = 5
_FIRST_WAIT: Final = 0.5
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
# A token is renewed so long before it runs out.
_MARGIN: Final = 120
_TOO_OLD: Final = frozenset({"syncStateNotFound", "syncStateInvalid", "resyncRequired", "Directory_ExpiredPageToken"})
_BY_ITSELF: Final = "It is tried again by itself."

_OTHER_DEMO: Final = "Start one with make demo, or give this command the PORT and the DATA_DIR of the one that runs."

_lock = threading.Lock()
_tokens: dict[tuple[str, str], tuple[str, float]] = {}


class Calls:
    """Calls for one purpose. `patience` is how many seconds all waiting together may take; `pause` waits."""

    def __init__(self, patience: float, pause: Callable[[float], None] = time.sleep) -> None:
        self._left = patience
        self._pause = pause
        self._http = requests.Session()
        # In the demo everything is on this machine, where a proxy of the environment is of no use.
        self._http.trust_env = not settings.EMBEDDED

    def get(self, address: str, permission: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer to GET: a path such as /users/delta, or a link that Graph gave.

        Raises GraphError; `permission` is the application's permission that the call needs.
        """
        return self._call("GET", self._whole(address), permission, params=parameters)

    def post(self, path: str, permission: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to POST, for questions that are asked so. Raises GraphError."""
        return self._call("POST", self._whole(path), permission, json=body)

    def fetch(self, address: str, parameters: Mapping[str, str] | None = None) -> requests.Response:
        """The answer to GET at any address, without a token; a redirect is one. Raises GraphError if none comes."""
        return self._send("GET", address, params=parameters)

    def own_token(self) -> str:
        """A new token of the application itself. Raises GraphError."""
        return self._token(fresh=True)

    def body_of(self, answer: requests.Response) -> dict[str, Any]:
        """The JSON object of an answer. Raises GraphError."""
        return _read(answer)

    def _whole(self, address: str) -> str:
        if address.startswith("/"):
            return f"{settings.GRAPH_URL}/v1.0{address}"
        # The token goes wherever a link leads, so it leads nowhere else.
        if not address.startswith(f"{settings.GRAPH_URL}/"):
            if settings.EMBEDDED:
                raise LinkTooOld("The demo was served on another port when it gave this link.", _BY_ITSELF)
            raise Failed("Microsoft Graph gave a link to another place.", "Ask the people who run this portal.")
        return address

    def _call(self, method: str, address: str, permission: str, **options: Any) -> dict[str, Any]:
        for fresh in (False, True):
            headers = {"Authorization": f"Bearer {self._token(fresh=fresh)}"}
            answer = self._send(method, address, headers=headers, **options)
            if answer.status_code != requests.codes.unauthorized:
                break
        body = _read(answer)
        if answer.ok and "error" not in body:
            return body
        raise _sorted(answer.status_code, body, permission)

    def _token(self, *, fresh: bool) -> str:
        address = f"{settings.ENTRA_ISSUER.removesuffix('/v2.0')}/oauth2/v2.0/token"
        app: dict[str, str] = cast("Any", settings.SOCIALACCOUNT_PROVIDERS)["openid_connect"]["APPS"][0]
        key = (address, app["client_id"])
        with _lock:
            token, until = _tokens.get(key, ("", 0.0))
        if token and not fresh and time.monotonic() < until:
            return token
        form = {
            "grant_type": "client_credentials",
            "client_id": app["client_id"],
            "client_secret": app["secret"],
            "scope": f"{settings.GRAPH_URL}/.default",
        }
        began = time.monotonic()
        answer = self._send("POST", address, data=form)
        body = _read(answer)
        given, lifetime = body.get("access_token"), body.get("expires_in")
        if not answer.ok or not isinstance(given, str) or not isinstance(lifetime, int):
            if settings.EMBEDDED and body.get("error") == "invalid_client":
                raise Forbidden(f"The demo at {settings.PORTAL_URL} is not the one of this DATA_DIR.", _OTHER_DEMO)
            said = str(body.get("error_description") or body.get("error") or "no token")[:200]
            raise Forbidden(
                f"The directory gives the portal no token of its own: {said}",
                "An administrator must look at ENTRA_CLIENT_SECRET and at the app registration.",
            )
        with _lock:
            _tokens[key] = (given, began + lifetime - _MARGIN)
        return given

    def _send(self, method: str, address: str, **options: Any) -> requests.Response:
        """The answer, once the directory is not too busy to give one."""
        wait = _FIRST_WAIT
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            answer = None
            try:
                answer = self._http.request(method, address, timeout=_TIMEOUT, allow_redirects=False, **options)
            except requests.RequestException as error:
                if settings.EMBEDDED and isinstance(error, requests.ConnectionError):
                    # The demo is its own directory, on this machine: it is there, or nothing listens.
                    raise Unreachable(f"No demo answers at {settings.PORTAL_URL}.", _OTHER_DEMO) from None
                trouble: GraphError = Unreachable(
                    f"The directory cannot be reached ({type(error).__name__}).", _BY_ITSELF
                )
            else:
                if answer.status_code not in _BUSY:
                    return answer
                trouble = _busy(answer.status_code)
            asked = _retry_after(answer)
            # What it asks for is kept to; without that, a little longer each time.
            pause = wait if asked is None else asked
            if attempt == _MOST_ATTEMPTS or pause > self._left:
                raise trouble
            self._left -= pause
            self._pause(pause)
            wait *= 2
        raise AssertionError("the last attempt returns or raises")


def _busy(status: int) -> GraphError:
    if status == requests.codes.too_many_requests:
        return Throttled("Microsoft Graph has had too many questions.", _BY_ITSELF)
    return Failed(f"Microsoft Graph has a fault of its own (HTTP {status}).", _BY_ITSELF)


def _retry_after(answer: requests.Response | None) -> float | None:
    said = answer.headers.get("Retry-After") if answer is not None else None
    if said is None:
        return None
    try:
        return Retry().parse_retry_after(said)
    except InvalidHeader:
        return None


def _read(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        body = None
    if isinstance(body, dict):
        return body
    raise Failed(f"Microsoft Graph's answer cannot be read (HTTP {answer.status_code}).", _BY_ITSELF)


def _sorted(status: int, body: Mapping[str, Any], permission: str) -> GraphError:
    error = body.get("error")
    code, message = (str(error.get(part, "")) for part in ("code", "message")) if isinstance(error, dict) else ("", "")
    words = f"Microsoft Graph said {code or f'HTTP {status}'}: {message or 'no more'}"
    if status == requests.codes.unauthorized:
        return Forbidden(words, "An administrator must look at the app registration.")
    if status == requests.codes.forbidden:
        return Forbidden(
            words,
            f"An administrator must give the app registration the application permission {permission}, and consent.",
        )
    if status == requests.codes.gone or code in _TOO_OLD:
        return LinkTooOld(words, _BY_ITSELF)
    # A proxy or a wrong address says 404, too; only Graph itself says it so.
    if status == requests.codes.not_found and code == "Request_ResourceNotFound":
        return NotThere(words, "Nothing needs to be done.")
    return Failed(words, "The people who run this portal should look into it.")
