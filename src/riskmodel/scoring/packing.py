"""The folder of a version in, its files as one value out, and back: how a model gets to machines that lack it."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from riskmodel.artifact import ENCODER, ENCODER_FILES, ENCODER_MANIFEST, MANIFEST, Manifest, read_manifest


@dataclass(frozen=True)
class Packed:
    """A folder's name and the bytes of its files. Whoever loads what they are checks every hash, as always."""

    name: str
    files: dict[str, bytes] = field(repr=False)


def pack(folder: Path) -> tuple[Manifest, Packed]:
    """Read a version's manifest and files.

    Raises:
        ArtifactError: if it has no readable manifest.
    """
    manifest = read_manifest(folder)
    encoder = (f"{ENCODER}/{name}" for name in (ENCODER_MANIFEST, *ENCODER_FILES))
    return manifest, pack_files(folder, [MANIFEST, *manifest.files, *encoder])


def pack_files(folder: Path, names: Iterable[str]) -> Packed:
    """Read those of some files that a folder has."""
    files = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    return Packed(folder.name, files)


@contextmanager
def unpacked(packed: Packed) -> Iterator[Path]:
    """Yield a folder with the files, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="riskmodel-") as work:
        folder = Path(work) / packed.name
        for name, content in packed.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield folder
