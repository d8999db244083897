"""The CSV: filtered, recorded before it leaves, streamed, and verifiable when nothing was left out."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client

from auditlog import chain, checkpoints, clock
from auditlog.actions import Action
from auditlog.models import Checkpoint, Event
from jitportal.models import User
from tests.auditlog.conftest import Append
from tests.flush import unprotected


def _export(client: Client, person: User, **filters: str) -> tuple[Any, list[dict[str, str]]]:
    client.force_login(person)
    response = client.get("/audit/export.csv", filters)
    assert response.status_code == 200
    text = response.getvalue().decode("utf-8-sig")
    return response, list(csv.DictReader(io.StringIO(text, newline="")))


def forge(number: int) -> None:
    """What somebody does who may add rows to the table, and does not have the key."""
    row = {"hash": "0" * 64, "at": clock.now(), "key_id": "0" * 16, "signature": "0" * 128}
    Checkpoint.objects.create(number=number, **row)


def test_an_unfiltered_copy_verifies_and_ends_with_its_own_record(
    client: Client, compliance: User, append: Append
) -> None:
    for number in range(3):
        append(data={"reason": f"=reason {number}"})
    _, rows = _export(client, compliance)
    walk = chain.verify_copy(rows)
    assert walk.number == Event.objects.get(action=Action.AUDIT_EXPORTED).number
    assert rows[-1]["action"] == Action.AUDIT_EXPORTED
    assert rows[-1]["actor_name"] == "Cora Compliance"


def test_a_whole_copy_is_signed_to_its_end_when_it_leaves(
    client: Client, compliance: User, append: Append, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    append()
    client.force_login(compliance)
    for name, address in (("ledger.csv", "/audit/export.csv"), ("checkpoints.json", "/audit/checkpoints.json")):
        (tmp_path / name).write_bytes(client.get(address).getvalue())
    key = checkpoints.public_key().hex()
    arguments = [str(tmp_path / "ledger.csv"), "--checkpoint", str(tmp_path / "checkpoints.json"), "--public-key", key]
    assert chain.main(arguments) == 0
    assert "The copy is signed to its end" in capsys.readouterr().out


def test_a_chain_that_does_not_hold_leaves_as_it_is(client: Client, compliance: User, append: Append) -> None:
    append(data={"reason": "As it was."})
    with unprotected():
        Event.objects.filter(number=1).update(canonical="{}")
    _, rows = _export(client, compliance)
    assert rows[-1]["action"] == Action.AUDIT_EXPORTED
    assert not Checkpoint.objects.exists()


def test_a_forged_checkpoint_neither_ends_a_copy_nor_signs_it(
    client: Client, compliance: User, append: Append, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    append()
    for number in (2, 3, 4):
        forge(number)
    response, rows = _export(client, compliance)
    assert re.search(r'filename="ledger-\d{4}-', response["Content-Disposition"])
    signed = Checkpoint.objects.get(number=5)
    signed.stated.refuse_forgery({signed.key_id: checkpoints.public_key()})
    assert rows[-1]["number"] == "5"
    assert [row["action"] for row in rows[2:]] == [Action.AUDIT_CHECKPOINT_FORGED] * 3
    (tmp_path / "checkpoints.json").write_bytes(client.get("/audit/checkpoints.json").content)
    (tmp_path / "ledger.csv").write_bytes(client.get("/audit/export.csv").getvalue())
    arguments = [str(tmp_path / "ledger.csv"), "--checkpoint", str(tmp_path / "checkpoints.json")]
    assert chain.main([*arguments, "--public-key", checkpoints.public_key().hex()]) == 1
    assert "The checkpoint at record 2 is signed with another key." in capsys.readouterr().err


def test_a_copy_that_nothing_signs_to_its_end_says_so_in_its_name(
    client: Client, compliance: User, append: Append
) -> None:
    append()
    for number in range(2, 40):
        forge(number)
    response, rows = _export(client, compliance)
    assert re.search(r'filename="ledger-not-signed-\d{4}-', response["Content-Disposition"])
    assert rows[-1]["action"] == Action.AUDIT_EXPORTED


def test_the_audit_page_says_that_a_checkpoint_is_not_the_portals(
    client: Client, compliance: User, append: Append
) -> None:
    append()
    true = checkpoints.make()
    assert true is not None
    client.force_login(compliance)
    assert "is not signed with the key" not in client.get("/audit/").text
    forge(10**9)
    page = client.get("/audit/").text
    assert "The one at event 1000000000 is not signed with the key that the portal has now" in page
    assert f"Event {true.number} <small" in page


def test_the_export_is_recorded_with_who_and_which_filters(client: Client, compliance: User, append: Append) -> None:
    append()
    _export(client, compliance, action="grant.active", **{"from": "2020-01-01"})
    event = Event.objects.order_by("-number")[0]
    assert event.actor == f"person:{compliance.object_id}"
    assert event.data["filters"] == {"from": "2020-01-01T00:00:00+00:00", "action": "grant.active"}
    assert event.data["up_to"] == event.number


def test_the_name_of_a_copy_says_whether_it_is_a_part(client: Client, compliance: User, append: Append) -> None:
    whole, _ = _export(client, compliance, action="")
    part, _ = _export(client, compliance, action="grant.active")
    assert re.search(r'filename="ledger-\d{4}-[^"]*\.csv"', whole["Content-Disposition"])
    assert re.search(r'filename="ledger-part-\d{4}-[^"]*\.csv"', part["Content-Disposition"])


def test_the_export_is_recorded_before_its_first_byte(client: Client, compliance: User, append: Append) -> None:
    client.force_login(compliance)
    response = client.get("/audit/export.csv")
    assert Event.objects.filter(action=Action.AUDIT_EXPORTED).exists()
    response.close()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_copy_leaves(client: Client, compliance: User, append: Append) -> None:
    append()
    client.force_login(compliance)
    response = client.get("/audit/export.csv")
    assert isinstance(response, StreamingHttpResponse)
    for _ in response.streaming_content:
        assert not connection.in_atomic_block


def test_only_what_the_filters_let_through_is_in_the_copy(client: Client, compliance: User, append: Append) -> None:
    append(Action.GRANT_ACTIVE)
    append(Action.GRANT_ENDED)
    _, rows = _export(client, compliance, action="grant.ended")
    assert [row["action"] for row in rows] == ["grant.ended"]


def test_the_place_in_the_list_does_not_cut_the_copy(client: Client, compliance: User, append: Append) -> None:
    for _ in range(3):
        append()
    _, rows = _export(client, compliance, before="2")
    assert rows[-1]["action"] == Action.AUDIT_EXPORTED
    assert len(rows) == int(rows[-1]["number"])


def test_a_spreadsheet_is_told_that_names_are_utf_8(client: Client, compliance: User, append: Append) -> None:
    append(data={"account": "Zoë’s"})
    client.force_login(compliance)
    response = client.get("/audit/export.csv")
    assert isinstance(response, StreamingHttpResponse)
    content = response.getvalue()
    assert content.startswith(b"\xef\xbb\xbfnumber,at,")
    assert "Zoë’s".encode() in content


def test_the_file_name_says_when(client: Client, compliance: User) -> None:
    response, _ = _export(client, compliance)
    assert re.fullmatch(r'attachment; filename="ledger-\d{4}-\d\d-\d\dT\d{6}Z\.csv"', response["Content-Disposition"])
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in response["Cache-Control"]


def test_a_filter_that_cannot_be_read_exports_nothing_and_keeps_what_was_typed(
    client: Client, compliance: User
) -> None:
    client.force_login(compliance)
    response = client.get("/audit/export.csv", {"from": "yesterday", "actor": "Ada & Co"})
    assert response.status_code == 302
    page = client.get(response["Location"])
    assert page.status_code == 400
    assert "yesterday" in page.text
    assert "Ada &amp; Co" in page.text
    assert not Event.objects.exists()


def test_many_events_are_copied_in_batches_without_a_gap(
    client: Client, compliance: User, append: Append, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditlog.exports._BATCH", 3)
    for _ in range(10):
        append()
    _, rows = _export(client, compliance)
    assert chain.verify_copy(rows).number == 11


def test_an_export_is_read_only_by_get(client: Client, compliance: User) -> None:
    client.force_login(compliance)
    assert client.post("/audit/export.csv").status_code == 405
    assert client.head("/audit/export.csv").status_code == 405
    assert not Event.objects.exists()
