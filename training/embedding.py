"""A Parquet corpus and an encoder in, its vectors as Parquet out, on any engine of ``riskmodel.scoring``; and back.

<OUT>/<file>-00000.parquet   row id text_sha256 encoder vector: digests as in the cache of ``training/vectors.py``
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.artifact import (
    ENCODER,
    ENCODER_FILES,
    ENCODER_MANIFEST,
    EncoderSpec,
    champion_folder,
    load_encoder,
    read_manifest,
)
from riskmodel.errors import DataError, EscalationError, FieldProblem
from riskmodel.records import read_escalation
from riskmodel.scoring.blocks import SUFFIX, Block, path_of
from riskmodel.scoring.engines import Worker
from riskmodel.scoring.packing import Packed, pack_files, unpacked
from riskmodel.scoring.parquet_rows import open_parquet
from riskmodel.scoring.parts import Counted, part_of, read_run
from riskmodel.scoring.rating import Job
from riskmodel.scoring.rows import Row
from riskmodel.stages.encoding import Encoder
from training.params import Params
from training.vectors import BATCH_TEXTS, Vector, encoder_digest, take_in, text_digest
from training.workspace import Workspace

TASK = "embed"
TEXT, BY, VECTOR = "text_sha256", "encoder", "vector"


@dataclass(frozen=True)
class _Packed:
    """An encoder, how it is fed, and what tells its vectors from others."""

    files: Packed
    spec: EncoderSpec
    digest: bytes


class Embedding:
    """Embedding by the encoder in a folder, fed as ``spec`` says."""

    def __init__(self, encoder: Path, spec: EncoderSpec) -> None:
        files = pack_files(encoder, (ENCODER_MANIFEST, *ENCODER_FILES))
        self._packed = _Packed(files, spec, encoder_digest(encoder, spec))
        self.made_by = {"task": TASK, BY: self._packed.digest.hex()}

    def worker(self, job: Job) -> Callable[[], Worker]:
        """Return what loads the encoder, verified, and embeds by it."""
        return partial(_make, self._packed, job)


class Embedder:
    """Embeds blocks with one loaded encoder."""

    def __init__(self, encoder: Encoder, packed: _Packed, job: Job) -> None:
        self._encoder = encoder
        self._digest = packed.digest.hex()
        self._job = job
        self._schema = schema(packed.spec.dimensions)

    def __call__(self, block: Block) -> Counted:
        """Embed the texts of a block; refuse rows without one.

        Raises:
            DataError: if it cannot be read, or its part not be written.
        """
        job, done, refused = self._job, 0, 0
        try:
            with (
                open_parquet(path_of(job.source, block.file), block.before, block.rows) as rows,
                part_of(job.target, block) as (path, refuse),
                pq.ParquetWriter(path, self._schema) as writer,
            ):
                while batch := list(islice(rows.rows, BATCH_TEXTS)):
                    readable = []
                    for row in batch:
                        problems = _problems(row)
                        if problems:
                            refuse(row.number, problems)
                        else:
                            readable.append(row)
                    writer.write_table(pa.Table.from_pylist(list(self._embed(readable)), schema=self._schema))
                    done, refused = done + len(readable), refused + len(batch) - len(readable)
        except OSError as error:
            raise DataError(f"{block.name} cannot be written: {error.strerror or error}.") from None
        return Counted(done=done, refused=refused)

    def _embed(self, rows: list[Row]) -> Iterator[dict[str, Any]]:
        texts = [row.fields["text"] for row in rows]
        for row, text, encoding in zip(rows, texts, self._encoder.encode(texts), strict=True):
            name = row.fields.get("id")
            yield {
                "row": row.number,
                "id": None if name is None else str(name),
                TEXT: text_digest(text).hex(),
                BY: self._digest,
                VECTOR: encoding.vector,
            }


def encoder_to_adapt(workspace: Workspace, params: Params) -> tuple[Path, EncoderSpec]:
    """Return the folder of the encoder that a recipe begins with, exported if need be, and how it is fed.

    Raises:
        EncoderError: if its base cannot be had.
    """
    from training.base_encoder import resolve_base  # noqa: PLC0415  torch, which a version's encoder does not need
    from training.encoders import exported, spec_of  # noqa: PLC0415

    base = resolve_base(params.encoder.base, workspace.cache)
    spec = spec_of(base, params.encoder)
    return exported(workspace, base, None, spec), spec


def encoder_of_version(model: Path) -> tuple[Path, EncoderSpec]:
    """Return the folder of a version's encoder, and how it is fed.

    Raises:
        ArtifactError: if there is no version.
    """
    folder = champion_folder(model)
    return folder / ENCODER, read_manifest(folder).encoder


def schema(dimensions: int) -> pa.Schema:
    """Return the columns of vectors of so many dimensions."""
    return pa.schema(
        [
            ("row", pa.int64()),
            ("id", pa.string()),
            (TEXT, pa.string()),
            (BY, pa.string()),
            (VECTOR, pa.list_(pa.float32(), dimensions)),
        ]
    )


def fill_cache(folder: Path, encoder: Path, spec: EncoderSpec, cache: Path) -> int:
    """Put the vectors of a finished output into the cache that every fit reads; return how many.

    Raises:
        DataError: if it is not finished, or another encoder gave the vectors.
    """
    run, ours = read_run(folder), encoder_digest(encoder, spec).hex()
    if run.finished is None:
        raise DataError(f"{folder} is not finished. Run the same command again.")
    if run.made_by.get(BY) != ours:
        raise DataError(f"{folder} holds the vectors of encoder {run.made_by.get(BY)}, expected {ours}.")
    return take_in(cache, _read(folder))


def _read(folder: Path) -> Iterator[Vector]:
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH_TEXTS, columns=[TEXT, BY, VECTOR]):
                vectors = batch.column(VECTOR).flatten().to_numpy().reshape(batch.num_rows, -1)
                names = zip(batch.column(BY).to_pylist(), batch.column(TEXT).to_pylist(), strict=True)
                for (encoder, text), vector in zip(names, vectors, strict=True):
                    yield bytes.fromhex(encoder), bytes.fromhex(text), vector.astype(np.float32, copy=False)


def _problems(row: Row) -> list[FieldProblem]:
    """Return what is wrong with a row's text; its other fields may be of any corpus."""
    if row.problem is not None:
        return [row.problem]
    try:
        read_escalation({name: value for name, value in row.fields.items() if name == "text"})
    except EscalationError as error:
        return error.problems
    return []


def _make(packed: _Packed, job: Job) -> Embedder:
    with unpacked(packed.files) as folder:
        return Embedder(load_encoder(folder, packed.spec, job.threads, across_texts=True), packed, job)
