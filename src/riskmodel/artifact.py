"""A model ⇄ a folder: ``.npz``, ``.onnx`` and JSON, each with its sha256 in a manifest; never a pickle.

<version>/manifest.json      what it is, what it was trained on, its figures, the hash of every file
          heads.npz lexical.json calibration.json precedents.npz precedents.jsonl card.md [adapter.safetensors]
          probe.json         texts with the vectors their encoder gave
          encoder/           model.onnx tokenizer.json encoder.json: rebuilt from base and adapter where absent
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from pydantic import ValidationError

from riskmodel.errors import ArtifactError
from riskmodel.model import RiskModel
from riskmodel.policy import Policy
from riskmodel.records import Record
from riskmodel.stages.decision import Thresholds
from riskmodel.stages.encoding import Encoder
from riskmodel.stages.form import FormHead
from riskmodel.stages.heads import Heads, columns
from riskmodel.stages.language import LanguageDetector
from riskmodel.stages.lexical import LexicalVectorizer
from riskmodel.stages.precedents import Labelled, Precedents
from riskmodel.stages.rating import Blend

FORMAT = 2
MANIFEST = "manifest.json"
CARD = "card.md"
PROBE = "probe.json"
ENCODER = "encoder"
ENCODER_MANIFEST = "encoder.json"
ENCODER_FILES = ("model.onnx", "tokenizer.json")
CHAMPION = "champion.txt"
PROBE_COSINE = 0.99  # a rebuilt encoder whose vectors lie further from the probe's is another encoder


class EncoderSpec(Record):
    """How to feed the encoder, and what it was built from."""

    base: str
    adapted: bool
    prompt: str
    window_tokens: int
    dimensions: int
    float_layers: list[int] = []  # noqa: RUF012  pydantic copies it
    vocabulary: str = ""  # digest of the list that its vocabulary was cut to; empty: whole


class Manifest(Record):
    """What a version is: read before anything else of its folder."""

    format: int
    name: str
    version: str
    created_at: str
    policy: str
    data_digest: str
    encoder: EncoderSpec
    libraries: dict[str, str]
    parameters: dict[str, Any]
    trained_on: list[str]
    metrics: dict[str, Any]
    doubt: dict[str, Any] = {}  # noqa: RUF012  how decisions turned out; pydantic copies it
    files: dict[str, str]
    seal: str = ""


@dataclass(frozen=True)
class Parts:
    """The trained parts of a model, without its encoder."""

    lexical: LexicalVectorizer
    heads: Heads
    form: FormHead
    blend: Blend
    content_blend: Blend
    thresholds: Thresholds
    precedents: Precedents


def sha256(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_parts(folder: Path, parts: Parts) -> None:
    """Write the trained parts into an existing folder."""
    np.savez_compressed(
        folder / "heads.npz",
        dense=parts.heads.dense.astype(np.float32),
        lexical=parts.heads.lexical.astype(np.float16),
        bias=parts.heads.bias.astype(np.float32),
        idf=parts.lexical.idf_,
        form=np.append(parts.form.weights, np.float32(parts.form.bias)),
    )
    _write_json(folder / "lexical.json", parts.lexical.vocabulary_)
    _write_json(
        folder / "calibration.json",
        {
            "blend": asdict(parts.blend),
            "content_blend": asdict(parts.content_blend),
            "thresholds": asdict(parts.thresholds),
        },
    )
    np.savez_compressed(folder / "precedents.npz", codes=parts.precedents.codes, scales=parts.precedents.scales)
    lines = [json.dumps(asdict(labelled), ensure_ascii=False) for labelled in parts.precedents.labelled]
    (folder / "precedents.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_parts(folder: Path) -> Parts:
    """Read the trained parts of a folder whose files were verified.

    Raises:
        ArtifactError: naming a file that cannot be read.
    """
    with _reading(folder / "heads.npz") as path, np.load(path, allow_pickle=False) as arrays:
        heads = Heads(arrays["dense"], arrays["lexical"].astype(np.float32), arrays["bias"])
        idf, form = arrays["idf"], FormHead(arrays["form"][:-1], float(arrays["form"][-1]))
    with _reading(folder / "lexical.json") as path:
        lexical = LexicalVectorizer().restore(json.loads(path.read_text(encoding="utf-8")), idf)
    with _reading(folder / "calibration.json") as path:
        calibration = json.loads(path.read_text(encoding="utf-8"))
        blend, content_blend = Blend(**calibration["blend"]), Blend(**calibration["content_blend"])
        thresholds = Thresholds(**calibration["thresholds"])
    with _reading(folder / "precedents.jsonl") as path:
        labelled = [Labelled(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    with _reading(folder / "precedents.npz") as path, np.load(path, allow_pickle=False) as arrays:
        precedents = Precedents(arrays["codes"], arrays["scales"], labelled)
    return Parts(lexical, heads, form, blend, content_blend, thresholds, precedents)


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    """Turn whatever a malformed file makes numpy, json or a record raise into an error that names the file."""
    try:
        yield path
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise ArtifactError(
            f"{path} cannot be read: {type(error).__name__}. Restore the folder or train again."
        ) from None


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest with the hash of every file of the folder but the encoder's, which carries its own."""
    files = {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST and ENCODER not in path.relative_to(folder).parts
    }
    sealed = manifest.model_copy(update={"files": files})
    sealed = sealed.model_copy(update={"seal": _seal_of(sealed.model_dump())})
    (folder / MANIFEST).write_text(sealed.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return sealed


def _seal_of(content: dict[str, Any]) -> str:
    unsealed = {name: value for name, value in content.items() if name != "seal"}
    return hashlib.sha256(json.dumps(unsealed, sort_keys=True).encode()).hexdigest()


def check_seal(folder: Path, manifest: Manifest) -> None:
    """Check that a manifest that was read is as it was written.

    Raises:
        ArtifactError: if anything in it was changed.
    """
    # Only what the file holds: an older version lacks the fields that came after it.
    if manifest.seal != _seal_of(manifest.model_dump(exclude_unset=True)):
        raise ArtifactError(f"{folder / MANIFEST} was changed after it was sealed. Restore the folder or train again.")


def seal_encoder(folder: Path) -> None:
    """Write the hashes of an encoder's files beside them."""
    _write_json(folder / ENCODER_MANIFEST, {name: sha256(folder / name) for name in ENCODER_FILES})


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a model folder.

    Raises:
        ArtifactError: if it is missing, malformed or of an unknown format.
    """
    path = folder / MANIFEST
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(f"{folder} is not a model: it has no {MANIFEST}. Train one with `make train`.") from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}.") from error
    found = raw.get("format") if isinstance(raw, dict) else None
    if found != FORMAT:
        raise ArtifactError(f"{path} has format {found!r}, this version of riskmodel reads format {FORMAT}.")
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        fields = ", ".join(sorted({str(item["loc"][0]) for item in error.errors()}))
        raise ArtifactError(f"{path} is malformed in: {fields}.") from None


def verify(folder: Path, files: dict[str, str], remedy: str) -> None:
    """Check that every file is there, unchanged.

    Raises:
        ArtifactError: naming the first file that is missing or whose bytes changed.
    """
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"{path} is missing. {remedy}")
        found = sha256(path)
        if found != expected:
            raise ArtifactError(f"{path} was changed: its sha256 is {found}, expected {expected}. {remedy}")


def load_encoder(folder: Path, spec: EncoderSpec, threads: int = 0, *, across_texts: bool = False) -> Encoder:
    """Load a verified encoder from its own folder (``model.onnx``, ``tokenizer.json``, ``encoder.json``)."""
    remedy = f"Rebuild it with `python -m training encoder {folder.parent}`."
    try:
        files = json.loads((folder / ENCODER_MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder / ENCODER_MANIFEST} cannot be read: {error}. {remedy}") from error
    if not isinstance(files, dict) or set(files) != set(ENCODER_FILES):
        raise ArtifactError(f"{folder / ENCODER_MANIFEST} must hold the hashes of {', '.join(ENCODER_FILES)}. {remedy}")
    verify(folder, files, remedy)
    return Encoder(
        folder / "model.onnx",
        folder / "tokenizer.json",
        prompt=spec.prompt,
        window_tokens=spec.window_tokens,
        threads=threads,
        across_texts=across_texts,
    )


def check_probe(folder: Path, encoder: Encoder) -> float:
    """Compare an encoder's vectors with those the version was trained on; return the lowest cosine.

    Raises:
        ArtifactError: if they differ more than ``PROBE_COSINE`` allows.
    """
    probe = json.loads((folder / PROBE).read_text(encoding="utf-8"))
    expected = np.array(probe["vectors"], dtype=np.float32)
    found = np.stack([encoding.vector for encoding in encoder.encode(probe["texts"])])
    lowest = float((expected * found).sum(axis=1).min())
    if lowest < PROBE_COSINE:
        raise ArtifactError(
            f"The encoder in {folder / ENCODER} is not the one that {folder.name} was trained with: "
            f"cosine {lowest:.4f} to {PROBE}, expected at least {PROBE_COSINE}."
        )
    return lowest


def write_probe(folder: Path, encoder: Encoder, texts: list[str]) -> None:
    """Write texts with the vectors that the encoder gives them."""
    vectors = [[round(float(value), 5) for value in encoding.vector] for encoding in encoder.encode(texts)]
    _write_json(folder / PROBE, {"texts": texts, "vectors": vectors})


def champion_folder(models: Path) -> Path:
    """Return the folder that serves: ``models`` itself if it is a version, else the one its champion file names."""
    if (models / MANIFEST).is_file():
        return models
    pointer = models / CHAMPION
    try:
        name = pointer.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ArtifactError(
            f"{models} is no model and names none: neither {MANIFEST} nor {CHAMPION} is there. "
            "Run in the project's folder, name a version, or train one with `make train`."
        ) from None
    return models / name


def load_model(folder: Path, policy: Policy, threads: int = 0, *, across_texts: bool = False) -> RiskModel:
    """Verify a model folder and load it; nothing of a folder that fails a check is used.

    Args:
        folder: a version's folder, or one that holds versions and a champion file.
        policy: the policy to rate by; must make ratings as the one that the model was trained for.
        threads: cores the encoder may use; 0 for all.
        across_texts: whether they share out the texts (for many at once) or each text (for a quick answer).

    Raises:
        ArtifactError: saying which file is wrong and why.
    """
    folder = champion_folder(folder)
    manifest = read_manifest(folder)
    if manifest.policy != policy.rating_version:
        raise ArtifactError(
            f"{folder / MANIFEST} was trained for policy {manifest.policy}, "
            f"this desk rates by policy {policy.rating_version}: train a version for it with `make train`."
        )
    check_seal(folder, manifest)
    verify(folder, manifest.files, "Restore the folder or train again.")
    parts = read_parts(folder)
    width = columns(len(parts.heads.bias))["categories"]
    if width.stop - width.start != len(policy.categories):
        raise ArtifactError(
            f"{folder / 'heads.npz'} knows {width.stop - width.start} categories, the policy {len(policy.categories)}."
        )
    return RiskModel(
        name=manifest.name,
        version=manifest.version,
        policy=policy,
        languages=LanguageDetector(),
        lexical=parts.lexical,
        encoder=load_encoder(folder / ENCODER, manifest.encoder, threads, across_texts=across_texts),
        heads=parts.heads,
        form=parts.form,
        blend=parts.blend,
        content_blend=parts.content_blend,
        thresholds=parts.thresholds,
        precedents=parts.precedents,
    )


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")


def utc_text(moment: datetime) -> str:
    """Return a moment as RFC 3339, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
