"""The bytes of an event, how each event holds on to the one before, and the verifier of a copy.

This file needs nothing but Python, so that an auditor can read all of it and run it far from the portal:

    python chain.py export.csv --checkpoint checkpoints.json --public-key 64-hexadecimal-digits
"""

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO, TypeAlias

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None

# What the first event names as the hash of its predecessor.
GENESIS: Final = "0" * 64

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

# The readable columns of an event, in the order of an export, each with its key in the canonical record.
COLUMNS: Final = {
    "number": "number",
    "at": "at",
    "actor": "actor",
    "actor_name": "actor_name",
    "action": "action",
    "subject_kind": "subject_kind",
    "subject_id": "subject_id",
    "previous_hash": "previous",
    "sentence": "sentence",
}
_PARTS: Final = frozenset({"data", *COLUMNS.values()})
# Those that prove the others.
_PROOF: Final = frozenset({"hash", "canonical"})


def canonical(value: JSON) -> str:
    """The one text of a JSON value: keys sorted, no spaces, everything outside ASCII escaped.

    ASCII alone, because it survives spreadsheets, code pages and Unicode normalisation on its way.
    Raises TypeError for what JSON cannot say, keys that are not text included, and ValueError for NaN.
    """
    _refuse_other_keys(value)
    return _ENCODER.encode(value)


def sha256(text: str) -> str:
    """The SHA-256 of a canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def stamp(at: datetime) -> str:
    """The one text of a moment: UTC with microseconds, such as 2026-11-20T09:05:45.000000Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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
    sentence: str,
    data: Mapping[str, JSON],
) -> str:
    """The canonical text of an event, whose SHA-256 is its hash; `previous` is the hash before it.

    `sentence` is what happened in human words, as they stood when it was recorded.
    """
    return canonical(
        {
            "action": action,
            "actor": actor,
            "actor_name": actor_name,
            "at": at,
            "data": data,
            "number": number,
            "previous": previous,
            "sentence": sentence,
            "subject_id": subject_id,
            "subject_kind": subject_kind,
        }
    )


def checkpoint_text(*, number: int, digest: str, at: str, key_id: str) -> str:
    """The canonical text that a checkpoint's Ed25519 signature is over."""
    return canonical({"at": at, "hash": digest, "key_id": key_id, "number": number, "what": "jitportal checkpoint"})


def key_id(public_key: bytes) -> str:
    """The short name of a public key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


class Broken(Exception):
    """The record is not what it was: `number` is the first that is wrong, the text says how."""

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(sentence)
        self.number = number


class Walk:
    """Follows a chain from its beginning, or from a place already trusted, one event at a time."""

    def __init__(self, number: int = 0, digest: str = GENESIS) -> None:
        self.number = number
        self.hash = digest

    def step(self, text: str, stated_hash: str, shown: Mapping[str, object]) -> dict[str, Any]:
        """The record in `text`, when it is the next one and whole; else Broken.

        `shown` holds readable columns as text, to compare with the record; a formula guard (') is fine.
        """
        expected = self.number + 1
        try:
            record = json.loads(text)
            number = record["number"]
            same = _ENCODER.encode(record) == text and isinstance(number, int)
            parts_are_there = record.keys() == _PARTS and isinstance(record["data"], dict)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Broken(expected, f"Record {expected} is not readable as a record.") from None
        if not same or not parts_are_there:
            raise Broken(expected, f"Record {expected} is not in canonical form.")
        if number > expected:
            missing = f"Record {expected} is" if number == expected + 1 else f"Records {expected} to {number - 1} are"
            raise Broken(expected, f"{missing} missing. (A filtered copy has gaps and cannot be verified.)")
        if number < expected:
            raise Broken(number, f"Record {number} comes again after record {self.number}.")
        if sha256(text) != stated_hash:
            raise Broken(number, f"Record {number} was altered: its hash is not the one stated.")
        if record.get("previous") != self.hash:
            raise Broken(number, f"Record {number} does not follow record {self.number}: it names another hash.")
        for column, cell in shown.items():
            said = str(record.get(COLUMNS[column]))
            if cell not in (said, f"'{said}"):
                raise Broken(number, f"Record {number} was altered: {column} says something else than the record.")
        self.number, self.hash = number, stated_hash
        return dict(record)


@dataclass(frozen=True)
class Checkpoint:
    """A signed statement of the chain's hash at a number; `signature` is Ed25519 in hexadecimal."""

    number: int
    hash: str
    at: str
    key_id: str
    signature: str

    def refuse_forgery(self, public_keys: Mapping[str, bytes]) -> None:
        """Raises Broken unless one of the keys, by their ids, signed it."""
        key = public_keys.get(self.key_id)
        if key is None:
            raise Broken(self.number, f"The checkpoint at record {self.number} is signed with another key.")
        text = checkpoint_text(number=self.number, digest=self.hash, at=self.at, key_id=self.key_id)
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            signature = b""
        if not signed(key, text.encode("ascii"), signature):
            raise Broken(self.number, f"The signature of the checkpoint at record {self.number} is wrong.")


def verify_copy(
    rows: Iterable[Mapping[str, object]],
    checkpoints: Iterable[Checkpoint] = (),
    public_keys: Iterable[bytes] = (),
) -> Walk:
    """Walks a copy in bounded memory and holds it against checkpoints; raises Broken at the first fault."""
    keys = {key_id(key): key for key in public_keys}
    stated: dict[int, str] = {}
    for checkpoint in checkpoints:
        checkpoint.refuse_forgery(keys)
        if stated.setdefault(checkpoint.number, checkpoint.hash) != checkpoint.hash:
            raise Broken(checkpoint.number, f"Two checkpoints disagree about record {checkpoint.number}.")
    walk = Walk()
    for row in rows:
        if unproved := row.keys() - COLUMNS.keys() - _PROOF:
            name = next(iter(unproved)) or "one without a name"
            raise Broken(walk.number + 1, f"The copy has a column that its records do not prove: {name}.")
        text, stated_hash = row.get("canonical"), row.get("hash")
        if not isinstance(text, str) or not isinstance(stated_hash, str):
            raise Broken(walk.number + 1, f"Record {walk.number + 1} has no canonical record or no hash.")
        walk.step(text, stated_hash, {column: str(row[column]) for column in COLUMNS if column in row})
        if stated.pop(walk.number, walk.hash) != walk.hash:
            raise Broken(walk.number, f"Record {walk.number} is not the one that its checkpoint signed.")
    if stated:
        raise Broken(
            walk.number + 1,
            f"The copy ends at record {walk.number}, but record {min(stated)} was signed: the records from "
            f"{walk.number + 1} are missing, or the copy is older than its checkpoints.",
        )
    return walk


def rows_of(file: TextIO, name: str) -> Iterator[Mapping[str, object]]:
    """The rows of an open copy: JSON objects one a line when it is named so, else CSV with a header line."""
    if not name.endswith((".jsonl", ".ndjson")):
        # A record may be longer than the 128 KiB that csv takes for a cell.
        csv.field_size_limit(64 * 1024 * 1024)
        copy = csv.DictReader(file, strict=True)
        _refuse_twins(copy.fieldnames or ())
        yield from copy
        return
    for line in file:
        row = json.loads(line, object_pairs_hook=_row)
        yield row if isinstance(row, dict) else {}


def _row(cells: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_twins([name for name, _ in cells])
    return dict(cells)


def _refuse_twins(names: Sequence[str]) -> None:
    # A reader sees both, the verifier only the last.
    if twins := [name for name in names if names.count(name) > 1]:
        raise Broken(0, f"The copy has more than one column {twins[0]}: only one of them could be checked.")


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


# Ed25519, verification only, after RFC 8032 sections 5.1 and 6; no secret is handled, so time may vary.
_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)
_Point: TypeAlias = tuple[int, int, int, int]


def signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the 64-byte Ed25519 signature of the message was made with the 32-byte public key."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, point = _decompressed(public_key), _decompressed(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or point is None or scalar >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _ORDER
    left, right = _multiplied(scalar, _BASE), _sum(point, _multiplied(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 and (left[1] * right[2] - right[1] * left[2]) % _P == 0


def _sum(p: _Point, q: _Point) -> _Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _multiplied(scalar: int, point: _Point) -> _Point:
    result: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _sum(result, point)
        point = _sum(point, point)
        scalar >>= 1
    return result


def _decompressed(encoded: bytes) -> _Point | None:
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return (x, y, 1, x * y % _P)


_BASE: Final[_Point] = _decompressed((4 * pow(5, -1, _P) % _P).to_bytes(32, "little")) or (0, 1, 1, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verifies the copy named on the command line and says what is proved of it; 0 when it is whole, else 1."""
    parser = argparse.ArgumentParser(description="Verifies an exported copy of the ledger.")
    parser.add_argument("copy", type=Path, help="export.csv or export.jsonl, not filtered")
    parser.add_argument("--checkpoint", type=Path, help="checkpoints.json, as downloaded from the portal")
    parser.add_argument("--public-key", action="append", default=[], help="64 hexadecimal digits; may be repeated")
    chosen = parser.parse_args(arguments)
    if bool(chosen.checkpoint) != bool(chosen.public_key):
        parser.error("--checkpoint and --public-key go together: a signature proves nothing without a key you trust.")
    try:
        keys = [bytes.fromhex(text) for text in chosen.public_key]
        checkpoints = _checkpoints(chosen.checkpoint) if chosen.checkpoint else []
        with chosen.copy.open(encoding="utf-8-sig", newline="") as file:
            walk = verify_copy(rows_of(file, chosen.copy.name), checkpoints, keys)
    except Broken as broken:
        sys.stderr.write(f"{broken}\n")
        return 1
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        sys.stderr.write(f"The files cannot be read: {error}\n")
        return 1
    if not walk.number:
        sys.stderr.write("There are no records in this copy.\n")
        return 1
    sys.stdout.write(f"{_proved(walk, checkpoints)}\n")
    return 0


def _proved(walk: Walk, checkpoints: Sequence[Checkpoint]) -> str:
    """What is proved of a copy that is whole, and as loudly what is not."""
    whole, last_hash = f"Records 1 to {walk.number} are whole", f"The last hash is {walk.hash}."
    if not checkpoints:
        return (
            f"{whole}. {last_hash}\nNOTHING HERE IS SIGNED: this does not prove that nothing came after record "
            f"{walk.number}, nor that the whole was not written anew. Give --checkpoint and --public-key for that."
        )
    last = max(checkpoints, key=lambda each: each.number)
    agree = "1 checkpoint agrees" if len(checkpoints) == 1 else f"{len(checkpoints)} checkpoints agree"
    if last.number == walk.number:
        return f"{whole} and {agree}. {last_hash}\nThe copy is signed to its end, record {walk.number}, at {last.at}."
    rest = f"record {walk.number}" if last.number + 1 == walk.number else f"records {last.number + 1} to {walk.number}"
    return (
        f"{whole} and {agree}. {last_hash}\nSigned is what stands to record {last.number}; "
        f"NOTHING SIGNED COVERS {rest}, nor does anything prove that nothing came after."
    )


def _checkpoints(path: Path) -> list[Checkpoint]:
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    listed = content.get("checkpoints", [content]) if isinstance(content, dict) else content
    return [Checkpoint(**{name: each[name] for name in Checkpoint.__dataclass_fields__}) for each in listed]


if __name__ == "__main__":
    sys.exit(main())
