"""Makes the catalog what a file says, inside a transaction that its caller begins, and keeps or undoes."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Count

from auditlog.actor import Actor
from catalog import changes
from catalog.ascode.document import Document, Entry
from catalog.ascode.filling import fill
from catalog.ascode.references import References
from catalog.ascode.sections import DIRECTORY_GROUPS, ENVIRONMENTS, POLICIES, SECTIONS, Section
from catalog.ascode.tree import Complaint, Listing, Place, Text
from catalog.forms import AccountForm
from catalog.models import AccessPolicy, Account, Environment
from catalog.models.environments import account_id_validator
from catalog.uses import StillUsed

# Whatever can be managed by a file, in the order in which it is locked.
MANAGED_MODELS: Final[Sequence[Any]] = (*(section.model for section in SECTIONS), Account)


class Changing:
    """One file on its way into the catalog; `complaints` is what keeps it from being applied.

    Args:
        document: the file.
        actor: who applies it.
        why: why; it is recorded with every change.
        prune: whether what the file managed and no longer names is deleted; else it is released to the admin.
    """

    def __init__(self, document: Document, actor: Actor, why: str, *, prune: bool = False) -> None:
        self._document, self._actor, self._why, self._prune = document, actor, why, prune
        self.complaints: list[Complaint] = [*document.complaints]
        groups = document.of(DIRECTORY_GROUPS)
        self._references = References({each.name.value: each.text_of("object_id").lower() for each in groups})
        self._declared = frozenset((entry.section.model, entry.name.value) for entry in document.entries)
        # By the identity of the entries: their rows, and those that are refused whatever they say.
        self._rows: dict[int, Any] = {}
        self._refused: set[int] = set()
        self._accounts: set[int] = set()

    def run(self) -> None:
        """Writes all that can be written, and finds all that is wrong; `lock` first."""
        for section in SECTIONS:
            entries = self._document.of(section)
            self._meet(section, entries)
            for entry in entries:
                if id(entry) not in self._refused:
                    self._write(entry)
            self._references.forget(section.model)
            if section is ENVIRONMENTS:
                self._place_accounts(entries)
        self._let_go()
        self._hold_policies_together()

    def lock(self) -> None:
        """Whoever saves in the admin, or applies another file, waits; new rows can still come, and are found."""
        for model in MANAGED_MODELS:
            rows = model._default_manager.select_for_update(of=("self",), no_key=True)
            list(rows.order_by("pk").values_list("pk"))

    def _meet(self, section: Section, entries: list[Entry]) -> None:
        """Finds which row each entry speaks of."""
        by: dict[int, Entry] = {}
        for entry in entries:
            row = self._row_of(section, entry)
            if row is None:
                continue
            if row.pk in by:
                said = f"This is the {section.kind} of line {by[row.pk].name.place.line} once more; keep one of them."
                self._complain(entry.name.place, said)
                self._refused.add(id(entry))
                continue
            by[row.pk] = entry
            self._rows[id(entry)] = row
            if not self._is_free(row, entry.name.place):
                self._refused.add(id(entry))

    def _row_of(self, section: Section, entry: Entry) -> Any:
        rows = section.model._default_manager
        if section is DIRECTORY_GROUPS:
            return rows.filter(object_id=entry.text_of("object_id").strip().strip("{}").lower()).first()
        name = " ".join(entry.name.value.split())
        found = rows.filter(name=name).first()
        if found is None and (slug := entry.text_of("slug")):
            found = rows.filter(slug=slug).first()
        if found is None and (former := entry.text_of("renamed_from")):
            found = rows.filter(name=former).first()
        return found

    def _is_free(self, row: Any, place: Place) -> bool:
        manager = row.managed_by_file
        if manager in (None, self._document.name):
            return True
        kind = row._meta.verbose_name
        said = f"The {kind} “{row}” is managed by {manager}; take it out there first, or run catalog release {manager}."
        self._complain(place, said)
        return False

    def _write(self, entry: Entry) -> None:
        beside = frozenset(row.pk for row in self._rows.values() if isinstance(row, AccessPolicy) and row.pk)
        filled = fill(entry, self._rows.get(id(entry)), self._references, self._declared, beside)
        said = filled.judge()
        self.complaints += said
        if said or filled.missing or not entry.is_whole:
            return
        row = filled.form.instance
        self._keep(row, form=filled.form, formsets=filled.formsets)
        self._rows[id(entry)] = row

    def _keep(self, row: Any, *, form: Any, formsets: Iterable[Any] = ()) -> None:
        is_taken_over = row.managed_by_file != self._document.name
        row.managed_by_file = self._document.name
        changes.save(form=form, formsets=formsets, actor=self._actor, why=self._why, is_otherwise_changed=is_taken_over)

    def _place_accounts(self, entries: list[Entry]) -> None:
        """Puts accounts where the file lists them, and takes out what it no longer lists where it lists any."""
        claimed: dict[str, Text] = {}
        for entry in entries:
            environment = self._rows.get(id(entry))
            node = entry.more.get("accounts")
            if not isinstance(node, Listing):
                continue
            listed = [item for item in node.items if isinstance(item, Text)]
            ids = {account_id for item in listed if (account_id := self._put(item, environment, claimed))}
            if isinstance(environment, Environment):
                others = environment.accounts.exclude(account_id__in=ids).exclude(put_by=Account.PutBy.RULE)
                for account in others.order_by("pk"):
                    if self._is_free(account, node.place):
                        self._move(account, None, Account.PutBy.RULE, managed=False)
        for item in self._document.kept_out:
            self._put(item, None, claimed)

    def _put(self, item: Text, environment: Environment | None, claimed: dict[str, Text]) -> str:
        account_id = str(AccountForm.base_fields["account_id"].to_python(item.value))
        try:
            account_id_validator(account_id)
        except ValidationError as error:
            self._complain(item.place, f"“{item.value}”: {error.message}")
            return ""
        if account_id in claimed:
            said = f"Account {account_id} is claimed at line {claimed[account_id].place.line} already; keep one."
            self._complain(item.place, said)
            return ""
        claimed[account_id] = item
        account = Account.objects.filter(account_id=account_id).select_related("environment").first()
        if account is None:
            said = f"The catalog has no account {account_id}. If it is new in AWS, run manage.py sync_inventory."
            self._complain(item.place, said)
            return ""
        self._accounts.add(account.pk)
        if self._is_free(account, item.place):
            self._move(account, environment, Account.PutBy.HAND, managed=True)
        return account_id

    def _move(self, account: Account, environment: Environment | None, put_by: str, *, managed: bool) -> None:
        was = account.put_by
        form = AccountForm({"environment": environment and environment.pk, "put_by": put_by}, instance=account)
        for name in set(form.fields) - {"environment", "put_by"}:
            # AWS says what it is called; only where it belongs is said here.
            form.fields.pop(name)
        form.is_by_file = True
        form.is_valid()
        manager = self._document.name if managed else None
        is_new = account.managed_by_file != manager
        account.managed_by_file = manager
        if not managed:
            # It is left to the rules, which the form would not: there, choosing is an admin's hand.
            account.put_by = None
        elif "environment" not in form.changed_data and was in (None, Account.PutBy.HAND) and environment is not None:
            # It stands here by hand already, from before that was written down.
            account.put_by = was
        else:
            account.put_by = Account.PutBy.HAND
        changes.save(form=form, actor=self._actor, why=self._why, is_otherwise_changed=is_new)

    def _let_go(self) -> None:
        """What this file managed and names no longer is released, or deleted."""
        named = {(type(row), row.pk) for row in self._rows.values()}
        named |= {(Account, pk) for pk in self._accounts}
        for section in reversed(SECTIONS):
            for row in self._managed(section.model):
                if (section.model, row.pk) not in named:
                    self._delete(row) if self._prune else self._release(row)
        for account in self._managed(Account):
            if (Account, account.pk) not in named:
                self._release(account)

    def _managed(self, model: Any) -> list[Any]:
        return list(model._default_manager.filter(managed_by_file=self._document.name).order_by("pk"))

    def _delete(self, row: Any) -> None:
        try:
            changes.delete(instance=row, actor=self._actor, why=self._why)
        except StillUsed as used:
            kind = row._meta.verbose_name
            said = f"The {kind} “{row}”, which the file no longer names, is used by {used}."
            self._complain(Place(), said)

    def _release(self, row: Any) -> None:
        row.managed_by_file = None
        with changes.recorded(row, actor=self._actor, why=self._why):
            row.save()

    def _hold_policies_together(self) -> None:
        """Judges once more, now that all is written, what each policy was not judged by while others changed."""
        pairs = AccessPolicy.objects.filter(is_in_force=True).order_by().values("role", "environment")
        several = pairs.annotate(sets=Count("permission_set", distinct=True)).filter(sets__gt=1)
        torn = set(several.values_list("role", "environment"))
        for entry in self._document.of(POLICIES):
            row = self._rows.get(id(entry))
            if row is None or (row.role_id, row.environment_id) not in torn:
                continue
            again = fill(entry, AccessPolicy.objects.get(pk=row.pk), self._references, self._declared)
            self.complaints += [said for said in again.judge() if said not in self.complaints]

    def _complain(self, place: Place, text: str) -> None:
        self.complaints.append(Complaint(place, text))
