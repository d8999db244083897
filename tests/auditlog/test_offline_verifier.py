"""The file an auditor runs on a copy: what is whole passes, and every kind of tampering is named."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auditlog import chain, checkpoints, exports
from auditlog.models import Event
from tests.auditlog.conftest import Append

Rows = list[dict[str, str]]


@pytest.fixture
def rows(append: Append) -> Rows:
    """The rows of a copy of five events, one of which a spreadsheet would calculate."""
    for number in range(4):
        append(data={"reason": f"reason {number}"})
    append(data={"reason": "=1+1"}, subject=None)
    text = "".join(exports.stream(Event.objects.all(), 5, exports.as_jsonl))
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs the verifier as an auditor does: the file alone, isolated from everything installed."""
    alone = tmp_path / "chain.py"
    alone.write_text(Path(chain.__file__).read_text())

    def run(copy: Path, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", str(alone), str(copy), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, (done.stdout + done.stderr).strip()

    return run


def _csv(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, exports.HEADER)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _broken(rows: Rows) -> chain.Broken:
    with pytest.raises(chain.Broken) as broken:
        chain.verify_copy(rows)
    return broken.value


def test_an_exported_csv_is_whole(append: Append, tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    append(data={"reason": "=1+1", "text": 'quotes " and, commas\r\nand lines'})
    append(data={"reason": "x" * 300_000})
    copy = tmp_path / "export.csv"
    copy.write_text("".join(exports.stream(Event.objects.all(), 2, exports.as_csv)), encoding="utf-8", newline="")
    code, said = run(copy)
    assert code == 0
    assert said.startswith(f"Records 1 to 2 are whole. The last hash is {Event.objects.get(pk=2).hash}.")


def test_an_exported_jsonl_is_whole(rows: Rows, tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    copy = tmp_path / "export.jsonl"
    copy.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(copy)[0] == 0


def test_a_copy_and_its_checkpoints_agree(rows: Rows, tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    checkpoint = checkpoints.make()
    assert checkpoint is not None
    file = tmp_path / "checkpoints.json"
    file.write_text(json.dumps({"checkpoints": [asdict(checkpoint.stated)]}))
    copy, key = _csv(tmp_path / "export.csv", rows), checkpoints.public_key().hex()
    assert run(copy, "--checkpoint", str(file), "--public-key", key)[0] == 0
    short = _csv(tmp_path / "short.csv", rows[:3])
    code, said = run(short, "--checkpoint", str(file), "--public-key", key)
    assert (code, "ends at record 3" in said) == (1, True)
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    code, said = run(copy, "--checkpoint", str(file), "--public-key", stranger)
    assert (code, said) == (1, "The checkpoint at record 5 is signed with another key.")


def test_a_rewritten_copy_is_caught_by_its_checkpoint(rows: Rows) -> None:
    checkpoint = checkpoints.make()
    assert checkpoint is not None
    forged, previous = [], chain.GENESIS
    for row in rows:
        record = json.loads(row["canonical"]) | {"previous": previous, "actor_name": "Somebody Else"}
        text = chain.canonical(record)
        previous = chain.sha256(text)
        forged.append({"canonical": text, "hash": previous})
    assert chain.verify_copy(forged).number == 5
    with pytest.raises(chain.Broken, match="Record 5 is not the one that its checkpoint signed"):
        chain.verify_copy(forged, [checkpoint.stated], [checkpoints.public_key()])


def test_a_forged_signature_is_caught(rows: Rows) -> None:
    checkpoint = checkpoints.make()
    assert checkpoint is not None
    forged = chain.Checkpoint(**asdict(checkpoint.stated) | {"signature": "00" * 64})
    with pytest.raises(chain.Broken, match="signature of the checkpoint at record 5 is wrong"):
        chain.verify_copy(rows, [forged], [checkpoints.public_key()])


def test_a_gap_is_named(rows: Rows) -> None:
    assert str(_broken(rows[:1] + rows[2:])).startswith("Record 2 is missing.")
    assert str(_broken(rows[:1] + rows[3:])).startswith("Records 2 to 3 are missing.")
    assert _broken(rows[2:]).number == 1


def test_a_record_that_comes_twice_is_named(rows: Rows) -> None:
    assert str(_broken(rows[:3] + rows[2:])) == "Record 3 comes again after record 3."


def test_records_in_another_order_are_named(rows: Rows) -> None:
    assert _broken([rows[0], rows[2], rows[1], *rows[3:]]).number == 2


def test_an_altered_record_is_named(rows: Rows) -> None:
    rows[2]["canonical"] = rows[2]["canonical"].replace("reason 2", "reason 9")
    assert str(_broken(rows)) == "Record 3 was altered: its hash is not the one stated."


def test_an_altered_record_with_a_hash_to_match_breaks_the_next(rows: Rows) -> None:
    for column in ("sentence", "canonical"):
        rows[2][column] = rows[2][column].replace("reason 2", "reason 9")
    rows[2]["hash"] = chain.sha256(rows[2]["canonical"])
    assert str(_broken(rows)) == "Record 4 does not follow record 3: it names another hash."


@pytest.mark.parametrize("column", list(chain.COLUMNS))
def test_a_readable_column_that_says_something_else_is_named(rows: Rows, column: str) -> None:
    rows[1][column] = "forged"
    assert str(_broken(rows)) == f"Record 2 was altered: {column} says something else than the record."


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "NaN", "7", '{"number":1}', "[" * 100_000, '{"data":{},"number":"1"}']
)
def test_what_is_no_record_is_named(rows: Rows, text: str) -> None:
    rows[1]["canonical"] = text
    assert _broken(rows).number == 2


def test_a_column_that_no_record_proves_is_not_taken(rows: Rows) -> None:
    rows[1]["remark"] = "denied"
    assert str(_broken(rows)) == "The copy has a column that its records do not prove: remark."


def test_a_record_with_more_cells_than_the_heading_is_not_taken(
    rows: Rows, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    copy = _csv(tmp_path / "export.csv", rows)
    copy.write_text(copy.read_text().replace("\n", ",and denied\n").replace(",and denied", "", 1))
    assert run(copy) == (1, "The copy has a column that its records do not prove: one without a name.")


def test_a_column_that_comes_twice_is_not_taken(
    rows: Rows, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    header, *lines = exports.as_csv([exports.HEADER, *([*row.values()] for row in rows)]).splitlines()
    copy = tmp_path / "export.csv"
    copy.write_text("\n".join([f"sentence,{header}", *(f"It was denied,{line}" for line in lines)]))
    code, said = run(copy)
    assert (code, said) == (1, "The copy has more than one column sentence: only one of them could be checked.")
    copy = tmp_path / "export.jsonl"
    copy.write_text("".join('{"sentence": "It was denied", ' + json.dumps(row)[1:] + "\n" for row in rows))
    assert run(copy) == (code, said)


def test_a_sentence_that_was_forged_is_named(rows: Rows, tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    rows[2]["sentence"] = rows[2]["sentence"].replace("Payments", "Ledger") + " after all"
    copy = _csv(tmp_path / "export.csv", rows)
    assert run(copy) == (1, "Record 3 was altered: sentence says something else than the record.")


def test_without_a_checkpoint_the_end_is_said_to_be_unproved(
    rows: Rows, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    code, said = run(_csv(tmp_path / "cut.csv", rows[:3]))
    assert code == 0
    assert said.startswith("Records 1 to 3 are whole.")
    assert "NOTHING HERE IS SIGNED" in said
    assert "after record 3" in said
    file = tmp_path / "checkpoints.json"
    file.write_text('{"checkpoints": []}')
    key = checkpoints.public_key().hex()
    assert run(tmp_path / "cut.csv", "--checkpoint", str(file), "--public-key", key) == (code, said)


def test_with_a_checkpoint_what_comes_after_it_is_said_to_be_unproved(
    append: Append, rows: Rows, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    checkpoint = checkpoints.make()
    assert checkpoint is not None
    append()
    file, key = tmp_path / "checkpoints.json", checkpoints.public_key().hex()
    file.write_text(json.dumps({"checkpoints": [asdict(checkpoint.stated)]}))
    text = "".join(exports.stream(Event.objects.all(), 7, exports.as_jsonl))
    (tmp_path / "longer.jsonl").write_text(text)
    code, said = run(tmp_path / "longer.jsonl", "--checkpoint", str(file), "--public-key", key)
    assert code == 0
    assert "Records 1 to 7 are whole and 1 checkpoint agrees" in said
    assert "Signed is what stands to record 5; NOTHING SIGNED COVERS records 6 to 7" in said
    code, said = run(_csv(tmp_path / "export.csv", rows), "--checkpoint", str(file), "--public-key", key)
    assert code == 0
    assert "NOTHING" not in said
    assert "signed to its end, record 5, at " in said


def test_a_record_without_its_sentence_is_not_taken(rows: Rows) -> None:
    record = json.loads(rows[1]["canonical"])
    del record["sentence"]
    rows[1]["canonical"], rows[1]["sentence"] = chain.canonical(record), "None"
    rows[1]["hash"] = chain.sha256(rows[1]["canonical"])
    assert str(_broken(rows)) == "Record 2 is not in canonical form."


def test_another_spelling_of_a_record_is_not_taken(rows: Rows) -> None:
    rows[1]["canonical"] = json.dumps(json.loads(rows[1]["canonical"]), indent=1)
    rows[1]["hash"] = chain.sha256(rows[1]["canonical"])
    assert str(_broken(rows)) == "Record 2 is not in canonical form."


@pytest.mark.parametrize(
    "content", ["", "a,b\n1,2\n", "number\n1\n", '"unclosed\n', "\x00\n", "number,canonical,hash\n"]
)
def test_a_file_that_is_no_copy_gets_a_sentence(
    tmp_path: Path, run: Callable[..., tuple[int, str]], content: str
) -> None:
    copy = tmp_path / "export.csv"
    copy.write_text(content)
    code, said = run(copy)
    assert code == 1
    assert said


def test_files_that_are_missing_or_binary_get_a_sentence(tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "list.jsonl").write_text("[1]\n")
    for name in ("nothing.csv", "binary.jsonl", "list.jsonl"):
        assert run(tmp_path / name)[0] == 1


def test_a_checkpoint_without_a_key_proves_nothing(tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    code, said = run(tmp_path / "export.csv", "--checkpoint", "checkpoints.json")
    assert code == 2
    assert "go together" in said


def test_a_long_copy_is_walked_in_bounded_memory() -> None:
    def long() -> Iterator[dict[str, str]]:
        previous = chain.GENESIS
        for number in range(1, 20_001):
            text = chain.event_text(
                number=number, at="", actor="", actor_name="", action="", subject_kind="", subject_id="",
                previous=previous, sentence="", data={},
            )  # fmt: skip
            previous = chain.sha256(text)
            yield {"canonical": text, "hash": previous}

    assert chain.verify_copy(long()).number == 20_000
