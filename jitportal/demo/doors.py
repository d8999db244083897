"""The doors of a portal that is still being made: nobody gets in before there is something to see."""

from collections.abc import Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

WORDS: Final = b"The demo is being made. Try again in a few seconds.\n"


class Doors:
    """A WSGI application that answers 503 until `open`, and then as the one behind it."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._is_open = False

    def open(self) -> None:
        """Lets everybody in."""
        self._is_open = True

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._is_open:
            return self._application(environ, start_response)
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(WORDS))), ("Retry-After", "5")]
        start_response("503 Service Unavailable", headers)
        return [WORDS]
