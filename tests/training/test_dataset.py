from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from riskmodel.errors import DataError
from riskmodel.policy import Policy
from tests.training.made import RECORD, SECRET, changed, write
from training.contract import FIELDS
from training.dataset import SPLITS, check_splits, data_digest, read_splits
from training.overlap import near_duplicates
from training.units import is_contrast, unit

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def corpus(policy: Policy) -> dict[str, pd.DataFrame]:
    return read_splits(ROOT, policy)


def test_every_line_of_the_corpus_keeps_the_contract_and_no_split_gives_another_away(
    corpus: dict[str, pd.DataFrame],
) -> None:
    assert {name: len(frame) for name, frame in corpus.items()} == {"train": 5874, "test": 544}
    assert all(list(frame.columns) == [*FIELDS, "weight", "origin"] for frame in corpus.values())


OTHER_TEXT = "Uma conta falsa promete vistos de trabalho e pede dinheiro adiantado; uma vizinha perdeu o salario."
OVERLAPS = [
    pytest.param({"id": RECORD["id"], "text": OTHER_TEXT}, "id", "each id in one split only", id="the id"),
    pytest.param({"group": RECORD["group"], "text": OTHER_TEXT}, "group", "one split only", id="the group"),
    pytest.param({"text": RECORD["text"].replace("twelve", "thirty").upper()}, "text", "cosine 0.", id="the text"),
]


@pytest.mark.parametrize(("changes", "field", "why"), OVERLAPS)
def test_a_test_record_that_train_gives_away_is_refused_by_both_lines(
    tmp_path: Path, policy: Policy, changes: dict[str, Any], field: str, why: str
) -> None:
    first = changed(id="pt-1-1", group="pt-1-1", text="Nothing like it, only a question on fees.", evidence=["fees"])
    evidence = [changes["text"][:20]]
    second = changed(**{"id": "en-3-002", "group": "en-3-002", "evidence": evidence, **changes})
    write(tmp_path / SPLITS["train"], first, RECORD)
    write(tmp_path / SPLITS["test"], second)

    with pytest.raises(DataError) as caught:
        read_splits(tmp_path, policy)

    (problem,) = str(caught.value).splitlines()[1:]
    assert problem.startswith(f"  {tmp_path / SPLITS['test']}:1 {field}: ")
    assert f"{tmp_path / SPLITS['train']}:2" in problem
    assert why in problem
    assert SECRET not in str(caught.value).casefold()


def test_the_threshold_decides_what_a_near_duplicate_is(corpus: dict[str, pd.DataFrame]) -> None:
    train, test = corpus["train"], corpus["test"]

    (nearest,) = near_duplicates(train, test, threshold=0.41)

    assert 0.41 <= nearest.cosine < 0.43
    with pytest.raises(DataError, match=f"test.jsonl:{nearest.test_line} text: "):
        check_splits({"train": train, "test": test.loc[[nearest.test_line]]}, threshold=0.3)


def test_the_digest_changes_with_a_byte_but_not_with_the_order_of_the_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"first")
    two.write_bytes(b"second")
    before = data_digest([one, two])

    assert data_digest([two, one]) == before
    two.write_bytes(b"sEcond")
    assert data_digest([one, two]) != before


def test_the_digest_of_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent"):
        data_digest([tmp_path / "absent"])


def test_unit_and_contrast_come_from_the_id_where_it_has_the_form_of_the_corpus() -> None:
    frame = pd.DataFrame({"id": ["pt-5-188", "en-6-001", "es-1-017", "verdict-5-3", "pt-5-188-b"]})

    assert unit(frame).astype(object).where(unit(frame).notna(), None).tolist() == [5, 6, 1, None, None]
    assert is_contrast(frame).tolist() == [True, True, False, False, False]


def test_the_test_split_holds_as_many_contrast_records_as_the_datasheet_says(corpus: dict[str, pd.DataFrame]) -> None:
    assert int(is_contrast(corpus["test"]).sum()) == 185
    assert set(unit(corpus["train"])) == {1, 2, 3, 4, 5, 6, 7, 8, 9}
