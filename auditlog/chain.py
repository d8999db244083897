"""The bytes of an event and how one event holds on to the one before."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None

# What the first event names as the hash of its predecessor.
GENESIS: Final = "0" * 64


def canonical(value: JSON) -> str:
    """The one text of a JSON value: keys sorted, no spaces, everything outside ASCII escaped.

    ASCII alone, because it survives spreadsheets, code pages and Unicode normalisation on its way to an auditor.
    Raises TypeError for what JSON cannot say (keys that are not text included), ValueError for NaN and infinities.
    """
    _refuse_other_keys(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sha256(text: str) -> str:
    """The SHA-256 of a canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def event_text(
    *,
    number: int,
    at: str,
    actor: str,
    actor_name: str,
    action: str,
    subject_kind: str,
    subject_id: str,
    previous: str,
    data: Mapping[str, JSON],
) -> str:
    """The canonical text of one event, whose SHA-256 is its hash; `previous` is the hash of the event before."""
    return canonical(
        {
            "action": action,
            "actor": actor,
            "actor_name": actor_name,
            "at": at,
            "data": data,
            "number": number,
            "previous": previous,
            "subject_id": subject_id,
            "subject_kind": subject_kind,
        }
    )


def _refuse_other_keys(value: JSON) -> None:
    # json.dumps would turn the key 1 into "1", and two different values would share their bytes.
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"A key must be text, not {type(key).__name__}: {key!r}")
            _refuse_other_keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_other_keys(inner)
