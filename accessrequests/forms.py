"""What people send: an ask, a decision, a reason. Forms check the shape; whether it is allowed, the policies say."""

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from accessrequests.models import Decision
from accessrequests.workflow import Form, MoreTime
from catalog.fields import Line, LocalMoment, Prose
from catalog.models import Account, Environment, Role
from catalog.offers import Offer
from catalog.policy import Unproven, Verdict, spell
from catalog.zones import zones

LONGEST_TEXT: Final = 2000
MOST_ACCOUNTS: Final = 500
LONGEST_MINUTES: Final = 525_600
_ACCOUNT_ID: Final = re.compile(r"[0-9]{12}\Z", re.ASCII)
_SENSIBLE: Final = tuple(timedelta(minutes=m) for m in (15, 30, 60, 120, 240, 480, 720, 1440, 2880, 4320, 10080))


@dataclass(frozen=True)
class Choice:
    """One radio button or checkbox."""

    value: str
    label: str
    checked: bool
    note: str = ""


def refused(refusal: Verdict) -> ValidationError:
    """A refusal as a form carries it: the reason, and beside it the rule and what is said above the form."""
    said = {"reason": refusal.reason, "rule": refusal.rule, "brief": refusal.brief}
    return ValidationError("%(reason)s", code="refused", params=said)


def add_refusals(form: forms.Form, refusals: Iterable[Verdict]) -> None:
    """Puts each refusal at the field that it speaks of, or above the form."""
    for refusal in refusals:
        form.add_error(refusal.field if refusal.field in form.fields else None, refused(refusal))


def add_objections(form: forms.Form, refusals: Iterable[Verdict]) -> None:
    """Adds what the policies have against a form that could not be read whole, but where something is said already.

    What could not be read stands for nothing in their eyes, so of it they would only say that it is missing. Proof is
    asked for when all else is right.
    """
    said = {"duration" if name == "minutes" else name for name in form.errors}
    add_refusals(form, [each for each in refusals if each.field not in said and not isinstance(each, Unproven)])


class WhatForm(forms.Form):
    """Which role, in which environment, by their short names: the query of the page, and two fields of its form."""

    role = forms.CharField(error_messages={"required": "Choose a role."})
    environment = forms.CharField(error_messages={"required": "Choose an environment."})

    def clean_role(self) -> Role:
        found = Role.objects.filter(slug=_slug(self.cleaned_data["role"])).first()
        if found is None:
            raise self._unknown("role")
        return found

    def clean_environment(self) -> Environment:
        found = Environment.objects.filter(slug=_slug(self.cleaned_data["environment"])).first()
        if found is None:
            raise self._unknown("environment")
        return found

    def _unknown(self, kind: str) -> ValidationError:
        name = self.cleaned_data[kind][:80]
        return ValidationError("There is no %(kind)s “%(name)s”.", params={"kind": kind, "name": name})


def _slug(text: str) -> str:
    """The text if it could be a short name at all; databases refuse to compare with some of what could be sent."""
    return text if re.fullmatch(r"[-a-zA-Z0-9_]{1,80}", text, re.ASCII) else ""


class AccountsField(forms.MultipleChoiceField):
    """Accounts by their id; any that the catalog has, for the policies say which may be asked for."""

    def validate(self, value: Sequence[str]) -> None:
        forms.Field.validate(self, value)

    def clean(self, value: Any) -> list[Account]:
        ids = list(dict.fromkeys(super().clean(value)))
        if len(ids) > MOST_ACCOUNTS:
            raise ValidationError("Choose fewer accounts.")
        found = {row.account_id: row for row in Account.objects.filter(account_id__in=filter(_ACCOUNT_ID.match, ids))}
        if unknown := [text for text in ids if text not in found]:
            raise ValidationError("There is no account “%(text)s”.", params={"text": unknown[0][:40]})
        return [found[text] for text in ids]


class AskForm(forms.Form):
    """What every ask says: for how long and why. `longest` and `default` are None where nothing is offered."""

    longest: timedelta | None = None
    default: timedelta | None = None

    id = forms.UUIDField(
        error_messages={
            "required": "This form was incomplete; send it again.",
            "invalid": "This form was damaged; send it again.",
        }
    )
    duration = forms.CharField(error_messages={"required": "Choose for how long."})
    minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_MINUTES,
        error_messages={
            "invalid": "Give a whole number of minutes.",
            "min_value": "Ask for one minute at least.",
            "max_value": "That is longer than anybody may ask for.",
        },
    )
    reason = Prose(
        max_length=LONGEST_TEXT,
        error_messages={
            "required": "Say why you need it; approvers and auditors read it.",
            "max_length": f"Say it in at most {LONGEST_TEXT} characters.",
        },
    )
    ticket = Line(required=False, max_length=LONGEST_TEXT)

    def __init__(self, data: MultiValueDict[str, Any] | None = None) -> None:
        super().__init__(data)
        self.fresh_id = str(uuid.uuid4())

    def clean_duration(self) -> timedelta | None:
        """None stands for minutes of one's own."""
        text = self.cleaned_data["duration"]
        if text == "other":
            return None
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            raise ValidationError("Choose for how long.")
        return timedelta(seconds=int(text))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "duration" in cleaned and "minutes" in cleaned:
            self._settle_duration(cleaned)
        return cleaned

    def _settle_duration(self, cleaned: dict[str, Any]) -> None:
        chosen, minutes = cleaned["duration"], cleaned["minutes"]
        if chosen is None and minutes is None:
            self.add_error("duration", "Say how many minutes.")
        elif chosen is None:
            cleaned["duration"] = timedelta(minutes=minutes)
        elif minutes is not None and timedelta(minutes=minutes) != chosen:
            self.add_error("duration", f"You chose {spell(chosen)} and also typed {minutes} minutes. Keep one of them.")

    @property
    def id_value(self) -> str:
        """The id to send next: the same as long as the ask is the same, a fresh one if that cannot be used."""
        damaged = not self.is_bound or "id" in self.errors
        used_up = self.is_bound and any(
            (error.params or {}).get("rule") == "form" for error in self.errors.as_data().get("__all__", [])
        )
        return self.fresh_id if damaged or used_up else str(self["id"].value())

    @property
    def duration_choices(self) -> list[Choice]:
        """A few sensible lengths up to the longest; the default is chosen already."""
        longest = self.longest or _SENSIBLE[5]
        shorter = [length for length in _SENSIBLE if length < longest]
        lengths = sorted({*shorter[-5:], *filter(None, (self.default,)), longest})
        chosen = str(self["duration"].value()) if self.is_bound else str(_seconds(self.default or longest))
        return [
            Choice(
                str(_seconds(length)),
                spell(length),
                str(_seconds(length)) == chosen,
                "longest" if length == longest else "",
            )
            for length in lengths
        ]

    @property
    def is_other_duration(self) -> bool:
        """Whether the length is one's own."""
        return self.is_bound and self["duration"].value() == "other"


class RequestForm(AskForm, WhatForm):
    """An ask for access. Without an offer (there was none, or it is gone) it still keeps what was typed."""

    accounts = AccountsField(error_messages={"required": "Choose at least one account."})
    when = forms.ChoiceField(
        choices=[("now", ""), ("later", "")], required=False, error_messages={"invalid_choice": "Choose when to begin."}
    )
    start = LocalMoment(
        required=False, error_messages={"invalid": "Give the day and the time, such as 2026-11-20 14:30."}
    )
    zone = forms.CharField(required=False)

    field_order = (
        "role",
        "environment",
        "id",
        "accounts",
        "duration",
        "minutes",
        "zone",
        "when",
        "start",
        "reason",
        "ticket",
    )

    def __init__(self, data: MultiValueDict[str, Any] | None = None, *, offer: Offer | None) -> None:
        super().__init__(data)
        self.offer = offer
        if offer:
            self.longest, self.default = offer.terms.longest_duration.value, offer.terms.default_duration.value
        start = self.fields["start"]
        if isinstance(start, LocalMoment):
            start.zone = str((data.get("zone") if data else "") or "UTC")

    def clean_zone(self) -> str:
        zone = self.cleaned_data["zone"] or "UTC"
        if zone not in zones():
            self.add_error(
                "start", ValidationError("The time zone “%(zone)s” is not known.", params={"zone": zone[:40]})
            )
        return str(zone)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "start" in cleaned and "when" in cleaned:
            self._settle_start(cleaned)
        return cleaned

    def _settle_start(self, cleaned: dict[str, Any]) -> None:
        if cleaned["when"] == "later" and cleaned["start"] is None:
            self.add_error("start", "Give the day and the time at which it should begin.")
        elif cleaned["when"] != "later" and cleaned["start"] is not None:
            self.add_error("start", "You gave a time, but chose to begin at once. Keep one of them.")

    def ask(self) -> Form:
        """What was filled in, for `workflow.submit`; only of a valid form."""
        given = self.cleaned_data
        return Form(
            id=given["id"],
            role=given["role"],
            environment=given["environment"],
            accounts=given["accounts"],
            duration=given["duration"],
            reason=given["reason"],
            ticket=given["ticket"],
            start=given["start"],
        )

    def draft(self) -> Form | None:
        """What could be read of a form that is not valid; None if it does not say what is asked for."""
        given = self.cleaned_data
        if "role" not in given or "environment" not in given:
            return None
        return Form(
            id=uuid.uuid4(),
            role=given["role"],
            environment=given["environment"],
            accounts=given.get("accounts", ()),
            duration=given.get("duration") or timedelta(0),
            reason=given.get("reason", ""),
            ticket=given.get("ticket", ""),
            start=given.get("start"),
        )

    # What the page shows.

    @property
    def account_choices(self) -> list[Choice]:
        """The accounts of the offer; the only one is chosen already."""
        accounts = self.offer.accounts if self.offer else ()
        chosen = (
            set(self["accounts"].value() or ())
            if self.is_bound
            else {row.account_id for row in accounts if len(accounts) == 1}
        )
        return [Choice(row.account_id, row.name, row.account_id in chosen, row.account_id) for row in accounts]

    @property
    def takes_one_account(self) -> bool:
        """Whether choosing one account is choosing against the others."""
        return bool(self.offer and self.offer.terms.accounts_per_request.value == 1)

    @property
    def starts_later(self) -> bool:
        """Whether a start was chosen."""
        return self.is_bound and self["when"].value() == "later"

    @property
    def zone_value(self) -> str:
        """The zone that a typed start is in."""
        zone = str(self["zone"].value() or "") if self.is_bound else ""
        return zone if zone in zones() else "UTC"


class ExtensionForm(AskForm):
    """An ask for more time on a request; `left` is how much its policies still allow, None if they offer nothing."""

    field_order = ("id", "duration", "minutes", "reason", "ticket")

    def __init__(
        self, data: MultiValueDict[str, Any] | None = None, *, offer: Offer | None, left: timedelta | None
    ) -> None:
        super().__init__(data)
        if offer and left and left > timedelta(0):
            self.longest, self.default = left, min(left, offer.terms.default_duration.value)

    def more(self) -> MoreTime:
        """What was filled in, for `workflow.extend`; only of a valid form."""
        given = self.cleaned_data
        return MoreTime(given["id"], given["duration"], given["reason"], given["ticket"])

    def draft(self) -> MoreTime:
        """What could be read of a form that is not valid."""
        given = self.cleaned_data
        duration = given.get("duration") or timedelta(0)
        return MoreTime(uuid.uuid4(), duration, given.get("reason", ""), given.get("ticket", ""))


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


class DecisionForm(forms.Form):
    """An approver's yes or no."""

    answer = forms.ChoiceField(
        choices=Decision.Answer.choices,
        error_messages={"required": "Choose Approve or Deny.", "invalid_choice": "Choose Approve or Deny."},
    )
    comment = Prose(
        required=False,
        max_length=LONGEST_TEXT,
        error_messages={"max_length": f"Say it in at most {LONGEST_TEXT} characters."},
    )
    digest = forms.CharField(
        max_length=64, error_messages={"required": "This form was incomplete; look at the request again."}
    )


class RevocationForm(forms.Form):
    """Why somebody's access is ended."""

    reason = Prose(
        max_length=LONGEST_TEXT,
        error_messages={
            "required": "Say why; it is recorded.",
            "max_length": f"Say it in at most {LONGEST_TEXT} characters.",
        },
    )
