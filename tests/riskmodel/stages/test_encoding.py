import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from tokenizers import Tokenizer

from riskmodel.artifact import load_encoder
from riskmodel.errors import ArtifactError
from riskmodel.stages.encoding import Encoder
from tests.tiny import PROMPT, SPEC, build_tiny_encoder

TEXTS = {
    "plain": "Someone is coming to the school tomorrow.",
    "one word": "bomb",
    "accents": "Vão à escola amanhã, não há ninguém",
    "combining characters": "un cafe\u0301 man\u0303ana",
    "CRLF": "first line\r\n\r\nsecond line\r\n",
    "emoji": "he will come 😀 with a 🔫 👩‍👩‍👧 tomorrow",
    "leading white space": "  \n he will come",
    "another script": "他明天会来学校",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, train_frame: pd.DataFrame) -> Path:
    folder = tmp_path_factory.mktemp("encoding") / "encoder"
    build_tiny_encoder(folder, train_frame["text"].iloc[:200].tolist())
    return folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return load_encoder(folder, SPEC, threads=1)


@pytest.fixture(scope="module")
def corpus(train_frame: pd.DataFrame) -> list[str]:
    return train_frame["text"].iloc[200:260].tolist()


@pytest.fixture(scope="module")
def long_text(corpus: list[str]) -> str:
    return " ".join(corpus[:12])


class ByHand:
    """The tiny encoder, read from its files: a token's state is the tanh of its row of weights."""

    def __init__(self, folder: Path) -> None:
        graph = onnx.load(str(folder / "model.onnx")).graph
        self.states = np.tanh(
            next(numpy_helper.to_array(found) for found in graph.initializer if found.name == "weights")
        )
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def windows(self, text: str) -> list[list[int]]:
        """Return the tokens of a text in windows, the prompt before and the end mark behind each."""
        encoded = self.tokenizer.encode(PROMPT + text)
        lead = 1 + sum(1 for _, end in encoded.offsets[1:-1] if end <= len(PROMPT.rstrip()))
        first, own, last = encoded.ids[:lead], encoded.ids[lead:-1], encoded.ids[-1]
        room = SPEC.window_tokens - lead - 1
        return [[*first, *own[at : at + room], last] for at in range(0, max(1, len(own)), room)]

    def vector(self, text: str) -> np.ndarray:
        mean = self.states[[token for window in self.windows(text) for token in window]].mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean))


@pytest.fixture(scope="module")
def by_hand(folder: Path) -> ByHand:
    return ByHand(folder)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_vector_is_the_mean_state_of_all_tokens_of_prompt_and_text(
    encoder: Encoder, by_hand: ByHand, text: str
) -> None:
    (found,) = encoder.encode([text])

    np.testing.assert_allclose(found.vector, by_hand.vector(text), atol=1e-5)
    assert len(found.hidden) == sum(len(window) for window in by_hand.windows(text))


def test_two_texts_that_differ_in_their_first_word_differ_in_their_vectors(encoder: Encoder) -> None:
    one, other = encoder.encode(["bomb at the school", "party at the school"])

    assert float(one.vector @ other.vector) < 0.999


def test_a_long_text_is_read_whole_in_windows(encoder: Encoder, by_hand: ByHand, long_text: str) -> None:
    (found,) = encoder.encode([long_text])

    assert len(by_hand.windows(long_text)) > 3
    np.testing.assert_allclose(found.vector, by_hand.vector(long_text), atol=1e-5)


def test_what_stands_at_the_end_of_a_long_text_counts(encoder: Encoder, long_text: str) -> None:
    one, other = encoder.encode([long_text + " bomb bomb bomb", long_text + " cake cake cake"])

    assert float(one.vector @ other.vector) < 0.9999


def test_texts_keep_their_order_and_a_batch_reads_each_as_if_alone(
    encoder: Encoder, corpus: list[str], long_text: str
) -> None:
    texts = [long_text, "bomb", *corpus, "", long_text[:300], *TEXTS.values()]

    together = encoder.encode(texts)

    for text, found in zip(texts, together, strict=True):
        (alone,) = encoder.encode([text])
        np.testing.assert_array_equal(found.vector, alone.vector)
        np.testing.assert_array_equal(found.hidden, alone.hidden)
        assert found.offsets.tolist() == alone.offsets.tolist()


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode([]) == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_offsets_cover_the_text_as_sent_in_order(encoder: Encoder, text: str) -> None:
    (found,) = encoder.encode([text])

    spans = [(start, end) for start, end in found.offsets.tolist() if end > start]
    covered = {at for start, end in spans for at in range(start, end)}
    # A combining character may be left to the word that its letter stands in.
    visible = {at for at, c in enumerate(text) if not c.isspace() and not unicodedata.combining(c)}

    assert len(found.offsets) == len(found.hidden)
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert visible <= covered


HIDDEN = {
    "unseen characters": ("he will k\u200bill \u202ehe\u00adr", "he will kill her"),
    "digits": ("he will sh00t h1s m0ther tod4y", "he will shoot h1s mother today"),
    "look-alikes": ("he will sh\u043e\u03bft her", "he will shoot her"),
    "letters apart": ("he will s h o o t her t.o.d.a.y", "he will shoot her today"),
}


@pytest.mark.parametrize(("hidden", "written"), HIDDEN.values(), ids=HIDDEN)
def test_a_hidden_word_is_read_as_written_plainly_and_stands_where_it_was_sent(
    encoder: Encoder, hidden: str, written: str
) -> None:
    found, plainly = encoder.encode([hidden, written])

    spans = [(start, end) for start, end in found.offsets.tolist() if end > start]
    covered = {at for start, end in spans for at in range(start, end)}
    np.testing.assert_array_equal(found.vector, plainly.vector)
    assert spans == sorted(spans)
    assert spans[-1][1] == len(hidden)
    assert {at for at, letter in enumerate(hidden) if letter.isalnum()} <= covered


def test_offsets_of_a_long_text_run_on_over_its_windows(encoder: Encoder, long_text: str) -> None:
    (found,) = encoder.encode([long_text])

    ends = [end for _, end in found.offsets.tolist() if end]

    assert ends == sorted(ends)
    assert ends[-1] == len(long_text)


def test_each_token_stands_where_its_offsets_say(encoder: Encoder, by_hand: ByHand) -> None:
    text = TEXTS["plain"]
    (found,) = encoder.encode([text])

    pieces = [text[start:end].strip() for start, end in found.offsets.tolist() if end > start]
    expected = [token.removeprefix("▁") for token in by_hand.tokenizer.encode(f"{PROMPT}{text}").tokens[1:-1]]

    assert [piece for piece in pieces if piece] == [token for token in expected if token][-len(pieces) :]
    assert "".join(pieces) == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", " ", "\r\n", "\u3000"], ids=["empty", "a space", "a line end", "a wide space"])
def test_a_text_without_tokens_still_has_a_vector(encoder: Encoder, text: str) -> None:
    (found,) = encoder.encode([text])

    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-5)
    assert len(found.hidden) == len(found.offsets)


@pytest.mark.parametrize("text", ["😀" * 2_000, "x" * 20_000, "\u0301" * 50, "\u200b"])
def test_an_unusual_text_has_a_vector_of_unit_length(encoder: Encoder, text: str) -> None:
    (found,) = encoder.encode([text])

    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-5)
    assert found.offsets.max() <= len(text)


def test_the_vector_is_the_mean_of_the_states_over_the_norm(encoder: Encoder, long_text: str) -> None:
    (found,) = encoder.encode([long_text])

    np.testing.assert_allclose(found.hidden.mean(axis=0) / found.norm, found.vector, atol=1e-6)


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json"])
def test_a_file_that_is_no_encoder_is_an_error_of_the_artifact(folder: Path, tmp_path: Path, broken: str) -> None:
    paths = {name: folder / name for name in ("model.onnx", "tokenizer.json")}
    paths[broken] = tmp_path / broken
    paths[broken].write_bytes(b"{}")

    with pytest.raises(ArtifactError, match=r"model\.onnx"):
        Encoder(paths["model.onnx"], paths["tokenizer.json"], prompt=PROMPT, window_tokens=64)


@pytest.mark.slow
def test_importing_the_encoder_leaves_nothing_in_the_home_and_gives_the_machine_no_number(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    command = [sys.executable, "-c", "import riskmodel.stages.encoding"]

    subprocess.run(command, env=environment | {"HOME": str(tmp_path)}, check=True)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
