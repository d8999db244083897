"""`manage.py explain`: who can ask for what, why somebody can (not), what a group could reach, on the command line."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog import answers
from catalog.answers import Crowd, Reach, Reached, Who
from catalog.deciders import Deciding
from catalog.explain_forms import Question, ReachForm, WhoForm, WhyForm
from catalog.policy import Terms, spell
from catalog.templatetags.explained import by, could, first_names, open_to

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
    yield f"{crowd.count} by {names}:"
    yield from (f"  refused: {refusal.reason}" for refusal in crowd.refusals)
    yield from _terms(crowd.terms, crowd.deciding)


def _reach(reach: Reach) -> Iterable[str]:
    if not reach.is_known:
        yield "The portal did not know this person then."
    elif not reach.reached:
        yield f"{reach.name} can ask for nothing."
    for each in reach.reached:
        yield from _reached(each, reach.groups)


def _reached(each: Reached, groups: Mapping[str, str]) -> Iterable[str]:
    standing = each.standing
    yield f"{standing.role} in {standing.environment}: {'can ask' if each.may_ask else 'cannot'}"
    yield from (f"  {refusal.reason}" for refusal in each.refusals)
    yield from (f"  let in by {by(because, groups)}" for because in standing.because)
    yield from (f"  not by “{policy.name}”, open to {open_to(policy, groups)}" for policy in standing.closed)
    yield from _terms(standing.terms, each.deciding)


def _terms(terms: Terms | None, deciding: Iterable[Deciding]) -> Iterable[str]:
    if terms is None:
        return
    yield f"  at most {spell(terms.longest_duration.value)}, by “{terms.longest_duration.rule}”"
    if terms.approves_automatically.value:
        yield f"  approved at once, by “{terms.approves_automatically.rule}”"
    for step in deciding:
        people = f" ({first_names(step)})" if step.names else ""
        stage = step.stage
        yield f"  {stage.approvals_needed} of {stage.approver_group}, by “{stage.rule}”: {could(step)}{people}"
