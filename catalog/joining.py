"""Which environment an account joins by rules on its organisational unit and its tags.

Whoever may tag or move accounts in AWS must not thereby open one: what an admin has put somewhere stays there, what two
environments claim joins neither, an account that has been in one environment joins only a more sensitive one, and
nothing joins by tags that have not just been read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max

from catalog import changes
from catalog.inventory import INVENTORY
from catalog.models import Account, AccountRule, Environment
from catalog.names import alike
from catalog.one_writer import wait_for_others

TagsOf = Callable[[str], Mapping[str, str] | None]


@dataclass(frozen=True)
class Place:
    """Where an account belongs by the rules, and, if rules claim it in vain, why."""

    environment: Environment | None
    problem: str = ""


def matches(rule: AccountRule, account: Account) -> bool:
    """Whether all that the rule says is true of the account."""
    path = account.ou_path or ""
    is_there = not rule.ou_path or path == rule.ou_path or path.startswith(f"{rule.ou_path}/")
    is_tagged = not rule.tag_key or (account.tags or {}).get(rule.tag_key) == rule.tag_value
    return is_there and is_tagged


def place(account: Account, rules: Iterable[AccountRule], been_in: Mapping[int, int]) -> Place:
    """Where an account that no admin has put anywhere belongs.

    Args:
        account: which; its tags have been read.
        rules: all there are.
        been_in: the environments it has ever been in, by id, each with the highest sensitivity that it has had.
    """
    claimants = {rule.environment_id: rule.environment for rule in rules if matches(rule, account)}
    if len(claimants) > 1:
        names = " and ".join(sorted(environment.name for environment in claimants.values()))
        return Place(None, f"Rules of {names} both claim {account}: it is in neither. Change one of them.")
    for environment in claimants.values():
        if account.is_management:
            return Place(
                None,
                f"A rule of {environment} claims {account}, the organisation’s management account, which none may. "
                "Change the rule.",
            )
        elsewhere = [sensitivity for pk, sensitivity in been_in.items() if pk != environment.pk]
        if environment.sensitivity <= max(elsewhere, default=0):
            return Place(
                None,
                f"A rule of {environment} claims {account}, which has been in another environment that is no less "
                "sensitive. If that is meant, put it there by hand.",
            )
        return Place(environment)
    return Place(None)


def apply(tags_of: TagsOf) -> list[Account]:
    """Lets accounts join and leave as the rules say, each in a transaction of its own; those that did.

    `tags_of` asks AWS: before an account joins where rules go by tags, its tags are read anew. None: it is gone.
    """
    rules = _rules()
    goes_by_tags = any(rule.tag_key for rule in rules)
    moved = []
    for account, found in _places(rules):
        if not _moves(account, found):
            continue
        tags = tags_of(account.account_id) if found.environment and goes_by_tags else account.tags
        if tags is not None or not goes_by_tags or not found.environment:
            moved += _move(account.pk, rules, tags)
    return moved


def _move(pk: int, rules: Sequence[AccountRule], tags: Mapping[str, str] | None) -> list[Account]:
    """Moves one account by what is true of it now, and of these tags."""
    with transaction.atomic():
        account = Account.objects.select_for_update(of=("self",), no_key=True).select_related("environment").get(pk=pk)
        wait_for_others()
        if account.vanished_at or not is_open_to_rules(account):
            return []
        account.tags = None if tags is None else dict(tags)
        found = place(account, rules, been_in([account.account_id]).get(account.account_id, {}))
        if not _moves(account, found):
            return []
        account.environment = found.environment
        account.put_by = Account.PutBy.RULE if found.environment else None
        why = "By a rule of the environment." if found.environment else "No rule puts it there any more."
        with changes.recorded(account, actor=INVENTORY, why=why):
            account.save(update_fields=["environment", "put_by", "tags"])
    return [account]


def _moves(account: Account, found: Place) -> bool:
    return account.environment_id != (found.environment and found.environment.pk)


def moves(*, with_vanished: bool = False) -> list[tuple[Account, Environment | None]]:
    """Which accounts will move, as far as is known before their tags are read anew, and whereto.

    What vanished from AWS moves only once AWS lists it again, and is asked for separately.
    """
    placed = _places(_rules(), with_vanished=with_vanished)
    return [(account, found.environment) for account, found in placed if _moves(account, found)]


def problems(using: str = "default") -> list[tuple[Account, str]]:
    """Every account that rules claim in vain, with a sentence on it."""
    return [(account, found.problem) for account, found in _places(_rules(using), using) if found.problem]


def empty_units(using: str = "default") -> list[tuple[AccountRule, str]]:
    """Every rule whose organisational unit holds no account of the inventory, with a sentence on it.

    Nothing before the inventory has been read: then it is not known what there is.
    """
    listed = Account.objects.using(using).filter(vanished_at=None)
    parts = [path.split("/") for path in listed.values_list("ou_path", flat=True) if path]
    known = {"/".join(names[:depth]) for names in parts for depth in range(1, len(names) + 1)}
    rules = [rule for rule in _rules(using) if known and rule.ou_path and rule.ou_path not in known]
    said = "A rule of {} names the organisational unit “{}”, in which AWS lists no account.{}"
    return [(rule, said.format(rule.environment, rule.ou_path, alike(rule.ou_path, known))) for rule in rules]


def is_open_to_rules(account: Account) -> bool:
    """Whether rules may move it: no admin has put it where it is, or kept it out."""
    if account.put_by is None:
        return account.environment_id is None
    return account.put_by == Account.PutBy.RULE


def _rules(using: str = "default") -> list[AccountRule]:
    return list(AccountRule.objects.using(using).select_related("environment"))


def _places(
    rules: Sequence[AccountRule], using: str = "default", *, with_vanished: bool = False
) -> list[tuple[Account, Place]]:
    known = Account.objects.using(using)
    rows = known.all() if with_vanished else known.filter(vanished_at=None)
    accounts = [row for row in rows if is_open_to_rules(row)]
    claimed = [row.account_id for row in accounts if any(matches(rule, row) for rule in rules)]
    known_in = been_in(claimed, using) if claimed else {}
    return [(account, place(account, rules, known_in.get(account.account_id, {}))) for account in accounts]


def been_in(account_ids: Sequence[str], using: str = "default") -> Mapping[str, Mapping[int, int]]:
    """By account: the environments that it has been in, by id, with the highest sensitivity that each has had.

    An account whose row was deleted and made anew is the same account.
    """
    versions = Environment.history.using(using).order_by().values_list("id")
    sensitivity = dict(versions.annotate(most=Max("sensitivity")).values_list("id", "most"))
    rows = Account.history.using(using).filter(account_id__in=account_ids).exclude(environment=None).order_by()
    found: dict[str, dict[int, int]] = {}
    for account_id, environment in rows.values_list("account_id", "environment_id").distinct():
        found.setdefault(account_id, {})[environment] = sensitivity.get(environment, 0)
    return found
