"""Which environment an account joins by rules on its organisational unit and its tags.

Whoever may tag or move accounts in AWS must not thereby open one: what an admin has put somewhere stays there, what two
environments claim joins neither, and nothing joins a less sensitive environment than it has ever been in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from auditlog.actor import Actor
from catalog import changes
from catalog.models import Account, AccountRule, Environment

JOINING: Final = Actor.system("inventory")


@dataclass(frozen=True)
class Place:
    """Where an account belongs by the rules, and, if rules claim it in vain, why."""

    environment: Environment | None
    problem: str = ""


def matches(rule: AccountRule, account: Account) -> bool:
    """Whether all that the rule says is true of the account; what AWS has not told yet is not."""
    path = account.ou_path or ""
    is_there = not rule.ou_path or path == rule.ou_path or path.startswith(f"{rule.ou_path}/")
    is_tagged = not rule.tag_key or (account.tags or {}).get(rule.tag_key) == rule.tag_value
    return is_there and is_tagged


def place(account: Account, rules: Iterable[AccountRule], most_sensitive: int) -> Place:
    """Where an account that no admin has put anywhere belongs.

    Args:
        account: which.
        rules: all there are.
        most_sensitive: the highest sensitivity of the environments it has ever been in; 0 if it was in none.
    """
    claimants = {rule.environment_id: rule.environment for rule in rules if matches(rule, account)}
    if len(claimants) > 1:
        names = " and ".join(sorted(environment.name for environment in claimants.values()))
        return Place(None, f"Rules of {names} both claim {account}: it is in neither. Change one of them.")
    for environment in claimants.values():
        if environment.sensitivity < most_sensitive:
            return Place(
                None,
                f"A rule of {environment} claims {account}, which has been in a more sensitive environment. "
                "If that is meant, put it there by hand.",
            )
        return Place(environment)
    return Place(None)


def apply() -> list[Account]:
    """Lets accounts join and leave as the rules say; those that did."""
    moved = []
    for account, found in _places():
        put_by = Account.PutBy.RULE if found.environment else None
        if (account.environment_id, account.put_by) == (found.environment and found.environment.pk, put_by):
            continue
        account.environment, account.put_by = found.environment, put_by
        why = "By a rule of the environment." if found.environment else "No rule puts it there any more."
        with changes.recorded(account, actor=JOINING, why=why):
            account.save()
        moved.append(account)
    return moved


def problems(using: str = "default") -> list[tuple[Account, str]]:
    """Every account that rules claim in vain, with a sentence on it."""
    return [(account, found.problem) for account, found in _places(using) if found.problem]


def _places(using: str = "default") -> list[tuple[Account, Place]]:
    rules = list(AccountRule.objects.using(using).select_related("environment"))
    accounts = Account.objects.using(using).filter(vanished_at=None)
    open_to_rules = [account for account in accounts if is_open_to_rules(account)]
    claimed = [account.pk for account in open_to_rules if any(matches(rule, account) for rule in rules)]
    most = _most_sensitive(claimed, using) if claimed else {}
    return [(account, place(account, rules, most.get(account.pk, 0))) for account in open_to_rules]


def is_open_to_rules(account: Account) -> bool:
    """Whether rules may move it: no admin has put it where it is, or kept it out."""
    if account.put_by is None:
        return account.environment_id is None
    return account.put_by == Account.PutBy.RULE


def _most_sensitive(keys: Sequence[int], using: str) -> Mapping[int, int]:
    sensitivity = dict(Environment.objects.using(using).values_list("pk", "sensitivity"))
    versions = Account.history.using(using).filter(id__in=keys).exclude(environment=None)
    most: dict[int, int] = {}
    for pk, environment in versions.values_list("id", "environment_id").distinct():
        most[pk] = max(most.get(pk, 0), sensitivity.get(environment, 0))
    return most
