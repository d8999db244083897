"""The second half of `make chaos`: CHAOS_MINUTES of deaths at random in a world of its own, if this machine has one."""

import os
import shutil
import subprocess
import sys
from typing import Final

from tests import services
from tests.chaos.world import SOAK, described
from tests.processes.started import PROJECT

CHOSEN: Final = ("CHAOS_MINUTES", "CHAOS_SEED")


def main() -> int:
    """Soaks beside the database that CHAOS_DATABASE_URL names, or any PostgreSQL here; the exit code is the soak's."""
    with services.postgresql() as found:
        server = os.environ.get("CHAOS_DATABASE_URL") or found
        if server is None or shutil.which("redis-server") is None:
            sys.stdout.write("Nothing was killed: that takes PostgreSQL and a redis-server.\n")
            return 0
        with described(server) as variables:
            chosen = {name: os.environ[name] for name in CHOSEN if name in os.environ}
            return subprocess.run([sys.executable, *SOAK], cwd=PROJECT, env=variables | chosen, check=False).returncode
