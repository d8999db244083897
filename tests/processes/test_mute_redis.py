"""A Redis that neither answers nor refuses, as behind a broken network: nobody waits for it for ever."""

import socket
from pathlib import Path

from tests.processes.conftest import Demos
from tests.processes.started import environment

SEND = "from accessrequests import tasks; tasks.send(tasks.sweep); print('went on')"


def test_whoever_sends_a_message_goes_on_without_an_answer(demos: Demos, tmp_path: Path) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        chosen = environment(DATA_DIR=tmp_path / "data", REDIS_URL=f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        sending = demos.command(["manage.py", "shell", "--no-imports", "-c", SEND], chosen)
        assert sending.end() == 0
    assert "message_not_sent" in sending.said()
    assert "went on" in sending.said()
