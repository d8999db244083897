"""What the names that people gave in AWS say: the role behind a permission set, and the environment of an account."""

import re
from collections.abc import Iterable
from typing import Final

from catalog.models import Account, Sensitivity

_WORDS: Final = {
    Sensitivity.PRODUCTION: frozenset({"prod", "production", "prd", "live"}),
    Sensitivity.STAGING: frozenset(
        {"stag", "staging", "stage", "stg", "preprod", "uat", "qa", "test", "testing", "acceptance", "nonprod"}
    ),
    Sensitivity.DEVELOPMENT: frozenset({"dev", "development", "devel"}),
    Sensitivity.SANDBOX: frozenset({"sandbox", "sandboxes", "sbx", "playground", "lab", "labs"}),
}
_TAGS: Final = ("environment", "env", "stage")
# What stands in the names of permission sets, and says nothing of the job.
BARE: Final = frozenset({"aws", "access", "permissionset", "permission", "permissions", "set", "role", "sso", "ps"})
_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LONGEST: Final = 80


def environment_word(account: Account) -> str:
    """The name of the environment that an account's unit, tags or name speak of, the nearest first; maybe empty."""
    tags = {key.lower(): value for key, value in (account.tags or {}).items()}
    units = reversed((account.ou_path or "").split("/"))
    for text in (*units, *(tags.get(tag, "") for tag in _TAGS), account.name):
        if sensitivity := _sensitivity(_parts(text)):
            return str(sensitivity.label)
    return ""


def sensitivity_of(word: str) -> Sensitivity:
    """The sensitivity of an environment by its name; of one that says nothing, the highest."""
    return _sensitivity(_parts(word)) or Sensitivity.PRODUCTION


def human(name: str) -> str:
    """A permission set's name as people would say it, without what they would not: AWSReadOnlyAccess is "Read Only"."""
    parts = _parts(name)
    said = [part for part in parts if part.lower() not in BARE and not _sensitivity([part])]
    return _capitals(said or parts) or name


def told_apart(name: str) -> str:
    """As `human`, with every word of the name: for those that would be called the same."""
    return _capitals(_parts(name)) or name


def _capitals(parts: Iterable[str]) -> str:
    return " ".join(f"{part[:1].upper()}{part[1:]}" for part in parts)[:_LONGEST]


def _parts(text: str) -> list[str]:
    return [part for each in text.split("DevOps") for part in (*_PARTS.findall(each), "DevOps")][:-1]


def _sensitivity(parts: Iterable[str]) -> Sensitivity | None:
    words = {part.lower() for part in parts}
    # "non-prod" and "pre-prod" are no production.
    if words & {"non", "pre"} and words & _WORDS[Sensitivity.PRODUCTION]:
        return Sensitivity.STAGING
    return next((sensitivity for sensitivity, known in _WORDS.items() if words & known), None)
