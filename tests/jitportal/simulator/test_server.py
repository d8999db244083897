"""The server takes a free port, serves many callers at once, says what is wrong, and stops cleanly."""

import errno
import http.client
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from jitportal.demo.simulator import Limits, Simulator, SimulatorServer

from .conftest import Aws, Start
from .small_organisation import SMALL


def test_a_port_in_use_is_a_clear_oserror() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = SimulatorServer(Simulator(SMALL), port=port)
        with pytest.raises(OSError, match=f"port {port} on 127.0.0.1 is in use") as refused:
            server.start()
    assert refused.value.errno == errno.EADDRINUSE
    server.start()
    server.stop()


class EagerEnd(threading.Event):
    """Lets the loop see the end, and end, before anybody wakes it."""

    def __init__(self, server: SimulatorServer) -> None:
        super().__init__()
        self._of = server

    def set(self) -> None:
        super().set()
        self._of._server.pull_trigger()
        assert self._of._thread is not None
        self._of._thread.join()


def test_stopping_survives_a_loop_that_has_already_ended() -> None:
    server = SimulatorServer(Simulator(SMALL))
    server._stopping = EagerEnd(server)
    server.start()
    server.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", ""])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(ValueError, match="loopback addresses only"):
        SimulatorServer(Simulator(SMALL), host=host)


def test_stopping_closes_idle_connections_and_frees_the_port(aws: Aws) -> None:
    address = urlsplit(aws.server.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.request("GET", "/_simulator/health")
    connection.getresponse().read()
    before = threading.active_count()

    aws.server.stop()
    aws.server.stop()

    assert threading.active_count() < before
    assert connection.sock is not None
    assert connection.sock.recv(1) == b""
    connection.close()
    assert address.port is not None
    with SimulatorServer(aws.simulator, port=address.port) as again:
        assert again.url == f"http://127.0.0.1:{address.port}"


def test_eight_callers_lose_no_creation(start: Start) -> None:
    aws = start(Limits.lifted())
    principals = [f"00000000-0000-4000-8000-{number:012d}" for number in range(200)]
    assert aws.sso is not None
    with ThreadPoolExecutor(8) as pool:
        request_ids = list(pool.map(lambda principal: aws.create(principal_id=principal), principals))
    assert len(set(request_ids)) == 200
    assert aws.simulator.calls.as_json()["calls"] == {"CreateAccountAssignment": 200}
