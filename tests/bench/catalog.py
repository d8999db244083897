"""`python -m tests.bench.catalog`: the catalog's figures at the size of a large company, on PostgreSQL; a table."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tests import services
from tests.processes.started import PROJECT, environment


def rows() -> Iterator[dict[str, str | bool | None]]:
    """Measures in a database of its own, prints each figure, and yields it.

    Raises:
        SystemExit: PostgreSQL is not to be had, or a measure broke off.
    """
    with services.postgresql() as url, tempfile.TemporaryDirectory() as folder:
        if url is None:
            sys.exit("The catalog's figures are measured on PostgreSQL; this machine lacks it.")
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c"]
        chosen = environment(DATA_DIR=folder, DATABASE_URL=url, LOG_LEVEL="ERROR")
        done = subprocess.run(
            [*command, "from tests.bench import catalog_figures; catalog_figures.main()"],
            cwd=PROJECT,
            env=chosen,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    for what, measured, target, met in json.loads(done.stdout.splitlines()[-1]):
        said = "" if met is None else "met" if met else "NOT MET"
        print(f"{what:<62} {measured:<44} {target:<32}", said, flush=True)  # noqa: T201
        yield {"figure": what, "measured": measured, "target": target, "met": met}


if __name__ == "__main__":
    list(rows())
