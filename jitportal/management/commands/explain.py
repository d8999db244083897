"""`manage.py explain`: who can ask for what, why somebody can (not), what a group could reach, on the command line."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog import answers
from catalog.answers import Crowd, Reach, Reached, Who
from catalog.deciders import Deciding
from catalog.duties import Duty
from catalog.explain_forms import Question, ReachForm, WhoForm, WhyForm
from catalog.policy import spell
from catalog.templatetags.explained import by, could, first_names, open_to, without_manager
from catalog.terms import Terms
from catalog.wording import at_once

FORMS: Final[dict[str, type[Question]]] = {"who": WhoForm, "why": WhyForm, "reach": ReachForm}


class Command(BaseCommand):
    """The same answers as the page /explain/ gives."""

    help = "Explain who can ask for what, by which rule and group, and who would decide; now or at a past time."

    def add_arguments(self, parser: CommandParser) -> None:
        questions = parser.add_subparsers(dest="question", required=True)
        for name, words in (
            ("who", "who can ask for a role in an environment"),
            ("why", "why a person can, or cannot, ask for it; or all that they can ask for"),
            ("reach", "what the members of a directory group could ask for"),
        ):
            question = questions.add_parser(name, help=words)
            for field in FORMS[name].base_fields:
                needed = FORMS[name].base_fields[field].required
                question.add_argument(f"--{field}", required=needed, default="", help=_HELP[field])

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the answer.

        Raises:
            CommandError: the question cannot be understood; the message says at what.
        """
        form = FORMS[options["question"]]({name: options[name] for name in FORMS[options["question"]].base_fields})
        if not form.is_valid():
            raise CommandError(" ".join(f"--{name}: {' '.join(map(str, said))}" for name, said in form.errors.items()))
        given = form.cleaned_data
        if options["question"] == "who":
            lines = _who(answers.who_can_ask(given["role"], given["environment"], given["at"]))
        elif options["question"] == "why":
            wanted = {"role": given["role"], "environment": given["environment"]}
            lines = _reach(answers.why(given["person"].pk, given["at"], **wanted))
        else:
            lines = _reach(answers.reach_of_group(given["group"], given["at"]))
        self.stdout.writelines(f"{line}\n" for line in lines)


_HELP: Final[Mapping[str, str]] = {
    "role": "short name of the role, as in addresses of pages",
    "environment": "short name of the environment",
    "person": "user name, object id, or a part of the name",
    "group": "object id, or a part of the name",
    "at": "a past time in UTC, such as '2026-11-20 14:30'; default: now",
}


def _who(who: Who) -> Iterable[str]:
    yield f"{who.count} can ask for {who.role} in {who.environment}."
    for policy in who.policies:
        yield f"“{policy.name}” is open to {open_to(policy, who.groups)}."
    for crowd in who.crowds:
        yield from _crowd(crowd)
    for each in who.listed:
        yield f"  {each.person.name} ({each.person.user_name}): {'; '.join(by(b, who.groups) for b in each.because)}"
    if who.count > len(who.listed):
        yield f"  and {who.count - len(who.listed)} more"


def _crowd(crowd: Crowd) -> Iterable[str]:
    names = " and ".join(f"“{policy.name}”" for policy in crowd.policies)
    where = f" for {crowd.part.accounts}" if crowd.part.accounts else ""
    yield f"{crowd.count} by {names}{where}:"
    yield from (f"  refused: {refusal.reason}" for refusal in crowd.refusals)
    if crowd.without_manager:
        yield f"  {without_manager(crowd)}"
    yield from _terms(crowd.terms, crowd.deciding, crowd.duties)


def _reach(reach: Reach) -> Iterable[str]:
    if not reach.is_known:
        yield "The portal did not know this person then."
    elif not reach.reached:
        yield f"{reach.name} can ask for nothing."
    for each in reach.reached:
        yield from _reached(each, reach.groups)


def _reached(each: Reached, groups: Mapping[str, str]) -> Iterable[str]:
    standing = each.standing
    where = f", {standing.accounts}" if standing.accounts else ""
    yield f"{standing.role} in {standing.environment}{where}: {'can ask' if each.may_ask else 'cannot'}"
    yield from (f"  {refusal.reason}" for refusal in each.refusals)
    yield from (f"  let in by {by(because, groups)}" for because in standing.because)
    yield from (f"  not by “{policy.name}”, open to {open_to(policy, groups)}" for policy in standing.closed)
    yield from _terms(standing.terms, each.deciding, each.duties)


def _terms(terms: Terms | None, deciding: Iterable[Deciding], duties: Iterable[Duty]) -> Iterable[str]:
    if terms is None:
        return
    yield f"  at most {spell(terms.longest_duration.value)}, by “{terms.longest_duration.rule}”"
    yield from (f"  a ticket of the form {pattern.value}, by “{pattern.rule}”" for pattern in terms.ticket_patterns)
    yield from (f"  which the ticket system is asked about, by “{check.rule}”" for check in terms.ticket_checks)
    if terms.least_reason.rule:
        yield f"  a reason of at least {terms.least_reason.value} characters, by “{terms.least_reason.rule}”"
    if said := at_once(terms.automatic):
        yield f"  approved {said[:1].lower()}{said[1:]}, by “{terms.automatic.rule}”"
    for duty in duties:
        answer = {True: "yes, ", False: "no, ", None: ""}[duty.is_theirs]
        yield f"  on call: {answer}{duty.by}{f': {duty.told}' if duty.told else ''}"
    for step in deciding:
        people = f" ({names})" if (names := first_names(step)) else ""
        stage = step.stage
        yield f"  {stage.asked}, by “{stage.rule}”: {could(step)}{people}"
