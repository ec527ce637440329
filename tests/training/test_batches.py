"""Batches of an epoch: who is in them, in which order, how texts were changed and where evidence is marked."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from transformers import PreTrainedTokenizerFast

from riskmodel import Policy
from riskmodel.spelling import plain
from tests.tiny import PROMPT, build_tiny_encoder
from training.batches import Batches
from training.examples import Examples, content, join, labelled
from training.labels import read_labels
from training.public.reading import Content

LABELLED, PUBLIC = 40, 30
LONGEST = 256
ZERO_WIDTH = "\u200b"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory, sample_frame: pd.DataFrame) -> PreTrainedTokenizerFast:
    folder = tmp_path_factory.mktemp("tokenizer") / "tiny"
    build_tiny_encoder(folder, sample_frame["text"].tolist())
    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>")


@pytest.fixture(scope="module")
def own(sample_frame: pd.DataFrame, policy: Policy) -> Examples:
    frame = sample_frame.iloc[:LABELLED]
    return labelled(frame["text"].tolist(), read_labels(frame, policy), frame["evidence"].tolist())


@pytest.fixture(scope="module")
def examples(own: Examples, sample_frame: pd.DataFrame) -> Examples:
    """Return escalations and, after them, public content."""
    texts = sample_frame["text"].iloc[LABELLED : LABELLED + PUBLIC].tolist()
    unknown = np.full((PUBLIC, own.categories.shape[1]), np.nan, dtype=np.float32)
    return join(own, content(Content(texts, unknown, np.ones((PUBLIC, 1), dtype=np.float32), {"edos": PUBLIC})))


def batches(examples: Examples, tokenizer: PreTrainedTokenizerFast, **changes: Any) -> Batches:
    settings: dict[str, Any] = {
        "prompt": PROMPT,
        "size": 8,
        "longest": LONGEST,
        "epochs": 1,
        "content_share": 0.5,
        "changed_share": 0.0,
        "seed": 1,
    }
    return Batches(examples, tokenizer, **(settings | changes))


def one(text: str, *evidence: str, own: Examples) -> Examples:
    """Return a single escalation with marked pieces."""
    spans = [(text.index(piece), text.index(piece) + len(piece)) for piece in evidence]
    first = own.take(np.array([0]))
    return Examples(**{**vars(first), "texts": [text], "evidence": [spans or None]})


def read(tokenizer: PreTrainedTokenizerFast, text: str, longest: int = LONGEST) -> list[int]:
    """Return the tokens of a text with its prompt."""
    found: list[int] = tokenizer(PROMPT + text, truncation=True, max_length=longest)["input_ids"]
    return found


def marked_tokens(found: Batches, tokenizer: PreTrainedTokenizerFast) -> list[tuple[str, float]]:
    """Return the tokens of the only text that are part of it, with their marks."""
    (batch,) = found
    tokens = tokenizer.convert_ids_to_tokens(batch.features["input_ids"][0].tolist())
    return [(token, mark) for token, mark in zip(tokens, batch.marks[0].tolist(), strict=True) if mark == mark]


def test_an_epoch_holds_every_escalation_once_and_the_wanted_share_of_public_texts(
    examples: Examples, tokenizer: PreTrainedTokenizerFast
) -> None:
    found = batches(examples, tokenizer, epochs=3)

    rows = np.concatenate([batch.rows for batch in found])
    drawn = Counter(rows.tolist())
    assert [drawn[row] for row in range(LABELLED)] == [3] * LABELLED
    assert sum(drawn[row] for row in range(LABELLED, LABELLED + PUBLIC)) == 3 * LABELLED // 2
    assert max(drawn[row] for row in range(LABELLED, LABELLED + PUBLIC)) <= 3
    assert len(found) == len(list(found))


def test_each_epoch_draws_other_public_texts_and_no_text_twice(
    examples: Examples, tokenizer: PreTrainedTokenizerFast
) -> None:
    found = list(batches(examples, tokenizer, epochs=2, size=LABELLED + PUBLIC))

    first, second = (sorted(batch.rows[batch.rows >= LABELLED].tolist()) for batch in found)
    assert len(set(first)) == len(first) == LABELLED // 2
    assert first != second


@pytest.mark.parametrize(("share", "drawn"), [(0.0, 0), (0.1, 4), (9.0, PUBLIC)], ids=["none", "some", "all there are"])
def test_no_more_public_texts_are_drawn_than_wanted_or_there(
    examples: Examples, tokenizer: PreTrainedTokenizerFast, share: float, drawn: int
) -> None:
    rows = np.concatenate([batch.rows for batch in batches(examples, tokenizer, content_share=share)])

    assert (rows >= LABELLED).sum() == drawn


def test_without_public_content_an_epoch_is_the_escalations(own: Examples, tokenizer: PreTrainedTokenizerFast) -> None:
    rows = np.concatenate([batch.rows for batch in batches(own, tokenizer)])

    assert sorted(rows.tolist()) == list(range(LABELLED))


def test_a_batch_holds_texts_of_like_length_and_no_more_than_its_size(
    examples: Examples, tokenizer: PreTrainedTokenizerFast
) -> None:
    found = list(batches(examples, tokenizer))

    filled = sum(int(batch.features["attention_mask"].sum()) for batch in found)
    room = sum(batch.features["attention_mask"].numel() for batch in found)
    assert max(len(batch.rows) for batch in found) == 8
    assert filled / room > 0.85


def test_features_are_the_tokens_of_prompt_and_text_cut_and_padded(
    examples: Examples, tokenizer: PreTrainedTokenizerFast
) -> None:
    for batch in batches(examples, tokenizer, longest=40):
        ids, mask = batch.features["input_ids"], batch.features["attention_mask"]
        for at, row in enumerate(batch.rows):
            expected = read(tokenizer, plain(examples.texts[row]).text, longest=40)
            assert ids[at][mask[at] == 1].tolist() == expected
            assert set(ids[at][mask[at] == 0].tolist()) <= {tokenizer.pad_token_id}


def test_marks_are_on_the_tokens_of_the_evidence_and_on_no_others(
    own: Examples, tokenizer: PreTrainedTokenizerFast
) -> None:
    text = "Alguien dice que va a quemar la tienda mañana"

    found = marked_tokens(batches(one(text, "quemar la tienda", own=own), tokenizer), tokenizer)

    inside = "".join(token for token, mark in found if mark == 1)
    assert inside.replace("▁", " ").strip() == "quemar la tienda"
    assert "".join(token for token, _ in found).replace("▁", " ").strip() == text


def test_two_pieces_of_evidence_are_both_marked(own: Examples, tokenizer: PreTrainedTokenizerFast) -> None:
    found = marked_tokens(batches(one("burn it today or sell it", "burn", "sell it", own=own), tokenizer), tokenizer)

    words = "".join(token if mark else "." for token, mark in found)
    assert words.replace("▁", " ").strip().startswith("burn.")
    assert words.replace("▁", " ").endswith("sell it")


def test_prompt_special_tokens_and_padding_are_not_marked_either_way(
    own: Examples, tokenizer: PreTrainedTokenizerFast
) -> None:
    both = join(one("burn it", "burn", own=own), one("a much longer text that is all beside", "text", own=own))

    (batch,) = batches(both, tokenizer)

    of_prompt = len(tokenizer(PROMPT.strip(), add_special_tokens=False)["input_ids"])
    assert not batch.marks[batch.features["attention_mask"] == 0].isfinite().any()
    for at in range(2):
        real = batch.marks[at][batch.features["attention_mask"][at] == 1]
        assert real[: 1 + of_prompt].isnan().all()  # <s> and the prompt
        assert real[1 + of_prompt : -1].isfinite().all()
        assert real[-1].isnan()  # </s>


def test_a_text_without_marked_evidence_teaches_no_place(own: Examples, tokenizer: PreTrainedTokenizerFast) -> None:
    (batch,) = batches(one("nothing is marked here", own=own), tokenizer)

    assert batch.marks.isnan().all()


def test_a_changed_text_has_no_marks_and_an_unchanged_one_keeps_them(
    own: Examples, tokenizer: PreTrainedTokenizerFast
) -> None:
    marked = np.flatnonzero([spans is not None for spans in own.evidence])
    found = batches(own.take(marked), tokenizer, changed_share=0.5)

    kept = 0
    for batch in found:
        for at, row in enumerate(marked[batch.rows]):
            real = batch.features["input_ids"][at][batch.features["attention_mask"][at] == 1].tolist()
            if real != read(tokenizer, own.texts[row]):
                assert batch.marks[at].isnan().all()
            kept += bool(batch.marks[at].isfinite().any())
    assert 0.4 < kept / len(marked) < 0.9  # above a half: some changes are undone, or change nothing


def test_a_hidden_word_is_tokenized_as_the_service_reads_it_and_not_marked(
    own: Examples, tokenizer: PreTrainedTokenizerFast
) -> None:
    hidden = f"they will bu{ZERO_WIDTH}rn it"

    (batch,) = batches(one(hidden, f"bu{ZERO_WIDTH}rn", own=own), tokenizer)

    assert batch.features["input_ids"][0].tolist() == read(tokenizer, "they will burn it")
    assert batch.marks.isnan().all()


def test_the_same_seed_plans_and_changes_the_same_and_another_seed_does_not(
    examples: Examples, tokenizer: PreTrainedTokenizerFast
) -> None:
    def tokens(seed: int) -> list[list[int]]:
        return [
            batch.features["input_ids"].flatten().tolist()
            for batch in batches(examples, tokenizer, changed_share=0.5, seed=seed)
        ]

    assert tokens(1) == tokens(1)
    assert tokens(1) != tokens(2)
