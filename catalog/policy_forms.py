"""Forms of access policies and their stages: each term by itself, and all of them together."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from catalog import automatic_forms, reasons
from catalog.fields import AccountTags, Duration, Lines, Name, TicketPattern, YesNoOr
from catalog.forms import CatalogForm
from catalog.membership import Now
from catalog.models import AccessPolicy, ApprovalStage
from catalog.numbered_forms import NumberedFormset
from catalog.offers import object_ids
from catalog.policy import LEAST_DURATION, spell

LONGEST: Final = timedelta(days=7)
LEAST_ESCALATION: Final = timedelta(minutes=1)
LONGEST_PROOF: Final = timedelta(hours=12)
MOST_ACCOUNTS: Final = 50
MOST_APPROVALS: Final = 10


class AccessPolicyForm(CatalogForm):
    """An access policy. One that is not in force may be incomplete, so that it can always be switched off."""

    # Policies that change together with this one: it need not agree with what they say as yet.
    beside: frozenset[int] = frozenset()

    departments = Lines(
        required=False,
        help_text="One a line, as the directory spells them. People of any of them may ask, too.",
    )

    account_tags = AccountTags(
        required=False,
        help_text="One a line, such as data=personal: this policy is only for accounts that have all of these tags in "
        "AWS. Empty: for every account of the environment.",
    )
    tickets_checked = forms.BooleanField(
        required=False,
        label="Tickets are checked",
        help_text="Each ticket is asked about at the ticket system when the ask is sent: nothing but a yes within 3 "
        "seconds lets it through.",
    )

    class Meta:
        model = AccessPolicy
        fields = (
            "name",
            "is_in_force",
            "role",
            "environment",
            "account_tags",
            "permission_set",
            "requestable_by",
            "closed_to",
            "departments",
            "default_duration",
            "longest_duration",
            "accounts_per_request",
            "ticket_pattern",
            "tickets_checked",
            "least_reason",
            "automatic_approval",
            "automatic_up_to",
            "on_call_group",
            "on_call_schedule",
            "newcomers_agree",
            "step_up_context",
            "step_up_for",
            "step_up_longest_age",
        )
        field_classes: ClassVar = {
            "name": Name,
            "default_duration": Duration,
            "longest_duration": Duration,
            "automatic_up_to": Duration,
            "step_up_longest_age": Duration,
            "ticket_pattern": TicketPattern,
        }
        labels: ClassVar = {"on_call_group": "On-call group", "on_call_schedule": "On-call schedule"}
        widgets: ClassVar = {"newcomers_agree": YesNoOr("Everywhere but in Production")}
        help_texts: ClassVar = {
            "name": "People are shown it as the rule that allows, limits or refuses, such as “Payments support”.",
            "is_in_force": "Off: nobody can ask by this policy. Access that runs is not touched.",
            "environment": "Every account of the environment can be asked for, unless tags are named.",
            "permission_set": "What the role may do there. All policies for one role and environment name the same.",
            "requestable_by": "Members of any of these groups may ask.",
            "closed_to": "Members of any of these may not ask for this role in this environment, by no policy at all.",
            "default_duration": "What the form suggests, such as 1h or 1h 30m.",
            "longest_duration": f"At most {spell(LONGEST)}. If several policies hold, the shortest counts.",
            "accounts_per_request": f"From 1 to {MOST_ACCOUNTS}.",
            "ticket_pattern": r"A regular expression that the whole ticket must match, such as (PAY|OPS)-\d{1,6}. "
            "Empty: no ticket is asked for.",
            "least_reason": f"In characters, at most {reasons.MOST}. Empty: {reasons.LEAST}, which the portal asks for "
            "anyway. If several policies hold, the longest counts.",
            "automatic_approval": "Only what every policy that holds approves at once is approved at once.",
            "automatic_up_to": "Such as 1h. Of more time the stages decide; an extension counts with what it extends.",
            "on_call_group": "Its members are on call, as the directory says.",
            "on_call_schedule": "Whoever has the turn by this schedule is on call.",
            "newcomers_agree": "Whether somebody may agree who came to the group, or to be the manager, after the ask.",
            "step_up_context": "An authentication context of Entra’s conditional access that people must meet anew. "
            "Empty: a sign-in is enough. If several policies hold, every context of theirs counts.",
            "step_up_for": "When they must show it.",
            "step_up_longest_age": "Such as 15m, at most 12h. If several policies hold, the shortest counts.",
        }

    def clean_tickets_checked(self) -> bool | None:
        return self.cleaned_data["tickets_checked"] or None

    def clean_accounts_per_request(self) -> int:
        count: int = self.cleaned_data["accounts_per_request"]
        if not 1 <= count <= MOST_ACCOUNTS:
            raise ValidationError(f"Give a number from 1 to {MOST_ACCOUNTS}.", "invalid")
        return count

    def clean_least_reason(self) -> int | None:
        least: int | None = self.cleaned_data["least_reason"]
        if least is not None and not reasons.LEAST < least <= reasons.MOST:
            portals = f"{reasons.LEAST}, which the portal asks for anyway"
            raise ValidationError(f"Give more than {portals}, and at most {reasons.MOST}.", "invalid")
        return least

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self._check_who(cleaned)
        self._check_durations(cleaned)
        self._check_tickets(cleaned)
        for field, reason in automatic_forms.refusals(cleaned):
            if field not in self.errors:
                self.add_error(field, reason)
        self._check_step_up(cleaned)
        if cleaned.get("is_in_force"):
            self._check_permission_set(cleaned)
        return cleaned

    def _check_who(self, cleaned: dict[str, Any]) -> None:
        if both := set(cleaned.get("requestable_by") or ()) & set(cleaned.get("closed_to") or ()):
            names = ", ".join(sorted(group.name for group in both))
            self.add_error("closed_to", f"{names} may ask and may not: take it out of one of the two.")

    def _check_durations(self, cleaned: dict[str, Any]) -> None:
        default, longest = cleaned.get("default_duration"), cleaned.get("longest_duration")
        if default is not None and default < LEAST_DURATION:
            self.add_error("default_duration", "Give a time longer than none.")
        if longest is not None and longest > LONGEST:
            self.add_error("longest_duration", f"Give at most {spell(LONGEST)}.")
        if default is not None and longest is not None and default > longest:
            self.add_error("default_duration", f"It is longer than the longest duration, {spell(longest)}.")

    def _check_tickets(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("tickets_checked") or "ticket_pattern" in self.errors:
            return
        if not cleaned.get("ticket_pattern"):
            self.add_error("ticket_pattern", "Say which tickets there are: only what has their form is checked.")
        elif "tickets_checked" in self.changed_data and not settings.TICKET_SYSTEM:
            self.add_error("tickets_checked", "No ticket system is connected: set TICKET_WEBHOOK_URL first.")

    def _check_step_up(self, cleaned: dict[str, Any]) -> None:
        terms = ("step_up_context", "step_up_for", "step_up_longest_age")
        for name in terms:
            cleaned[name] = cleaned.get(name) or None
        given = [name for name in terms if cleaned[name] or name in self.errors]
        for name in terms:
            if given and name not in given:
                self.add_error(name, "Say this, too, or leave all three of the proof empty.")
        # An error at a field takes its value away.
        age = cleaned.get("step_up_longest_age")
        if age is not None and not timedelta(minutes=1) <= age <= LONGEST_PROOF:
            self.add_error("step_up_longest_age", f"Give from 1 minute to {spell(LONGEST_PROOF)}.")

    def _check_permission_set(self, cleaned: dict[str, Any]) -> None:
        permission_set, role, environment = (cleaned.get(name) for name in ("permission_set", "role", "environment"))
        if permission_set is None:
            return
        if permission_set.vanished_at:
            self.add_error("permission_set", "AWS no longer has this permission set; choose another.")
        if role is None or environment is None:
            return
        rivals = AccessPolicy.objects.filter(role=role, environment=environment, is_in_force=True)
        rival = (
            rivals.exclude(pk__in={*self.beside, self.instance.pk} - {None})
            .exclude(permission_set=permission_set)
            .select_related("permission_set")
            .first()
        )
        if rival:
            reason = f"“{rival}” names {rival.permission_set} for the same role and environment; the two must agree."
            self.add_error("permission_set", reason)


class ApprovalStageForm(forms.ModelForm):  # type: ignore[type-arg]
    """One stage of a policy."""

    class Meta:
        model = ApprovalStage
        fields = ("position", "approver_group", "approvals_needed", "escalates_after", "escalation_group")
        field_classes: ClassVar = {"escalates_after": Duration}
        help_texts: ClassVar = {
            "approvals_needed": "How many different people of the group must agree.",
            "escalates_after": "Undecided for so long, such as 4h, the escalation group may decide, too.",
            "escalation_group": "Empty: only the approver group decides.",
        }

    def clean_approvals_needed(self) -> int:
        count: int = self.cleaned_data["approvals_needed"]
        if not 1 <= count <= MOST_APPROVALS:
            raise ValidationError(f"Give a number from 1 to {MOST_APPROVALS}.", "invalid")
        return count

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        group, count = cleaned.get("approver_group"), cleaned.get("approvals_needed")
        if group and group.is_requesters_manager:
            if count and count > 1:
                self.add_error("approvals_needed", "Everybody has one manager: give 1.")
        elif group and count and {"approver_group", "approvals_needed"} & set(self.changed_data):
            known, _ = Now().members(object_ids(group.directory_groups.all()), count)
            # Of a group that nobody of has signed in yet, nobody can say how many they are: that is a warning.
            if 0 < known < count:
                people = "1 person" if known == 1 else f"{known} people"
                reason = f"{group} has {people} that have signed in here: {count} could never agree."
                self.add_error("approvals_needed", reason)
        self._check_escalation(cleaned)
        return cleaned

    def _check_escalation(self, cleaned: dict[str, Any]) -> None:
        after, group = cleaned.get("escalates_after"), cleaned.get("escalation_group")
        if after is not None and after < LEAST_ESCALATION:
            self.add_error("escalates_after", f"Give at least {spell(LEAST_ESCALATION)}.")
        elif after is not None and after >= settings.REQUEST_LAPSES_AFTER:
            lapses = spell(settings.REQUEST_LAPSES_AFTER)
            self.add_error(
                "escalates_after", f"A request lapses undecided after {lapses}: it would never come to this."
            )
        elif after is not None and group is None and "escalation_group" not in self.errors:
            self.add_error("escalation_group", "Say who may decide then, too, or leave the time empty.")
        if group is not None and after is None and "escalates_after" not in self.errors:
            self.add_error("escalates_after", "Say after how long, or leave the group empty.")
        if group is not None and group.is_requesters_manager:
            self.add_error("escalation_group", "The manager is asked at a stage of their own: choose another.")
        elif group is not None and group == cleaned.get("approver_group"):
            self.add_error("escalation_group", "It decides at this stage anyway; choose another.")

    def validate_constraints(self) -> None:
        """Left to the formset, which sees all stages: one by one, two that change places would collide."""


class ApprovalStageFormset(NumberedFormset):
    """All stages of a policy together."""

    rows_are_called = "stages"

    def clean(self) -> None:
        stages = self.kept()
        policy = self.instance
        by_people = policy.automatic_approval != AccessPolicy.AutomaticApproval.ALWAYS
        if policy.is_in_force and by_people and not stages:
            raise ValidationError(
                "Nobody would decide. Add a stage, let the policy always approve, or take it out of force.",
                "empty",
            )
        by_manager = [
            form for form in stages if getattr(form.cleaned_data.get("approver_group"), "is_requesters_manager", None)
        ]
        for form in by_manager[1:]:
            form.add_error("approver_group", "The requester’s manager decides at another stage, and everybody once.")
        self.number()
