"""A whole portal dies piece by piece while people ask, and keeps every promise: a short round of `make chaos`."""

import shutil
import subprocess
import sys

import pytest

from tests.chaos.world import SOAK, described
from tests.processes.started import PROJECT


@pytest.mark.timeout(900)
@pytest.mark.skipif(not shutil.which("redis-server"), reason="needs a redis-server of its own, to kill it")
def test_what_dies_while_requests_come_in_is_started_again_and_every_promise_is_kept(services: tuple[str, str]) -> None:
    with described(services[0]) as variables:
        chosen = {**variables, "CHAOS_MINUTES": "0", "CHAOS_SEED": "1"}
        command = [sys.executable, *SOAK]
        soak = subprocess.run(command, cwd=PROJECT, env=chosen, capture_output=True, text=True, check=False)
    # What was broken stands first and last: whoever shortens the middle loses only what the processes said.
    broken = soak.stderr[-3000:]
    assert soak.returncode == 0, f"{broken}\n{soak.stdout[-10000:]}\n{broken}"
