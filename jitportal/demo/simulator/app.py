"""The WSGI middleware: AWS calls go to the simulator, ``/_simulator/`` to its controls."""

from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

from .call import read_call
from .control import PREFIX, Control
from .simulator import Simulator


class Application:
    """Serves one simulator; raises ReplyLostError where the connection is to be closed without an answer."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._control = Control(simulator)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(PREFIX):
            reply = self._control.answer(environ)
        else:
            reply = self._simulator.answer(read_call(environ), environ)
        start_response(
            f"{reply.status} {HTTPStatus(reply.status).phrase}",
            [
                ("Content-Type", reply.content_type),
                ("Content-Length", str(len(reply.body))),
                ("x-amzn-RequestId", reply.request_id),
            ],
        )
        return [reply.body]
