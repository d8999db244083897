"""Finds where an answer departs from botocore's service model."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
}


def departures(shape: Shape | None, value: Any, where: str = "answer") -> Iterator[str]:
    """A sentence for each unknown or missing member, wrong type, size, pattern or enum value."""
    if shape is None:
        yield from ([f"{where} has a body where there is none"] if value else [])
    elif not _has_type(shape, value):
        yield f"{where} is {value!r}, not a {shape.type_name}"
    elif isinstance(shape, StructureShape):
        yield from (f"{where} has the unknown member {name}" for name in sorted(set(value) - set(shape.members)))
        yield from (f"{where} lacks {name}" for name in shape.required_members if name not in value)
        for name, member in shape.members.items():
            if name in value:
                yield from departures(member, value[name], f"{where}.{name}")
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value):
            yield from departures(shape.member, item, f"{where}[{number}]")
    elif not isinstance(shape, MapShape):
        yield from _scalar_departures(shape, value, where)


def _has_type(shape: Shape, value: Any) -> bool:
    return isinstance(value, _TYPES[shape.type_name])


def _scalar_departures(shape: Shape, value: Any, where: str) -> Iterator[str]:
    if shape.type_name != "string":
        return
    pattern, allowed = shape.metadata.get("pattern", ""), shape.metadata.get("enum")
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", len(value))
    if not least <= len(value) <= most:
        yield f"{where} is {len(value)} characters long, not {least} to {most}"
    if allowed and value not in allowed:
        yield f"{where} is {value!r}, not one of {allowed}"
    # Java's \p{…} is beyond Python's re; those patterns say little more than "some characters".
    if pattern and r"\p{" not in pattern and not re.fullmatch(pattern, value):
        yield f"{where} is {value!r}, against {pattern}"
