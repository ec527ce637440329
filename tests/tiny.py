"""A complete model folder, built in seconds: the real code and the real corpus behind a tiny random encoder."""

import datetime
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from riskmodel.artifact import (
    ENCODER,
    FORMAT,
    EncoderSpec,
    Manifest,
    load_encoder,
    seal,
    seal_encoder,
    utc_text,
    write_parts,
    write_probe,
)
from riskmodel.policy import load_policy
from riskmodel.reference import count, write_reference
from training.labels import read_labels
from training.params import read_params
from training.parts import fit_parts, frozen_dense
from training.splits import make_folds
from training.units import is_post

DIMENSIONS = 48
PROMPT = "query: "
SPEC = EncoderSpec(base="tiny", adapted=False, prompt=PROMPT, window_tokens=64, dimensions=DIMENSIONS)


def build_tiny_encoder(folder: Path, texts: list[str]) -> None:
    """Write an encoder whose token states are random but fixed: an embedding, mixed with the token's own tanh."""
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=2000, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>"
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[("<s>", tokenizer.token_to_id("<s>")), ("</s>", tokenizer.token_to_id("</s>"))],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    weights = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), DIMENSIONS)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["embedded"]),
        helper.make_node("Tanh", ["embedded"], ["squashed"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "axis"], ["column"]),
        helper.make_node("Mul", ["squashed", "column"], ["last_hidden_state"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", "t", DIMENSIONS])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.array([2]), "axis")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), folder / "model.onnx"
    )
    seal_encoder(folder)


def build_tiny_model(folder: Path, frame: pd.DataFrame) -> Path:
    """Train the heads on a frame of the corpus and write a complete version into ``folder``."""
    policy, params = load_policy(), read_params()
    build_tiny_encoder(folder / ENCODER, frame["text"].tolist())
    encoder = load_encoder(folder / ENCODER, SPEC)
    vectors = np.stack([encoding.vector for encoding in encoder.encode(frame["text"].tolist())])
    labels, folds = read_labels(frame, policy), make_folds(frame, 2, seed=0)
    dense = frozen_dense(vectors, labels, is_post(frame).to_numpy(dtype=bool), folds, strength=1.0, seed=0)
    parts, unseen = fit_parts(frame, labels, dense, folds, params, policy)
    write_parts(folder, parts)
    write_reference(folder, count(unseen.said), vectors)  # an encoder that learnt nothing holds out every text
    write_probe(folder, encoder, frame["text"].tolist()[:3])
    (folder / "card.md").write_text("# A tiny model for tests\n")
    manifest = Manifest(
        format=FORMAT,
        name="riskmodel",
        version="tiny",
        created_at=utc_text(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
        policy=policy.rating_version,
        data_digest="0" * 64,
        encoder=SPEC,
        libraries={},
        parameters={},
        trained_on=["a sample of data/escalations/train.jsonl"],
        metrics={"kappa": 0.5},
        files={},
    )
    seal(folder, manifest)
    return folder
