"""Checks a call against the constraints of botocore's service model, as AWS's front end does.

AWS answers all of them with ValidationException; the client checks only some before it sends.
"""

import re
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.session import get_session

from .errors import invalid

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of ``service``."""
    return get_session().get_service_model(service)


@cache
def operation_model(service: str, operation: str) -> OperationModel | None:
    """botocore's model of one operation, None if AWS has no such operation."""
    model = service_model(service)
    return model.operation_model(operation) if operation in model.operation_names else None


def validate(service: str, operation: str, params: dict[str, Any]) -> None:
    """AwsError in AWS's words if ``params`` break a constraint; unknown members are ignored, as in AWS."""
    model = operation_model(service, operation)
    if model is not None and model.input_shape is not None:
        _check(model.input_shape, params, "")


def _check(shape: Shape, value: Any, where: str) -> None:
    # A document (AttributeValue of the identity store) may be any JSON value.
    if shape.metadata.get("document"):
        return
    expected = _TYPES.get(shape.type_name)
    if expected is not None and (not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected)):
        raise _broken(value, where or "body", f"Member must be of type {shape.type_name}")
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if value.get(name) is None:
                raise _broken(None, _path(where, name), "Member must not be null")
        for name, member in shape.members.items():
            if value.get(name) is not None:
                _check(member, value[name], _path(where, name))
        if shape.metadata.get("union") and sum(value.get(name) is not None for name in shape.members) != 1:
            raise _broken(value, where, "Exactly one member must be set")
    elif isinstance(shape, ListShape):
        _check_size(shape, len(value), value, where)
        for number, item in enumerate(value, start=1):
            _check(shape.member, item, f"{where}.{number}.member")
    elif isinstance(shape, MapShape):
        _check_size(shape, len(value), value, where)
    elif shape.type_name in ("integer", "long"):
        _check_size(shape, value, value, where)
    elif shape.type_name == "string":
        _check_string(shape, value, where)


def _check_string(shape: Shape, value: str, where: str) -> None:
    _check_size(shape, len(value), value, where)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        raise _broken(value, where, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = _compiled(shape.metadata.get("pattern"))
    if pattern is not None and not pattern.fullmatch(value):
        raise _broken(value, where, f"Member must satisfy regular expression pattern: {pattern.pattern}")


def _check_size(shape: Shape, size: int, value: Any, where: str) -> None:
    what = "value" if shape.type_name in ("integer", "long") else "length"
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        raise _broken(value, where, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        raise _broken(value, where, f"Member must have {what} less than or equal to {most}")


@cache
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    # The models use Java's \p{L}, which Python cannot read; those say little more than "some characters".
    if pattern is None or r"\p{" in pattern:
        return None
    return re.compile(pattern)


def _path(where: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{where}.{name}" if where else name


def _broken(value: Any, where: str, constraint: str) -> Exception:
    shown = "null" if value is None else f"'{value}'"
    return invalid(
        f"1 validation error detected: Value {shown} at '{where}' failed to satisfy constraint: {constraint}"
    )
