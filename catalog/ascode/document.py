"""A catalog file as it is understood: its objects with their values, each with its place; nothing is looked up yet."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.ascode import tree
from catalog.ascode.sections import DIRECTORY_GROUPS, KEPT_OUT, SECTIONS, VERSION, Parts, Section, is_list
from catalog.ascode.tree import Complaint, Listing, Node, Place, Table, Text, Unreadable
from catalog.names import alike


@dataclass(frozen=True)
class Part:
    """One row of an object's parts: its values by form field."""

    place: Place
    values: Mapping[str, Node]


@dataclass(frozen=True)
class Entry:
    """One object of a file: its values by form field, its parts by their key, and what else is said of it.

    `is_whole` if all that the file says of it has a place here; else it is judged by what has, and never written.
    """

    section: Section
    name: Text
    values: Mapping[str, Node]
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    more: Mapping[str, Node] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    is_whole: bool = True

    def place_of(self, what: str) -> Place:
        """Where a form field or a kind of parts is given; where the object begins, if it is not."""
        return self.places.get(what, self.name.place)

    def text_of(self, what: str) -> str:
        """A value that is one text; empty if it is not given."""
        node = self.values.get(what) or self.more.get(what)
        return node.value if isinstance(node, Text) and not node.is_empty else ""


@dataclass(frozen=True)
class Document:
    """A whole file under the name by which the catalog knows it; `sha256` is of its bytes.

    `complaints` are about the shape of its objects: with any, it is judged further, and not applied.
    """

    name: str
    sha256: str
    text: str = ""
    entries: tuple[Entry, ...] = ()
    kept_out: tuple[Text, ...] = ()
    complaints: tuple[Complaint, ...] = ()

    def of(self, section: Section) -> list[Entry]:
        """The objects of a section, in their order."""
        return [entry for entry in self.entries if entry.section is section]


def read(raw: bytes, name: str) -> Document:
    """Understands a file.

    Raises:
        Unreadable: it is no YAML that can be read here, or has other sections than a catalog file.
    """
    return _Reading(raw, name).document()


class _Reading:
    """One file being read, with what is wrong so far."""

    def __init__(self, raw: bytes, name: str) -> None:
        self._raw, self._name = raw, name
        self._complaints: list[Complaint] = []
        # Whether whole sections are not where they belong: whatever names their objects would be wrong, too.
        self._is_astray = False

    def document(self) -> Document:
        root = self._table(tree.parse(self._raw), "The file", ("version", *(s.key for s in SECTIONS), KEPT_OUT))
        if self._complaints and not root:
            raise Unreadable(*self._complaints)
        version = root.pop("version", None)
        if not isinstance(version, Text) or version.value != VERSION:
            place = version.place if version else Place()
            self._complain(place, f"Begin the file with version: {VERSION}, the only one there is.")
        self._is_astray = bool(self._complaints)
        entries = [
            entry for section in SECTIONS if section.key in root for entry in self._entries(section, root[section.key])
        ]
        kept_out = self._texts(root[KEPT_OUT], KEPT_OUT) if KEPT_OUT in root else ()
        if self._is_astray:
            raise Unreadable(*self._complaints)
        sha256, text = hashlib.sha256(self._raw).hexdigest(), self._raw.decode("utf-8-sig")
        return Document(self._name, sha256, text, tuple(entries), kept_out, tuple(self._complaints))

    def _entries(self, section: Section, node: Node) -> Iterator[Entry]:
        if isinstance(node, Text) and node.is_empty:
            return
        if not isinstance(node, Table):
            self._complain(node.place, f"Under {section.key} stands each {section.kind} by its name.")
            self._is_astray = True
            return
        for name, value in node.entries:
            if section is DIRECTORY_GROUPS and isinstance(value, Text):
                # As most are written: the name, and the object id.
                yield Entry(section, name, {"object_id": value}, places={"object_id": value.place})
            else:
                known = len(self._complaints)
                entry = self._entry(section, name, value)
                yield replace(entry, is_whole=len(self._complaints) == known)

    def _entry(self, section: Section, name: Text, node: Node) -> Entry:
        given = self._table(node, f"“{name.value}”", section.keys)
        parts = {part.key: self._parts(part, given[part.key]) for part in section.parts if part.key in given}
        values = {column: given[key] for key, column in section.fields.items() if key in given}
        for key in section.more:
            if key in given and key != "accounts":
                self._text(given[key], key)
        more = {key: given[key] for key in section.more if key in given}
        if (listed := given.get("accounts")) is not None:
            texts = self._texts(listed, "accounts")
            more["accounts"] = Listing(listed.place, texts) if isinstance(listed, Listing) else listed
        places = {section.fields.get(key, key): value.place for key, value in given.items()}
        return Entry(section, name, self._shaped(section.form, section.fields, values), parts, more, places)

    def _parts(self, parts: Parts, node: Node) -> tuple[Part, ...]:
        if isinstance(node, Text) and node.is_empty:
            return ()
        if not isinstance(node, Listing):
            self._complain(node.place, f"Give {parts.key} as a list, each {parts.kind} beginning with a hyphen.")
            return ()
        found = []
        for item in node.items:
            given = self._table(item, f"A {parts.kind}", tuple(parts.fields))
            values = {parts.fields[key]: value for key, value in given.items()}
            found.append(Part(item.place, self._shaped(parts.form, parts.fields, values)))
        return tuple(found)

    def _shaped(self, form: Any, fields: Mapping[str, str], values: Mapping[str, Node]) -> dict[str, Node]:
        """Those that are lists where lists belong, and texts elsewhere."""
        shaped = {}
        for key, column in fields.items():
            if column not in values:
                continue
            known = len(self._complaints)
            if is_list(form.base_fields[column]):
                self._texts(values[column], key)
            else:
                self._text(values[column], key)
            if len(self._complaints) == known:
                shaped[column] = values[column]
        return shaped

    def _table(self, node: Node, of_what: str, known: tuple[str, ...]) -> dict[str, Node]:
        """The values by their keys, without those that are not known."""
        if isinstance(node, Text) and node.is_empty:
            return {}
        if not isinstance(node, Table):
            self._complain(node.place, f"{of_what} has keys with values, such as {known[0]}: …")
            return {}
        for key, _ in node.entries:
            if key.value not in known:
                said = alike(key.value, known) or f" It may have {', '.join(known)}."
                self._complain(key.place, f"{of_what} has no “{key.value}”.{said}")
        return {key.value: value for key, value in node.entries if key.value in known}

    def _text(self, node: Node, key: str) -> None:
        if not isinstance(node, Text):
            self._complain(node.place, f"Give one value for {key}, not a list or a table.")

    def _texts(self, node: Node, key: str) -> tuple[Text, ...]:
        if isinstance(node, Text) and node.is_empty:
            return ()
        if not isinstance(node, Listing):
            self._complain(node.place, f"Give {key} as a list, such as [first, second].")
            return ()
        found = []
        for item in node.items:
            if not isinstance(item, Text) or item.is_empty or "\n" in item.value:
                self._complain(item.place, f"Each of {key} is one text of one line.")
            else:
                found.append(item)
        return tuple(found)

    def _complain(self, place: Place, text: str) -> None:
        self._complaints.append(Complaint(place, text))
