"""A base encoder and an adapter in, the encoder that serves out: one int8 ONNX file and its tokenizer."""

import json
import logging
import shutil
import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from peft import PeftModel
from torch import nn

from riskmodel.artifact import seal_encoder
from training.adapter import load_base, transformer_of
from training.vocabulary import cut

EXAMPLE_SHAPE = (2, 9)  # any batch and length: both are dynamic
MAX_TOKENS = 512


class _TokenStates(nn.Module):
    """The part of the encoder that ONNX carries: tokens in, their states out; pooling is numpy's."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return states


def export_encoder(
    base: Path, adapter: Path | None, float_layers: list[int], listed: frozenset[str] | None, out: Path
) -> None:
    """Merge the adapter into the base, quantise to int8 per channel, and write ``out`` with its hashes.

    The second feed-forward matrix of ``float_layers`` (from 0) stays float32. Where pieces are listed, the vocabulary
    is cut to them.

    ``out`` appears only when it is complete; an older one is replaced.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as name:
        work = Path(name)
        folder = work / "encoder"
        folder.mkdir()
        model = load_base(base)
        transformer: nn.Module = transformer_of(model)
        if adapter is not None:
            transformer = PeftModel.from_pretrained(transformer, str(adapter)).merge_and_unload()
        tokenizer = json.loads(model.tokenizer.backend_tokenizer.to_str())
        if listed is not None:
            smaller = cut(tokenizer, listed)
            tokenizer = smaller.tokenizer
            _keep_rows(transformer, smaller.rows)
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
        _export(transformer.eval(), work / "float32.onnx")
        _quantise(work / "float32.onnx", folder / "model.onnx", float_layers)
        seal_encoder(folder)
        shutil.rmtree(out, ignore_errors=True)
        folder.rename(out)


def _keep_rows(transformer: nn.Module, rows: list[int]) -> None:
    """Leave the embedding with these rows alone, in this order."""
    embeddings: nn.Module = transformer.get_input_embeddings()  # type: ignore[operator]
    weights: torch.Tensor = embeddings.weight.detach()[rows]  # type: ignore[operator]
    transformer.set_input_embeddings(nn.Embedding.from_pretrained(weights))  # type: ignore[operator,no-untyped-call]


def _export(transformer: nn.Module, path: Path) -> None:
    rows, tokens = torch.export.Dim("rows", min=1, max=4096), torch.export.Dim("tokens", min=2, max=MAX_TOKENS)
    # Two tensors: one passed twice would be taken for one input.
    example = (torch.ones(EXAMPLE_SHAPE, dtype=torch.long), torch.ones(EXAMPLE_SHAPE, dtype=torch.long))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own deprecated internals
        torch.onnx.export(
            _TokenStates(transformer),
            example,
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["last_hidden_state"],
            dynamic_shapes={"input_ids": {0: rows, 1: tokens}, "attention_mask": {0: rows, 1: tokens}},
            dynamo=True,
            verbose=False,
        )


def _quantise(source: Path, target: Path, float_layers: list[int]) -> None:
    graph = onnx.load(str(source), load_external_data=False).graph
    shapes = {weights.name: tuple(weights.dims) for weights in graph.initializer}
    products = [(node.name, shapes.get(node.input[1], ())) for node in graph.node if node.op_type == "MatMul"]
    # A layer's second feed-forward matrix is the one that narrows.
    narrowing = [name for name, shape in products if len(shape) == 2 and shape[0] > shape[1]]
    kept = [name for layer, name in enumerate(narrowing) if layer in float_layers]
    quantize_dynamic(str(source), str(target), weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=kept)
    forget_origin(target)
    onnx.checker.check_model(str(target))


def forget_origin(path: Path) -> None:
    """Take out what the exporter notes of every node: stack traces with the folders of this machine."""
    model = onnx.load(str(path))
    for part in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info):
        del part.metadata_props[:]
    del model.graph.metadata_props[:]
    onnx.save(model, str(path))
