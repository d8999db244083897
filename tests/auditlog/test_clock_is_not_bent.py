"""Only the demo's seed and tests may move the clock that events are dated by."""

import ast
from pathlib import Path

from django.conf import settings

ALLOWED = {"auditlog/clock.py", "jitportal/demo/seed.py"}


def test_nothing_else_moves_the_clock() -> None:
    base = Path(settings.BASE_DIR)
    movers = {
        path.relative_to(base).as_posix()
        for package in ("accessrequests", "auditlog", "catalog", "jitportal")
        for path in (base / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr == "moved_to")
        or (isinstance(node, ast.alias) and node.name == "moved_to")
        or (isinstance(node, ast.FunctionDef) and node.name == "moved_to")
    }
    assert movers == ALLOWED
