"""What a permission set allows that no job function needs: everything, or the rights over rights themselves."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

# AWS's own policies that allow all actions of all services, or all of IAM (their documents in the AWS reference).
_AWS_OWN: Final = frozenset({"AdministratorAccess", "IAMFullAccess"})
_EVERYTHING: Final = frozenset({"*", "*:*", "iam:*"})


def too_much(managed_policies: Sequence[str] | None, inline_policy: str | None) -> list[str]:
    """The policies and actions that go too far, as an admin would look for them; what is not known goes nowhere.

    Args:
        managed_policies: ARNs of AWS's own and names of ours, as the inventory mirrors them.
        inline_policy: a policy document as JSON text; one that cannot be read is passed over.
    """
    named = (policy.rpartition("/")[2] for policy in managed_policies or () if policy.startswith("arn:"))
    found = [name for name in named if name in _AWS_OWN]
    return [*found, *dict.fromkeys(_actions(inline_policy or ""))]


def _actions(document: str) -> Iterator[str]:
    try:
        statements = _listed(json.loads(document).get("Statement"))
    except (ValueError, AttributeError, RecursionError):
        return
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
            continue
        yield from (f"{action}" for action in _listed(statement.get("Action")) if str(action).lower() in _EVERYTHING)
        left_out = [str(action).lower() for action in _listed(statement.get("NotAction"))]
        if left_out and not _EVERYTHING & {*left_out}:
            yield "iam:* (by NotAction)"


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
