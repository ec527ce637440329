"""A version that came without its encoder in, the encoder beside it out, proved by the version's probe."""

import shutil
from pathlib import Path

from riskmodel.artifact import ENCODER, check_probe, load_encoder, read_manifest
from training.base_encoder import resolve_base
from training.encoders import exported
from training.fit import ADAPTER
from training.workspace import Workspace


def rebuild_encoder(workspace: Workspace, folder: Path) -> float:
    """Build the encoder from base and adapter, and return the lowest cosine of its vectors to the probe's.

    Raises:
        ArtifactError: if what was built is not the encoder that the version was trained with.
        EncoderError: if the base cannot be had.
    """
    spec = read_manifest(folder).encoder
    base = resolve_base(spec.base, workspace.cache)
    encoder = exported(workspace, base, folder / ADAPTER if spec.adapted else None, spec)
    work = folder / f".{ENCODER}.part"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(encoder, work)
    cosine = check_probe(folder, load_encoder(work, spec))
    work.rename(folder / ENCODER)
    return cosine
