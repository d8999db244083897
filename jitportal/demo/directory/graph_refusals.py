"""What Graph refuses: an HTTP status, a code and a message."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(eq=False)
class GraphRefused(Exception):
    """An answer that is an error, in Graph's shape."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


def not_found(object_id: str) -> GraphRefused:
    return GraphRefused(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
    )


def invalid(message: str) -> GraphRefused:
    return GraphRefused(400, "Request_BadRequest", message)


def link_too_old() -> GraphRefused:
    return GraphRefused(410, "syncStateNotFound", "The sync state generation is not found.")
