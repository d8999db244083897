"""``manage.py simulator`` serves until it is told to stop, and says what keeps it from serving."""

import io
import os
import re
import signal
import socket
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from jitportal.demo.management.commands.simulator import Command

ORGANISATION = "tests.jitportal.simulator.small_organisation.SMALL"


class Announcement(io.StringIO):
    """Standard output that runs something once the address has been written."""

    def __init__(self, then: Any) -> None:
        super().__init__()
        self._then = then

    def flush(self) -> None:
        super().flush()
        said = re.search(r"http://\S+", self.getvalue())
        if said and self._then is not None:
            then, self._then = self._then, None
            then(said.group())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_ends_well(number: signal.Signals, tmp_path: Path) -> None:
    seen: list[int] = []

    def visit_and_stop(url: str) -> None:
        with urllib.request.urlopen(f"{url}/_simulator/health", timeout=10) as response:
            seen.append(response.status)
        os.kill(os.getpid(), number)

    def then(url: str) -> None:
        threading.Thread(target=visit_and_stop, args=(url,)).start()

    out = Announcement(then)
    call_command(Command(), port=0, state=tmp_path / "aws.jsonl", organisation=ORGANISATION, stdout=out)
    assert seen == [200]
    assert "stopped" in out.getvalue()


def test_a_port_in_use_gets_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CommandError, match="is in use"):
            call_command(Command(), port=taken.getsockname()[1], organisation=ORGANISATION)


def test_another_host_than_loopback_is_refused() -> None:
    with pytest.raises(CommandError, match="loopback"):
        call_command(Command(), host="0.0.0.0", port=0, organisation=ORGANISATION)


@pytest.mark.parametrize("name", ["nowhere.AT_ALL", "jitportal.demo.simulator.Limits"])
def test_an_organisation_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="--organisation"):
        call_command(Command(), port=0, organisation=name)
