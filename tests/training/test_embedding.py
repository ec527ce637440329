"""A corpus embedded in blocks is what the training cache would have made, and the cache takes it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from riskmodel.artifact import ENCODER
from riskmodel.errors import DataError
from riskmodel.scoring import Scored
from riskmodel.scoring.engines import Here
from riskmodel.scoring.folders import work_off
from tests.riskmodel.scoring.made import read_lines, read_parts, rows, write_parquet
from tests.tiny import SPEC
from training.__main__ import main
from training.embedding import Embedding, fill_cache
from training.vectors import encode_texts, encoder_digest, text_digest

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MADE = rows(300)
TEXTS = [row["text"] for row in MADE if row["text"].strip()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a corpus with a column that is no escalation's, and a source that no desk knows."""
    return write_parquet(tmp_path / "in.parquet", [{**row, "source": "a forum", "label": 1} for row in MADE])


@pytest.fixture
def embed(source: Path, tiny_model: Path, tmp_path: Path) -> Callable[[], Scored]:
    return lambda: work_off(Embedding(tiny_model / ENCODER, SPEC), source, tmp_path / "out", Here(1), now=NOW)


def test_vectors_come_with_what_tells_text_and_encoder(
    embed: Callable[[], Scored], tiny_model: Path, tmp_path: Path
) -> None:
    done = embed()

    table = read_parts(tmp_path / "out")
    assert table.column("text_sha256").to_pylist() == [text_digest(text).hex() for text in TEXTS]
    assert set(table.column("encoder").to_pylist()) == {encoder_digest(tiny_model / ENCODER, SPEC).hex()}
    assert table.column("row").to_pylist()[5:8] == [6, 8, 9]
    assert table.column("id").to_pylist()[:5] == ["case-0", "case-1", "case-2", "case-3", None]
    vectors = np.stack(table.column("vector").to_numpy())
    np.testing.assert_array_equal(vectors, encode_texts(tiny_model / ENCODER, SPEC, TEXTS, tmp_path / "cache"))
    assert (done.rated, done.refused) == (len(TEXTS), 300 - len(TEXTS))
    assert read_lines(tmp_path / "out.refused.jsonl")[0]["row"] == 7


def test_what_the_cache_took_in_is_not_computed_again(
    embed: Callable[[], Scored], own_tiny_model: Path, tiny_model: Path, tmp_path: Path
) -> None:
    embed()
    cache, computed = tmp_path / "cache", list[int]()
    encoder = own_tiny_model / ENCODER

    count = fill_cache(tmp_path / "out", encoder, SPEC, cache)

    (encoder / "model.onnx").unlink()  # nothing is left to compute with
    found = encode_texts(encoder, SPEC, TEXTS, cache, lambda step, steps, note: computed.append(step))
    assert count == len(TEXTS)
    assert computed == []
    np.testing.assert_array_equal(found, encode_texts(tiny_model / ENCODER, SPEC, TEXTS, tmp_path / "another"))


def test_vectors_of_another_encoder_are_not_taken_in(
    embed: Callable[[], Scored], tiny_model: Path, tmp_path: Path
) -> None:
    embed()
    other = SPEC.model_copy(update={"prompt": "passage: "})

    with pytest.raises(DataError, match="holds the vectors of encoder"):
        fill_cache(tmp_path / "out", tiny_model / ENCODER, other, tmp_path / "cache")


def test_the_command_embeds_and_fills_the_cache_and_again_only_says_so(
    source: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["embed", str(source), str(tmp_path / "out"), "--model", str(tiny_model), "--into-cache"]

    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--root", str(tmp_path)])
        assert ended.value.code in (None, 0)

    printed = capsys.readouterr()
    assert printed.out.count(f"Embedded {len(TEXTS):,}, refused 42 ({tmp_path}") == 2
    assert "All of it was done before." in printed.err
    assert printed.out.count(f"{len(TEXTS):,} vectors are in {tmp_path / '.cache'}") == 2
    assert pq.read_schema(tmp_path / "out" / "in-00000.parquet").names[-1] == "vector"
