"""What somebody is shown of a change before it is made, and a digest by which they agree to exactly that."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models

from auditlog import chain
from auditlog.chain import JSON
from catalog.effect import Effect, Kind
from catalog.effects import effects
from catalog.membership import Now
from catalog.told_changes import lines
from catalog.trial import Trial

HEADINGS = {
    Kind.GAIN: "More is possible",
    Kind.LOSE: "Less is possible",
    Kind.LOOSER: "On looser terms",
    Kind.STRICTER: "On stricter terms",
    Kind.CHANGE: "Different",
}


@dataclass(frozen=True)
class Preview:
    """What a change does: to people, field by field, what would be amiss, and where a second admin must agree."""

    effects: tuple[Effect, ...]
    fields: tuple[dict[str, str], ...]
    problems: tuple[str, ...]
    sensitive: tuple[str, ...]
    # Of what is behind the names in the above.
    behind: str = ""

    @property
    def counts(self) -> bool:
        """Whether anybody should look at it before it is made."""
        return bool(self.effects or self.sensitive)

    @property
    def grouped(self) -> list[tuple[str, list[str]]]:
        """The effects under headings, the weightiest first."""
        found: dict[str, list[str]] = {}
        for effect in self.effects:
            found.setdefault(HEADINGS[effect.kind], []).append(effect.text)
        return list(found.items())

    @property
    def digest(self) -> str:
        """SHA-256 of what it does: of another change, or of the same in another catalog, another."""
        return chain.sha256(chain.canonical({"preview": self.told(), "behind": self.behind}))

    def told(self) -> dict[str, JSON]:
        """As rows and events keep it."""
        return {
            "effects": [{"kind": str(effect.kind), "text": effect.text} for effect in self.effects],
            "fields": [dict(line) for line in self.fields],
            "problems": list(self.problems),
            "sensitive": list(self.sensitive),
        }


def preview(trial: Trial, model: type[models.Model] | None = None, fields: Iterable[dict[str, str]] = ()) -> Preview:
    """The preview of a change of one object of this model, or of one that tells its fields itself."""
    told = lines(model, trial.changes, with_ids=True) if model else fields
    found = effects(trial.before, trial.after, Now())
    return Preview(found, tuple(told), trial.problems, trial.sensitive, trial.digest)


def effects_of(told: Any) -> list[tuple[str, list[str]]]:
    """The effects that `Preview.told` kept, under headings."""
    kept = tuple(Effect(Kind(each["kind"]), each["text"]) for each in told.get("effects", ()))
    return Preview(kept, (), (), ()).grouped
