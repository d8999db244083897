"""Delta queries: pages of what has changed, with links to the next page and to what will change after it."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from jitportal.demo.directory.graph_objects import group_object, person_object
from jitportal.demo.directory.graph_refusals import invalid, link_too_old
from jitportal.demo.directory.journal import Kind
from jitportal.demo.directory.tenant import Directory


@dataclass(frozen=True)
class _State:
    """What a link stands for: the changes of a kind from `begin`, up to `end` if it is one of several pages."""

    kind: Kind
    generation: str
    select: str
    begin: int
    end: int = -1
    page: int = 0


class Deltas:
    """One directory's delta queries. Links are good as long as nobody calls `forget`, and not in another process."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._generation = secrets.token_hex(8)

    def forget(self) -> None:
        """Every link that was given out is too old from now on."""
        self._generation = secrets.token_hex(8)

    def page(self, kind: Kind, parameters: dict[str, str], size: int) -> dict[str, Any]:
        """One page, of at most `size` objects. Raises GraphRefused."""
        journal = self._directory.journal
        token = parameters.get("$skiptoken") or parameters.get("$deltatoken")
        if token == "latest" or not token:
            fresh = _State(kind, self._generation, parameters.get("$select", ""), 0)
            state = replace(fresh, begin=journal.end) if token else fresh
        else:
            state = self._read(kind, token)
        if state.end < 0:
            state = replace(state, end=journal.end)
        changed = list(journal.between(kind, state.begin, state.end).items())
        here = changed[state.page * size : (state.page + 1) * size]
        read = self._person if kind == "users" else self._group
        body: dict[str, Any] = {"value": [read(object_id, members, state.select) for object_id, members in here]}
        if (state.page + 1) * size < len(changed):
            body["@odata.nextLink"] = self._link("$skiptoken", replace(state, page=state.page + 1))
        else:
            later = replace(state, begin=state.end, end=-1, page=0)
            body["@odata.deltaLink"] = self._link("$deltatoken", later)
        return body

    def _person(self, object_id: str, _members: list[str], select: str) -> dict[str, Any]:
        person = self._directory.people.get(object_id)
        if person is None:
            return {"id": object_id, "@removed": {"reason": "changed"}}
        found = person_object(person, select)
        if person.manager in self._directory.people and "manager" in {name.strip() for name in select.split(",")}:
            found["manager@delta"] = [{"@odata.type": "#microsoft.graph.user", "id": person.manager}]
        return found

    def _group(self, object_id: str, members: list[str], select: str) -> dict[str, Any]:
        group = self._directory.groups[object_id]
        selected = {name.strip() for name in select.split(",")}
        found = group_object(group, select)
        if members and (not select or "members" in selected):
            found["members@delta"] = [self._member(object_id, member) for member in members]
        return found

    def _member(self, group_id: str, member: str) -> dict[str, Any]:
        nested = self._directory.groups.get(member)
        person = self._directory.people.get(member)
        groups = nested.within if nested else person.groups if person else ()
        kind = "group" if nested else "user"
        found: dict[str, Any] = {"@odata.type": f"#microsoft.graph.{kind}", "id": member}
        if group_id not in {group.object_id for group in groups}:
            found["@removed"] = {"reason": "deleted"}
        return found

    def _read(self, kind: Kind, token: str) -> _State:
        try:
            state = _State(**json.loads(base64.urlsafe_b64decode(token)))
        except (ValueError, TypeError):
            raise invalid("Badly formed token.") from None
        if state.kind != kind:
            raise invalid("Badly formed token.")
        if state.generation != self._generation:
            raise link_too_old()
        return state

    def _link(self, parameter: str, state: _State) -> str:
        token = base64.urlsafe_b64encode(json.dumps(asdict(state)).encode()).decode()
        return f"{self._directory.graph_url}/v1.0/{state.kind}/delta?{urlencode({parameter: token})}"
