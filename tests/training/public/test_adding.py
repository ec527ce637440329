"""Adding a public set: what is kept for training, what is left out, and the command."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskmodel.errors import DataError
from tests.training.public.made import convabuse_row, edos_row, olid_row, told_row, write_set
from training.__main__ import main
from training.public import adding
from training.public.adding import add, read_public
from training.public.mapping import PUBLIC_SETS, told_side

FILES = {name: chosen.file for name, chosen in PUBLIC_SETS.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "downloaded"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def text_of(side: str, start: str) -> str:
    """Return a text that ToLD-Br's draw puts on a side."""
    return next(text for n in range(100) if told_side(told_row(text := f"{start} {n}")) == side)


def test_a_training_row_is_kept_with_chances_and_masks(folder: Path, tmp_path: Path) -> None:
    write_set(folder, FILES["edos"], edos_row("they belong at home", "3. animosity"), edos_row("nice weather"))

    added = add("edos", folder, tmp_path)

    sexist, other = lines(added.path)
    assert added.path == tmp_path / "data" / "public" / "edos.jsonl"
    assert (sexist["text"], sexist["language"]) == ("they belong at home", "en")
    assert sexist["categories"] == {"hate": 1.0, "none": 0.0}
    assert other["categories"] == {"hate": 0.1}
    assert other["tasks"]["edos.sexist"] == 0


def test_votes_of_three_are_kept_as_soft_chances(folder: Path, tmp_path: Path) -> None:
    write_set(folder, FILES["told_br"], told_row(text_of("train", "que feio"), insult=1))

    (found,) = lines(add("told_br", folder, tmp_path).path)

    assert found["language"] == "pt"
    assert found["tasks"]["told.insult"] == pytest.approx(1 / 3)


def test_the_sets_own_test_part_is_left_out_also_where_a_training_row_repeats_it(folder: Path, tmp_path: Path) -> None:
    write_set(
        folder,
        FILES["convabuse"],
        convabuse_row(1, text="good morning"),
        convabuse_row(1, text="Tell me more"),
        convabuse_row(-1, text="tell  me more", split="valid"),
        convabuse_row(-1, text="go away", split="test"),
    )

    added = add("convabuse", folder, tmp_path)

    assert [row["text"] for row in lines(added.path)] == ["good morning"]
    assert (added.kept, added.own_test) == (1, 3)


def test_a_text_that_another_set_tests_on_is_left_out(folder: Path, tmp_path: Path) -> None:
    shared = text_of("test", "comentário")
    write_set(folder, FILES["olid_br"], *(olid_row(text=text) for text in ("um", "dois", "três", shared.upper())))
    write_set(folder, FILES["told_br"], told_row(shared))
    write_set(folder, FILES["edos"], edos_row("um"), edos_row("dois", split="dev"))
    write_set(folder, "hatecheck_en.jsonl.gz", {"text": "Três"})

    added = add("olid_br", folder, tmp_path)

    assert [row["text"] for row in lines(added.path)] == ["um"]
    assert (added.kept, added.own_test, added.tested_elsewhere) == (1, 0, 3)


def test_a_set_that_is_not_trained_on_tests_on_what_is_not_of_its_training_part(folder: Path) -> None:
    rows = [{"text": "one"}, {"text": "two", "split": "test"}, {"text": "three", "split": "train"}]
    write_set(folder, "toxic_spans_en.jsonl.gz", *rows)

    assert len(adding.tested_texts(folder)) == 2


def test_a_text_that_stands_twice_is_kept_once(folder: Path, tmp_path: Path) -> None:
    write_set(folder, FILES["edos"], edos_row("the same"), edos_row("The  same", "2. derogation"), edos_row("another"))

    added = add("edos", folder, tmp_path)

    assert [row["text"] for row in lines(added.path)] == ["the same", "another"]
    assert (added.kept, added.doubled) == (2, 1)


def test_text_with_broken_accents_is_kept_mended(folder: Path, tmp_path: Path) -> None:
    broken = text_of("train", "nÃ£o")
    mended = broken.replace("nÃ£o", "não")
    write_set(folder, FILES["told_br"], told_row(broken) | {"text_fixed": mended})

    (found,) = lines(add("told_br", folder, tmp_path).path)

    assert found["text"] == mended


def test_adding_again_replaces_the_file_and_leaves_no_other(folder: Path, tmp_path: Path) -> None:
    write_set(folder, FILES["edos"], edos_row("first"), edos_row("second"))
    add("edos", folder, tmp_path)
    write_set(folder, FILES["edos"], edos_row("third"))

    added = add("edos", folder, tmp_path)

    assert [row["text"] for row in lines(added.path)] == ["third"]
    assert list(added.path.parent.iterdir()) == [added.path]


def test_an_unknown_set_is_refused_with_those_there_are(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no public set 'hatecheck': expected one of edos, told_br, olid_br, convabuse"
    ):
        add("hatecheck", folder, tmp_path)


def cut_short(whole: bytes) -> bytes:
    return whole[:-12]


def not_zipped(whole: bytes) -> bytes:
    return gzip.decompress(whole)


def not_json(whole: bytes) -> bytes:
    return gzip.compress(gzip.decompress(whole) + b"{broken\n")


def not_utf8(whole: bytes) -> bytes:
    return gzip.compress(gzip.decompress(whole) + b"\xff\n")


@pytest.mark.parametrize("damage", [cut_short, not_zipped, not_json, not_utf8])
def test_a_file_that_cannot_be_read_is_named_and_the_earlier_file_stays(
    folder: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = write_set(folder, FILES["edos"], edos_row("first"))
    before = add("edos", folder, tmp_path).path.read_bytes()
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(DataError, match=r"edos_en\.jsonl\.gz cannot be read after line"):
        add("edos", folder, tmp_path)

    assert (tmp_path / "data" / "public" / "edos.jsonl").read_bytes() == before


def test_the_line_that_cannot_be_read_is_told(folder: Path) -> None:
    path = write_set(folder, FILES["edos"], edos_row("first"), edos_row("second"))
    path.write_bytes(not_json(path.read_bytes()))

    with pytest.raises(DataError, match="after line 3"):
        list(read_public(path))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["data", "add", *arguments])
    told = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.out, told.err


def test_the_command_says_what_was_kept_what_was_left_out_and_what_is_owed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(folder, FILES["edos"], edos_row("one"), edos_row("One"), edos_row("two"), edos_row("three", split="dev"))

    code, out, _ = run(capsys, "edos", "--from", str(folder), "--root", str(tmp_path))

    assert code == 0
    assert "edos.jsonl: 2 training texts of EDOS" in out
    assert "CC0-1.0" in out
    assert "1 of its test part, 0 that another set tests on, 1 that stand twice" in out
    assert len(lines(tmp_path / "data" / "public" / "edos.jsonl")) == 2


def test_the_command_adds_all_sets_at_once(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_set(folder, FILES["edos"], edos_row())
    write_set(folder, FILES["told_br"], told_row(text_of("train", "bom dia")))
    write_set(folder, FILES["olid_br"], olid_row())
    write_set(folder, FILES["convabuse"], convabuse_row(1))

    code, out, _ = run(capsys, "all", "--from", str(folder), "--root", str(tmp_path))

    assert code == 0
    assert len(out.splitlines()) == 4
    assert {path.stem for path in (tmp_path / "data" / "public").iterdir()} == set(PUBLIC_SETS)


def test_the_command_refuses_an_unknown_set(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "jigsaw", "--from", str(folder), "--root", str(tmp_path))

    assert (code, out) == (1, "")
    assert err.startswith("Error: There is no public set 'jigsaw'")


def test_the_command_names_the_file_that_a_missing_folder_should_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "edos", "--from", str(tmp_path / "nowhere"), "--root", str(tmp_path))

    assert (code, out) == (1, "")
    assert f"{tmp_path / 'nowhere' / 'edos_en.jsonl.gz'} is not there" in err
    assert not (tmp_path / "data").exists()
