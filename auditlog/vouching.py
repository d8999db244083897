"""Which history rows the events vouch for, each of which must be as it was; and how many nothing vouches for."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from auditlog import chain, history

_PAGE: Final = 8192
_LAST_ID: Final = 2**63 - 1


class Vouching:
    """Checks the history rows that events name, in bounded memory: a bit for each, whatever there is of it.

    `vouched` counts those that an event names, `unvouched` those that none does, by what they are versions of. Of
    assignments that is no fault: their steps leave versions that no event is about.
    """

    def __init__(self) -> None:
        tracked = history.tracked()
        self._tables = {table._meta.label: table for table in tracked.values()}
        self._names = {
            table._meta.label: str(model._meta.verbose_name_plural).lower() for model, table in tracked.items()
        }
        self._marked: dict[str, _Marks] = defaultdict(_Marks)
        # Counted before the events are walked: what comes meanwhile has its event after their end.
        self._rows: dict[str, int] = {label: table._default_manager.count() for label, table in self._tables.items()}

    @property
    def vouched(self) -> int:
        counts: list[int] = [marks.count for marks in self._marked.values()]
        return sum(counts)

    @property
    def unvouched(self) -> dict[str, int]:
        left = {self._names[label]: rows - self._marked[label].count for label, rows in self._rows.items()}
        return {name: count for name, count in left.items() if count > 0}

    def check(self, batch: Sequence[Mapping[str, Any]]) -> None:
        """Looks up what these records vouch for; raises chain.Broken at the first row that is not as it was."""
        named: dict[str, dict[int, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
        for record in batch:
            number = record["number"]
            try:
                for entry in record["data"].get("history") or ():
                    named[entry["model"]][_id(entry["history_id"])].append((number, entry["sha256"]))
            except (KeyError, TypeError, ValueError):
                raise chain.Broken(number, f"Event {number} vouches for history in a way nobody reads.") from None
        for label, entries in named.items():
            self._check_table(label, entries)

    def _check_table(self, label: str, entries: Mapping[int, Sequence[tuple[int, str]]]) -> None:
        table = self._tables.get(label)
        if table is None:
            number = min(number for said in entries.values() for number, _ in said)
            raise chain.Broken(number, f"There is no history table {label} any more.")
        rows = table._default_manager.in_bulk(list(entries))
        for key, said in entries.items():
            row = rows.get(key)
            if row is None:
                number = said[0][0]
                raise chain.Broken(number, f"Event {number} vouches for row {key} of {label}, which is missing.")
            digest = history.digest(row)
            for number, stated in said:
                if stated != digest:
                    raise chain.Broken(number, f"Event {number} vouches for row {key} of {label}, which was altered.")
            self._marked[label].add(key)


def _id(value: Any) -> int:
    if not 0 < (number := int(value)) <= _LAST_ID:
        raise ValueError(value)
    return number


class _Marks:
    """A set of numbers at a bit each, in pages, so that one far away costs no more than one nearby."""

    def __init__(self) -> None:
        self.count = 0
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> None:
        page, place = divmod(number, _PAGE)
        bits = self._pages.setdefault(page, bytearray(_PAGE // 8))
        byte, bit = divmod(place, 8)
        if not bits[byte] >> bit & 1:
            bits[byte] |= 1 << bit
            self.count += 1
