"""An append-only file of JSON lines that survives the death of the process at any byte."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class JournalInUseError(OSError):
    """Another process holds the file."""


class Journal:
    """One line an entry; each has reached the kernel when ``append`` returns, so kill -9 loses nothing."""

    def __init__(self, path: Path) -> None:
        """Take ``path`` for this process alone; JournalInUseError if another has it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        # A file of its own is locked, because rewrite() replaces the other one.
        self._lock = path.with_name(path.name + ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise JournalInUseError(f"{path} is in use by another simulator; stop that one first") from error
        self._file = -1

    def read(self) -> list[Entry]:
        """Every entry; a last line that was cut short is dropped, since its call was never answered.

        ValueError if an earlier line is damaged.
        """
        if not self._path.exists():
            return []
        *lines, _cut_short = self._path.read_bytes().split(b"\n")
        entries: list[Entry] = []
        for number, line in enumerate(lines, start=1):
            try:
                entries.append(json.loads(line))
            except ValueError as error:
                raise ValueError(f"{self._path}, line {number}, is damaged; remove the file to start over") from error
        return entries

    def rewrite(self, entries: list[Entry]) -> None:
        """Replace the file by ``entries``, whole or not at all."""
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("wb") as file:
            file.writelines(_line(entry) for entry in entries)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._close_file()
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)

    def append(self, entry: Entry) -> None:
        """Add one entry."""
        rest = memoryview(_line(entry))
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        """Release the file."""
        self._close_file()
        self._lock.close()

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _line(entry: Entry) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"
