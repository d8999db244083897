"""`make chaos`: the model check for as many steps as CHAOS_STEPS says, on a database that is thrown away afterwards."""

import os
import subprocess
import sys
import tempfile
from typing import Final

STEPS: Final = "100000"


def main() -> int:
    """Runs it; the exit code is pytest's."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--show-capture=no"]
    with tempfile.TemporaryDirectory(prefix="jitportal-", ignore_cleanup_errors=True) as data:
        environment = {"CHAOS_STEPS": STEPS, **os.environ, "DATA_DIR": data}
        environment.pop("DATABASE_URL", None)
        environment.pop("REDIS_URL", None)
        return subprocess.run([*command, "tests/chaos/model.py"], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
