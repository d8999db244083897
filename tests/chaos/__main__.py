"""`make chaos`: the model check for CHAOS_STEPS on a database that is thrown away afterwards; then `soaking`."""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import Final

from tests import services
from tests.chaos import soaking

STEPS: Final = "100000"


def main() -> int:
    """Runs it; the exit code is pytest's.

    On SQLite, or beside the PostgreSQL database that CHAOS_DATABASE_URL names, in one of its own.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--show-capture=no"]
    environment = {"CHAOS_STEPS": STEPS, **os.environ}
    environment.pop("DATABASE_URL", None)
    environment.pop("REDIS_URL", None)
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="jitportal-", ignore_cleanup_errors=True)
        environment["DATA_DIR"] = stack.enter_context(folder)
        if server := environment.pop("CHAOS_DATABASE_URL", ""):
            environment["DATABASE_URL"] = stack.enter_context(services.own_database(server))
        return subprocess.run([*command, "tests/chaos/test_model.py"], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main() or soaking.main())
