"""YAML as a tree of texts, lists and tables that know their places; everything that could surprise is refused.

Values stay the texts that were written: no account id becomes a number, and no country a truth value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from catalog.names import printable

LARGEST: Final = 2 * 1024 * 1024
DEEPEST: Final = 12
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
# libyaml's, where PyYAML was built with it: the same events, ten times as fast.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, order=True)
class Place:
    """Where something begins in a file, counted from one."""

    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Complaint:
    """What is wrong at a place, and what to do about it."""

    place: Place
    text: str

    def __str__(self) -> str:
        # It may repeat whatever the file has.
        return f"{self.place}: {printable(self.text)}"


class Unreadable(Exception):
    """A file that says nothing that can be acted on; `complaints` has everything that is wrong, in order."""

    def __init__(self, *complaints: Complaint) -> None:
        self.complaints = tuple(sorted(complaints))
        super().__init__("\n".join(map(str, self.complaints)))


@dataclass(frozen=True)
class Text:
    """A single value as it was written; `is_empty` if it is YAML's nothing."""

    place: Place
    value: str
    is_empty: bool = False


@dataclass(frozen=True)
class Listing:
    """Values in their order."""

    place: Place
    items: tuple["Node", ...]


@dataclass(frozen=True)
class Table:
    """Keys with their values, in their order, each key once."""

    place: Place
    entries: tuple[tuple[Text, "Node"], ...]


Node = Text | Listing | Table


def parse(raw: bytes) -> Node:
    """The one document of a file.

    Raises:
        Unreadable: it is too large, no YAML, or uses what files here may not: anchors and aliases, tags, keys that
            are given twice, more than one document, more than twelve levels.
    """
    if len(raw) > LARGEST:
        raise Unreadable(Complaint(Place(), f"The file is larger than {LARGEST // 1024 // 1024} MiB; split it."))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Unreadable(Complaint(Place(line), "This is not UTF-8; save the file in that encoding.")) from None
    try:
        return _Reader(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(filter(None, (error.context, error.problem)))
        place = Place(mark.line + 1, mark.column + 1) if mark else Place()
        raise Unreadable(Complaint(place, f"This is not YAML: {said}.")) from None
    except yaml.reader.ReaderError as error:
        place = Place(text.count("\n", 0, error.position) + 1)
        code = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")
        said = f"There is a character that YAML does not allow (U+{code:04X}); remove it."
        raise Unreadable(Complaint(place, said)) from None


class _Reader:
    """Builds the tree from the parser's events, as they come: what is refused is refused before it can grow."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._complaints: list[Complaint] = []

    def document(self) -> Node:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise Unreadable(Complaint(_place(event), "A second document begins here; keep to one."))
                root = self._node(next(self._events), 1)
        if self._complaints:
            raise Unreadable(*self._complaints)
        return Table(Place(), ()) if root is None or (isinstance(root, Text) and root.is_empty) else root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        place = _place(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(Complaint(place, "Anchors and aliases (& and *) are not used here; write it out."))
        # Plain values have the tag that YAML gives them; only one that somebody wrote is explicit.
        if getattr(event, "tag", None):
            raise Unreadable(Complaint(place, f"Tags ({event.tag}) are not used here; remove it."))  # type: ignore[attr-defined]
        if depth > DEEPEST:
            raise Unreadable(Complaint(place, f"This is more than {DEEPEST} levels deep; no catalog is."))
        if isinstance(event, yaml.ScalarEvent):
            if "\0" in event.value:
                self._complaints.append(Complaint(place, "A text here has no NUL character; no database keeps one."))
                return Text(place, event.value.replace("\0", ""), is_empty=False)
            return Text(place, event.value, is_empty=event.style in (None, "") and event.value in _NOTHING)
        if isinstance(event, yaml.SequenceStartEvent):
            return Listing(place, tuple(self._items(depth + 1)))
        return Table(place, tuple(self._entries(depth + 1)))

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth)

    def _entries(self, depth: int) -> Iterator[tuple[Text, Node]]:
        seen: dict[str, Place] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, value = self._node(event, depth), self._node(next(self._events), depth)
            if not isinstance(key, Text):
                self._complaints.append(Complaint(key.place, "A key is a text here, not a list or a table."))
            elif key.value in seen:
                said = f"“{key.value}” stands at line {seen[key.value].line} already; give it once."
                self._complaints.append(Complaint(key.place, said))
            else:
                seen[key.value] = key.place
                yield key, value


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place()
