"""The model that answers follows its address: swapped when a version is good, refused loudly when it is not."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from riskmodel.artifact import MANIFEST, read_manifest, seal
from riskmodel.errors import ArtifactError, SettingsError
from riskmodel.service import loading
from riskmodel.service.errors import NotReadyError, VersionError
from riskmodel.service.following import Models
from riskmodel.service.sources import FolderSource, open_source

SECONDS = 20


class Listened:
    def __init__(self) -> None:
        self.loaded, self.refused = list[str](), 0

    def model_loaded(self, version: str) -> None:
        self.loaded.append(version)

    def model_refused(self) -> None:
        self.refused += 1


@pytest.fixture
def versions(tiny_model: Path, tmp_path: Path) -> Path:
    """Return a folder of two versions, the first of them champion."""
    for version in ("one", "two"):
        folder = Path(shutil.copytree(tiny_model, tmp_path / "models" / version))
        seal(folder, read_manifest(folder).model_copy(update={"version": version}))
    crown(tmp_path / "models", "one")
    return tmp_path / "models"


def crown(models: Path, version: str) -> None:
    (models / "champion.txt").write_text(version + "\n")


@asynccontextmanager
async def following(folder: Path, listened: Listened, *, keep: int = 1, seconds: float = 0.01) -> AsyncIterator[Models]:
    models = Models(
        partial(FolderSource, folder),
        partial(loading.load, threads=1),
        keep=keep,
        seconds=seconds,
        listener=listened,
        on_failure=lambda: None,
    )
    models.start()
    await until(lambda: models.state != "loading")
    yield models
    await models.stop()


async def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def test_a_new_champion_is_swapped_in_and_the_old_one_ends_what_it_began(versions: Path) -> None:
    async def act() -> None:
        async with following(versions, listened) as models:
            begun = models.current()
            crown(versions, "two")
            await until(lambda: models.current().version == "two")
            assert begun.version == "one"
            assert models.versions == ["two"]
            with pytest.raises(VersionError):
                models.current("one")

    listened = Listened()
    asyncio.run(act())

    assert listened.loaded == ["one", "two"]


def test_a_version_that_is_kept_can_be_asked_for(versions: Path) -> None:
    async def act() -> None:
        async with following(versions, Listened(), keep=2) as models:
            crown(versions, "two")
            await until(lambda: models.current().version == "two")
            assert models.current("one").version == "one"
            assert models.versions == ["two", "one"]

    asyncio.run(act())


@pytest.mark.parametrize("damaged", ["heads.npz", "encoder/model.onnx", "probe.json", MANIFEST])
def test_a_corrupt_version_is_refused_and_the_old_one_stays(versions: Path, damaged: str) -> None:
    async def act() -> None:
        async with following(versions, listened) as models:
            path = versions / "two" / damaged
            path.write_bytes(path.read_bytes()[:-2] + b"xx")
            crown(versions, "two")
            if damaged == MANIFEST:  # it cannot even be told which version that is
                await asyncio.sleep(0.1)
            else:
                await until(lambda: listened.refused == 1)
                assert damaged in str(models.refusal)
            await asyncio.sleep(0.05)
            assert models.current().version == "one"
            assert models.state == "ready"

    listened = Listened()
    asyncio.run(act())

    assert listened.refused <= 1
    assert listened.loaded == ["one"]


def test_an_encoder_that_gives_other_vectors_is_refused(versions: Path) -> None:
    async def act() -> None:
        async with following(versions, listened) as models:
            probe = json.loads((versions / "two" / "probe.json").read_text())
            probe["vectors"] = [[-value for value in vector] for vector in probe["vectors"]]
            (versions / "two" / "probe.json").write_text(json.dumps(probe))
            seal(versions / "two", read_manifest(versions / "two"))
            crown(versions, "two")
            await until(lambda: listened.refused == 1)
            assert "cosine" in str(models.refusal)
            assert models.current().version == "one"

    listened = Listened()
    asyncio.run(act())


def test_a_refused_version_that_is_mended_is_taken(versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        async with following(versions, Listened()) as models:
            whole = (versions / "two" / "heads.npz").read_bytes()
            (versions / "two" / "heads.npz").write_bytes(whole[:-1])
            crown(versions, "two")
            await until(lambda: models.refusal is not None)
            (versions / "two" / "heads.npz").write_bytes(whole)
            await until(lambda: models.current().version == "two")
            assert models.refusal is None

    monkeypatch.setattr("riskmodel.service.following.RETRY_REFUSED_SECONDS", 0.05)
    asyncio.run(act())


@pytest.mark.parametrize("error", [ArtifactError("heads.npz is missing."), KeyError("blend")])
def test_a_first_version_that_cannot_be_loaded_is_a_failure_that_is_told_once(error: Exception) -> None:
    def fail() -> FolderSource:
        raise error

    async def act() -> Models:
        models = Models(
            fail,
            partial(loading.load, threads=1),
            keep=1,
            seconds=0.01,
            listener=Listened(),
            on_failure=lambda: told.append("failed"),
        )
        models.start()
        await until(lambda: models.state != "loading")
        with pytest.raises(NotReadyError):
            models.current()
        await models.stop()
        return models

    told: list[str] = []
    models = asyncio.run(act())

    assert told == ["failed"]
    assert isinstance(models.failure, ArtifactError)


def test_after_the_end_nothing_answers(versions: Path) -> None:
    async def act() -> None:
        async with following(versions, Listened()) as models:
            pass
        with pytest.raises(NotReadyError, match="stopped"):
            models.current()

    asyncio.run(act())


@pytest.mark.parametrize("address", ["models:/riskmodel", "models:/riskmodel@", "models:/@champion", "models:/a/b"])
def test_a_registry_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="models:/name@alias"):
        open_source(address)
