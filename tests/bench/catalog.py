"""`python -m tests.bench.catalog`: the catalog's figures at the size of a large company, on PostgreSQL; a table.

Each part has a process and a database of its own: what one has filled or held is no part of what another measures.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Final

from tests import services
from tests.processes.started import PROJECT, environment

PARTS: Final = ("catalog_figures", "inventory_figures")


def rows() -> Iterator[dict[str, str | bool | None]]:
    """Measures in databases of its own, prints each figure, and yields it.

    Raises:
        SystemExit: PostgreSQL is not to be had, or a measure broke off.
    """
    for part in PARTS:
        for what, measured, target, met in _measured(part):
            said = "" if met is None else "met" if met else "NOT MET"
            print(f"{what:<62} {measured:<44} {target:<32}", said, flush=True)  # noqa: T201
            yield {"figure": what, "measured": measured, "target": target, "met": met}


def _measured(part: str) -> list[tuple[str, str, str, bool | None]]:
    with services.postgresql() as url, tempfile.TemporaryDirectory() as folder:
        if url is None:
            sys.exit("The catalog's figures are measured on PostgreSQL; this machine lacks it.")
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c"]
        done = subprocess.run(
            [*command, f"from tests.bench import {part}; {part}.main()"],
            cwd=PROJECT,
            env=environment(DATA_DIR=folder, DATABASE_URL=url, LOG_LEVEL="ERROR"),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    found: list[tuple[str, str, str, bool | None]] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    list(rows())
