"""Judges one ask against the access policies, purely: frozen rows and the time in, a judgement with its rules out."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, ParamSpec

from catalog import reasons, step_up
from catalog.account_tags import ANY, Tags, written
from catalog.automatic import Asked, Outcome, Span
from catalog.people import Person
from catalog.stages import Stage
from catalog.step_up import Demand, Proof
from catalog.terms import Policy, Terms, applying, covering, matching, terms_of
from catalog.ticket_examples import LONGEST_TICKET, example

P = ParamSpec("P")

LEAST_DURATION: Final = timedelta(seconds=1)
# A start this little in the past is the time it took to fill in the form.
START_GRACE: Final = timedelta(minutes=5)


# Rules of the portal's own whose reason is the whole rule: their names are for the record, and tell a reader nothing.
SELF_EVIDENT: Final = frozenset(
    {"accounts", "admin", "approver or admin", "catalog", "default deny", "duration", "end", "extension", "form"}
    | {"inventory", "lapse", "longest lead", "once", "one at a time", "owner", "people", "reason", "requester"}
    | {"review", "role", "stages", "start", "state", "ticket"}
)


@dataclass(frozen=True)
class Verdict:
    """Yes or no, in words a person can act on, with the rule that made it.

    `field` is the form field it speaks of; `brief` says it where the reason stands in full elsewhere on the page.
    """

    allowed: bool
    reason: str
    rule: str
    field: str = ""
    brief: str = ""

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def in_full(self) -> str:
        """The reason as sentences that name the rule, which many a reason does already, and some are themselves."""
        named = f"“{self.rule}”"
        is_said = not self.rule or self.rule in SELF_EVIDENT or named in self.reason
        return self.reason if is_said else f"{self.reason} The rule is {named}."


LOCAL_ASKS_FOR_NOTHING: Final = Verdict(
    False, "A local administrator looks after the portal, and asks for no access.", "local administrator", "role"
)


@dataclass(frozen=True)
class Unproven(Verdict):
    """No, until the person has shown fresh proof of who they are for this authentication context."""

    context: str = ""
    longest_age: timedelta = timedelta(0)


@dataclass(frozen=True)
class AccountChoice:
    """An account that was chosen: where it belongs, whether AWS still has it, and its tags, None until AWS has told."""

    account_id: str
    name: str
    environment_id: int | None
    vanished: bool
    tags: Tags | None = ANY


@dataclass(frozen=True)
class Ask:
    """What a person asks for; `start` None means now.

    `already` is the time that the ask comes on top of: what was granted of the same access before, if it extends it.
    `proofs` are judged by how old they were when the ask was made: `made_at`, or now if it is being made. Of one that
    was made before, `begins` says when its access was to begin, if later, and `on_call_by` what `Asked` says.
    `beside` are the person's other asks for the same access; `since` is when that began which it extends.
    """

    role_id: int
    environment_id: int
    accounts: tuple[AccountChoice, ...]
    duration: timedelta
    reason: str
    ticket: str
    start: datetime | None
    already: timedelta = timedelta(0)
    proofs: tuple[Proof, ...] = ()
    made_at: datetime | None = None
    begins: datetime | None = None
    on_call_by: frozenset[str] | None = None
    beside: tuple[Span, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True)
class Judgement:
    """The terms that hold and every refusal; allowed only if there are terms and no refusal.

    `outcome` says whether an ask that is allowed is approved at once; None where no ask was judged.
    """

    terms: Terms | None
    refusals: tuple[Verdict, ...]
    outcome: Outcome | None = None

    @property
    def at_once(self) -> bool:
        """Whether the ask is approved without people."""
        return self.outcome is not None and self.outcome.at_once

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Those who decide on the ask."""
        return () if self.terms is None or self.at_once else self.terms.stages

    @property
    def verdict(self) -> Verdict:
        """The first refusal, or the approval of the policies that hold."""
        if self.refusals:
            return self.refusals[0]
        if self.terms is None:
            return Verdict(False, "No access policy says yes.", "default deny")
        return Verdict(True, "The access policy allows it.", ", ".join(policy.name for policy in self.terms.policies))


def evaluate(policies: Iterable[Policy], person: Person, ask: Ask, now: datetime, longest_lead: timedelta) -> Judgement:
    """Judges an ask; anything not allowed is refused, and a rule that cannot be worked out refuses, too.

    Args:
        policies: all that are in force; those for other roles and environments are passed over.
        person: who asks, as the directory has them at this moment.
        ask: what for.
        now: the moment of judging, aware.
        longest_lead: how far ahead a start may lie.
    """
    concerned = [
        policy for policy in policies if (policy.role_id, policy.environment_id) == (ask.role_id, ask.environment_id)
    ]
    matched = matching(concerned, person)
    if not person.is_active:
        return Judgement(None, (Verdict(False, person.why_inactive("This person is"), "people"),))
    if person.is_local:
        return Judgement(None, (LOCAL_ASKS_FOR_NOTHING,))
    if not matched:
        return Judgement(None, (unmatched(concerned, person),))
    uncovered = tuple(_applied(_covered, matched, ask))
    if not (held := applying(matched, (account.tags for account in ask.accounts))):
        return Judgement(None, uncovered)
    judgement = whatever_is_asked(held)
    if (terms := judgement.terms) is None:
        return judgement
    refusals = [refusal for rule in _OF_ASK for refusal in _applied(rule, terms, ask, now, longest_lead)]
    demands, at = terms.step_up_to_ask, ask.made_at or now
    refusals += _applied(unproven, demands, ask.proofs, person.object_id, at)
    return Judgement(terms, (*judgement.refusals, *uncovered, *refusals), _outcome(terms, person, ask, now))


def _outcome(terms: Terms, person: Person, ask: Ask, now: datetime) -> Outcome:
    """Whether the ask is approved at once; where that cannot be worked out, people decide."""
    begins = ask.begins or (ask.start if ask.start and ask.start > now else None)
    in_all, made_at = ask.already + ask.duration, ask.made_at or now
    asked = Asked(person, in_all, made_at, now, begins, ask.on_call_by, ask.beside, ask.since)
    try:
        return terms.automatic.judged(asked)
    except Exception:  # noqa: BLE001 - whatever goes wrong, nothing is approved by it
        return terms.automatic.left_to_people()


def whatever_is_asked(matched: tuple[Policy, ...]) -> Judgement:
    """The terms of these policies, and what they refuse whatever is asked for; at least one policy."""
    if len({policy.permission_set_id for policy in matched}) > 1:
        names = " and ".join(f"“{policy.name}”" for policy in matched)
        refusal = Verdict(False, f"{names} name different permission sets; an admin must settle it.", names, "role")
        return Judgement(None, (refusal,))
    terms = terms_of(matched)
    return Judgement(terms, tuple(refusal for rule in _OF_TERMS for refusal in _applied(rule, terms)))


def offered(matched: tuple[Policy, ...]) -> Terms | None:
    """The terms of these policies, unless every ask would be refused whatever it asks for; at least one policy."""
    judgement = whatever_is_asked(matched)
    return judgement.terms if not judgement.refusals else None


def unmatched(concerned: Sequence[Policy], person: Person, who: str = "You are") -> Verdict:
    """The refusal of somebody whom none of the policies for a role and environment lets ask, or one keeps from it."""
    closed = {each.rule for policy in concerned for each in policy.closed_by if each.group_id in person.groups}
    if closed:
        rule = min(closed)
        reason = f"{who} in a group that “{rule}” keeps from asking, whatever else allows it."
        return Verdict(False, reason, rule, "role")
    if not concerned:
        return Verdict(False, "No access policy offers this role in this environment.", "default deny", "role")
    names = ", ".join(f"“{policy.name}”" for policy in concerned)
    return Verdict(False, f"{who} in none of the groups or departments that {names} names.", names, "role")


def _applied(rule: Callable[P, Iterator[Verdict]], *given: P.args, **named: P.kwargs) -> list[Verdict]:
    try:
        return list(rule(*given, **named))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a rule, the answer is no
        name = getattr(rule, "__name__", "rule").strip("_").replace("_", " ")
        return [
            Verdict(False, f"The rule about the {name} could not be worked out ({error}); an admin must mend it.", name)
        ]


def _covered(matched: tuple[Policy, ...], ask: Ask) -> Iterator[Verdict]:
    """Each account must be one that a policy is for, and its tags must be known where any goes by them."""
    tagged = [policy for policy in matched if policy.account_tags]
    for account in ask.accounts if tagged else ():
        if account.tags is None:
            reason = f"AWS has not told the tags of {account.name} yet, and “{tagged[0].name}” goes by them."
            yield Verdict(False, f"{reason} The inventory is read every ten minutes.", tagged[0].name, "accounts")
        elif not covering(matched, account.tags):
            # All of them go by tags, or one would be for any account.
            told = (f"“{policy.name}” is for those tagged {written(policy.account_tags)}" for policy in matched)
            reason = f"No policy lets you ask for {account.name}: {'; '.join(told)}."
            yield Verdict(False, reason, ", ".join(policy.name for policy in matched), "accounts")


def _role(terms: Terms) -> Iterator[Verdict]:
    for policy in terms.policies:
        if not policy.role_is_offered:
            yield Verdict(False, f"The role {policy.role} is not offered at present.", f"role {policy.role}", "role")
            return


def _permission_set(terms: Terms) -> Iterator[Verdict]:
    for policy in terms.policies:
        if policy.permission_set_vanished:
            reason = f"AWS no longer has the permission set {policy.permission_set}; an admin must choose another."
            yield Verdict(False, reason, policy.name, "role")
            return


def _accounts(terms: Terms, ask: Ask, now: datetime, longest_lead: timedelta) -> Iterator[Verdict]:
    limit = terms.accounts_per_request
    if not ask.accounts:
        yield Verdict(False, "Choose at least one account.", "accounts", "accounts")
    if len(ask.accounts) > limit.value:
        plural = "account" if limit.value == 1 else "accounts"
        yield Verdict(
            False,
            f"“{limit.rule}” allows {limit.value} {plural} a request; {len(ask.accounts)} are chosen.",
            limit.rule,
            "accounts",
        )
    for account in ask.accounts:
        if account.environment_id != ask.environment_id:
            yield Verdict(False, f"{account.name} is not in this environment.", "catalog", "accounts")
        elif account.vanished:
            yield Verdict(False, f"AWS no longer lists {account.name}.", "inventory", "accounts")


def _duration(terms: Terms, ask: Ask, now: datetime, longest_lead: timedelta) -> Iterator[Verdict]:
    limit = terms.longest_duration
    if ask.duration < LEAST_DURATION:
        yield Verdict(False, "Ask for a time longer than none.", "duration", "duration")
    if ask.already + ask.duration <= limit.value:
        return
    allows = f"“{limit.rule}” allows at most {spell(limit.value)}"
    if ask.already:
        allows = f"{allows} in all: {spell(ask.already)} taken, {spell(limit.value - ask.already)} left"
    yield Verdict(False, f"{allows}.", limit.rule, "duration")


def _start(terms: Terms, ask: Ask, now: datetime, longest_lead: timedelta) -> Iterator[Verdict]:
    if ask.start is None:
        return
    if ask.start < now - START_GRACE:
        yield Verdict(False, "The start lies in the past.", "start", "start")
    if ask.start > now + longest_lead:
        yield Verdict(False, f"The start may lie at most {spell(longest_lead)} ahead.", "longest lead", "start")


def _reason(terms: Terms, ask: Ask, now: datetime, longest_lead: timedelta) -> Iterator[Verdict]:
    least, length = terms.least_reason, reasons.length(ask.reason)
    if length >= least.value:
        return
    if least.rule:
        said = f"“{least.rule}” asks for a reason of at least {least.value} characters; yours has {length}."
    else:
        said = f"Say why in at least {least.value} characters; approvers and auditors read it."
    yield Verdict(False, said, least.rule or "reason", "reason")


def _ticket(terms: Terms, ask: Ask, now: datetime, longest_lead: timedelta) -> Iterator[Verdict]:
    if len(ask.ticket) > LONGEST_TICKET:
        yield Verdict(False, f"A ticket is at most {LONGEST_TICKET} characters.", "ticket", "ticket")
        return
    checks = [check.rule for check in terms.ticket_checks]
    if checks and not ask.ticket and all(re.fullmatch(pattern.value, "") for pattern in terms.ticket_patterns):
        yield Verdict(False, f"“{checks[0]}” has tickets checked: give one.", checks[0], "ticket")
    for pattern in terms.ticket_patterns:
        if not re.fullmatch(pattern.value, ask.ticket):
            shown = example(pattern.value)
            form = f"such as {shown}" if shown else f"of the form {pattern.value}"
            yield Verdict(False, f"“{pattern.rule}” asks for a ticket {form}.", pattern.rule, "ticket")


def unproven(demands: Iterable[Demand], proofs: Iterable[Proof], object_id: str, at: datetime) -> Iterator[Unproven]:
    """A refusal for each demand that none of the proofs meets for this person at this moment."""
    for demand in step_up.unmet(demands, proofs, object_id, at):
        age = f"at most {spell(demand.longest_age)} old"
        by = "" if demand.age_rule == demand.rule else f" (that time by “{demand.age_rule}”)"
        yield Unproven(
            False,
            f"“{demand.rule}” asks for fresh proof of who you are (authentication context "
            f"{demand.context.upper()}), {age}{by}.",
            demand.rule,
            context=demand.context,
            longest_age=demand.longest_age,
        )


def _stages(terms: Terms) -> Iterator[Verdict]:
    if not terms.automatic.is_always and not terms.stages:
        rule = terms.automatic.rule
        yield Verdict(False, f"“{rule}” names nobody who decides; an admin must add a stage.", rule, "role")


# What is wrong whatever is asked for, and what is wrong with this ask.
_OF_TERMS: Final = (_role, _permission_set, _stages)
_OF_ASK: Final = (_accounts, _duration, _start, _reason, _ticket)


def spell(duration: timedelta) -> str:
    """A duration in words: "1 day 2 hours", "45 minutes", "5 seconds"; never more than two units."""
    seconds = max(0, int(duration.total_seconds()))
    parts = []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "no time"
