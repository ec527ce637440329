import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel import Escalation, Policy, RiskModel, load_model
from riskmodel.artifact import (
    CHAMPION,
    ENCODER,
    FORMAT,
    MANIFEST,
    PROBE_COSINE,
    check_probe,
    load_encoder,
    read_manifest,
    read_parts,
    seal,
    seal_encoder,
    write_parts,
)
from riskmodel.errors import ArtifactError
from riskmodel.records import LANGUAGES
from riskmodel.stages.decision import Thresholds
from riskmodel.stages.form import FormHead
from riskmodel.stages.rating import Blend
from tests.tiny import SPEC, build_tiny_encoder

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEALED = [
    "heads.npz",
    "lexical.json",
    "calibration.json",
    "precedents.npz",
    "precedents.jsonl",
    "reference.json",
    "reference.npz",
    "probe.json",
    "card.md",
    "encoder/model.onnx",
    "encoder/tokenizer.json",
]


@pytest.fixture(scope="module")
def escalations(train_frame: pd.DataFrame) -> list[Escalation]:
    return [Escalation(text=text, id=name) for text, name in train_frame[["text", "id"]].iloc[::400].to_numpy()]


def refusal(folder: Path, policy: Policy) -> str:
    with pytest.raises(ArtifactError) as caught:
        load_model(folder, policy)
    return str(caught.value)


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / MANIFEST
    raw = json.loads(path.read_text(encoding="utf-8"))
    change(raw)
    path.write_text(json.dumps(raw), encoding="utf-8")


def reseal(folder: Path) -> None:
    seal(folder, read_manifest(folder))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_folder_loads_the_same_model_each_time(
    tiny_model: Path, policy: Policy, model: RiskModel, escalations: list[Escalation]
) -> None:
    again = load_model(tiny_model, policy, threads=1)

    assert again.assess(escalations, NOW) == model.assess(escalations, NOW)
    assert (again.name, again.version) == ("riskmodel", "tiny")


def test_a_model_that_was_read_and_written_again_gives_identical_assessments(
    tiny_model: Path, tmp_path: Path, policy: Policy, model: RiskModel, escalations: list[Escalation]
) -> None:
    write_parts(tmp_path, read_parts(tiny_model))
    shutil.copytree(tiny_model / ENCODER, tmp_path / ENCODER)
    seal(tmp_path, read_manifest(tiny_model))

    found = load_model(tmp_path, policy).assess(escalations, NOW)

    assert found == model.assess(escalations, NOW)


def test_each_languages_mass_and_every_level_are_read_as_they_were_written(tiny_model: Path, tmp_path: Path) -> None:
    levels = Thresholds(
        conformal_mass={"en": 0.91, "es": 0.8399999737739563, "pt": 1.0},
        accept_safety=2.0,
        border=0.0625,
        familiarity=-0.125,
        category=0.35,
    )

    write_parts(tmp_path, replace(read_parts(tiny_model), thresholds=levels))

    assert read_parts(tmp_path).thresholds == levels


def test_what_tells_content_and_how_it_is_calibrated_are_read_as_they_were_written(
    tiny_model: Path, tmp_path: Path
) -> None:
    form = FormHead(np.linspace(-1, 1, SPEC.dimensions, dtype=np.float32), bias=0.25)
    blend = Blend(table_weight=0.125, temperature=1.75, critical_chance=0.375)

    write_parts(tmp_path, replace(read_parts(tiny_model), form=form, content_blend=blend))

    found = read_parts(tmp_path)
    assert found.form.weights.tolist() == form.weights.tolist()
    assert (found.form.bias, found.content_blend) == (0.25, blend)
    assert found.blend == read_parts(tiny_model).blend


def test_a_model_has_a_mass_for_each_language_that_it_was_trained_in(tiny_model: Path) -> None:
    assert read_parts(tiny_model).thresholds.conformal_mass.keys() >= set(LANGUAGES)


def test_a_moved_folder_loads_as_before(
    own_tiny_model: Path, tmp_path: Path, policy: Policy, model: RiskModel, escalations: list[Escalation]
) -> None:
    moved = own_tiny_model.rename(tmp_path / "a name with spaces é")

    assert load_model(moved, policy).assess(escalations, NOW) == model.assess(escalations, NOW)


def test_a_version_that_was_sealed_before_a_field_of_the_manifest_existed_loads(
    own_tiny_model: Path, policy: Policy
) -> None:
    def as_before(raw: dict[str, Any]) -> None:
        del raw["encoder"]["vocabulary"]
        del raw["seal"]
        raw["seal"] = hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()

    change_manifest(own_tiny_model, as_before)

    assert load_model(own_tiny_model, policy).version == "tiny"


def test_a_field_that_was_taken_out_of_a_manifest_stops_loading(own_tiny_model: Path, policy: Policy) -> None:
    change_manifest(own_tiny_model, lambda raw: raw["encoder"].pop("vocabulary"))

    assert "was changed after it was sealed" in refusal(own_tiny_model, policy)


def test_every_file_of_a_model_is_sealed(tiny_model: Path) -> None:
    files = {path.relative_to(tiny_model).as_posix() for path in tiny_model.rglob("*") if path.is_file()}

    assert files == {*SEALED, MANIFEST, f"{ENCODER}/encoder.json"}


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("name", SEALED)
def test_one_changed_byte_stops_loading_and_the_file_is_named(
    own_tiny_model: Path, policy: Policy, name: str, place: str
) -> None:
    path = own_tiny_model / name
    size = path.stat().st_size
    flip(path, {"first": 0, "middle": size // 2, "last": size - 1}[place])

    message = refusal(own_tiny_model, policy)

    assert str(path) in message
    assert "sha256" in message


@pytest.mark.parametrize("name", SEALED)
def test_a_missing_file_stops_loading_and_is_named(own_tiny_model: Path, policy: Policy, name: str) -> None:
    (own_tiny_model / name).unlink()

    message = refusal(own_tiny_model, policy)

    assert str(own_tiny_model / name) in message
    assert "missing" in message


def test_a_changed_hash_of_the_encoder_stops_loading(own_tiny_model: Path, policy: Policy) -> None:
    path = own_tiny_model / ENCODER / "encoder.json"
    flip(path, path.read_text().index("model.onnx") + 20)

    assert str(path.parent) in refusal(own_tiny_model, policy)


@pytest.mark.parametrize(
    "content",
    ["{}", "[]", "null", '{"model.onnx": 5}', '{"tokenizer.json": "", "model.onnx": null}', "not JSON"],
)
def test_an_encoder_whose_hashes_are_lost_stops_loading(own_tiny_model: Path, policy: Policy, content: str) -> None:
    (own_tiny_model / ENCODER / "encoder.json").write_text(content)

    assert str(own_tiny_model / ENCODER) in refusal(own_tiny_model, policy)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda raw: raw["encoder"].update(window_tokens=65), id="the window"),
        pytest.param(lambda raw: raw["encoder"].update(prompt="passage: "), id="the prompt"),
        pytest.param(lambda raw: raw.update(version="other"), id="the version"),
        pytest.param(lambda raw: raw["metrics"].update(kappa=0.95), id="a figure"),
        pytest.param(lambda raw: raw["files"].pop("heads.npz"), id="a file left out"),
        pytest.param(lambda raw: raw.update(files={}), id="all files left out"),
    ],
)
def test_a_changed_manifest_stops_loading_and_is_named(
    own_tiny_model: Path, policy: Policy, change: Callable[[dict[str, Any]], object]
) -> None:
    change_manifest(own_tiny_model, change)

    assert str(own_tiny_model / MANIFEST) in refusal(own_tiny_model, policy)


@pytest.mark.parametrize("found", [0, 1, 3, "2", None, 99], ids=repr)
def test_an_unknown_format_stops_loading_and_both_formats_are_told(
    own_tiny_model: Path, policy: Policy, found: object
) -> None:
    change_manifest(own_tiny_model, lambda raw: raw.update(format=found))

    message = refusal(own_tiny_model, policy)

    assert str(own_tiny_model / MANIFEST) in message
    assert f"format {found!r}" in message
    assert f"reads format {FORMAT}" in message


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"', b"{}", b'{"format": 2}'],
    ids=["empty", "broken off", "a list", "null", "not UTF-8", "text", "an empty object", "only a format"],
)
def test_a_malformed_manifest_stops_loading_and_is_named(own_tiny_model: Path, policy: Policy, content: bytes) -> None:
    (own_tiny_model / MANIFEST).write_bytes(content)

    assert str(own_tiny_model / MANIFEST) in refusal(own_tiny_model, policy)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda raw: raw.pop("policy"), "policy"),
        (lambda raw: raw.update(colour="red"), "colour"),
        (lambda raw: raw["encoder"].pop("prompt"), "encoder"),
        (lambda raw: raw.update(files=["heads.npz"]), "files"),
    ],
    ids=["a field is missing", "an unknown field", "a field of the encoder is missing", "a list of files"],
)
def test_a_manifest_with_a_wrong_field_stops_loading_and_names_the_field(
    own_tiny_model: Path, policy: Policy, change: Callable[[dict[str, Any]], object], field: str
) -> None:
    change_manifest(own_tiny_model, change)

    message = refusal(own_tiny_model, policy)

    assert str(own_tiny_model / MANIFEST) in message
    assert field in message


def test_a_model_made_for_another_policy_stops_loading_and_both_versions_are_told(
    own_tiny_model: Path, policy: Policy
) -> None:
    message = refusal(own_tiny_model, policy.model_copy(update={"version": "2.0.1"}))

    assert str(own_tiny_model / MANIFEST) in message
    assert f"policy {policy.rating_version}," in message
    assert "policy 2.0" in message


def test_a_model_for_other_categories_stops_loading(own_tiny_model: Path, policy: Policy) -> None:
    fewer = {name: rule for name, rule in policy.categories.items() if name != "hate"}

    message = refusal(own_tiny_model, policy.model_copy(update={"categories": fewer}))

    assert "15 categories" in message
    assert "14" in message


def test_a_model_without_its_encoder_says_what_to_run(own_tiny_model: Path, policy: Policy) -> None:
    shutil.rmtree(own_tiny_model / ENCODER)

    message = refusal(own_tiny_model, policy)

    assert str(own_tiny_model / ENCODER) in message
    assert f"python -m training encoder {own_tiny_model}" in message


def test_a_folder_without_model_or_champion_says_what_to_run(tmp_path: Path, policy: Policy) -> None:
    message = refusal(tmp_path, policy)

    assert str(tmp_path) in message
    assert "make train" in message


def test_a_folder_that_does_not_exist_says_so(tmp_path: Path, policy: Policy) -> None:
    assert str(tmp_path / "nowhere") in refusal(tmp_path / "nowhere", policy)


def test_a_folder_of_versions_loads_the_one_its_champion_file_names(own_tiny_model: Path, policy: Policy) -> None:
    (own_tiny_model.parent / CHAMPION).write_text(f"{own_tiny_model.name}\n")

    assert load_model(own_tiny_model.parent, policy).version == "tiny"


@pytest.mark.parametrize(
    "content", [b"gone\n", b"", b"\xff\xfe\n", b"a\x00b"], ids=["a lost version", "empty", "bytes", "a NUL"]
)
def test_a_champion_file_that_names_no_version_is_an_error(tmp_path: Path, policy: Policy, content: bytes) -> None:
    (tmp_path / CHAMPION).write_bytes(content)

    assert str(tmp_path) in refusal(tmp_path, policy)


def test_the_encoder_a_version_was_trained_with_passes_its_probe(own_tiny_model: Path) -> None:
    encoder = load_encoder(own_tiny_model / ENCODER, SPEC)

    assert check_probe(own_tiny_model, encoder) == pytest.approx(1, abs=1e-3)


def test_another_encoder_fails_the_probe(own_tiny_model: Path, tmp_path: Path) -> None:
    build_tiny_encoder(tmp_path / "other", ["Other words make another vocabulary, so other vectors."] * 3)
    other = load_encoder(tmp_path / "other", SPEC)

    with pytest.raises(ArtifactError, match=rf"expected at least {PROBE_COSINE}") as caught:
        check_probe(own_tiny_model, other)

    assert str(own_tiny_model / ENCODER) in str(caught.value)


def test_an_encoder_fed_another_prompt_fails_the_probe(own_tiny_model: Path) -> None:
    other = load_encoder(own_tiny_model / ENCODER, SPEC.model_copy(update={"prompt": "escalation received: "}))

    with pytest.raises(ArtifactError, match="cosine"):
        check_probe(own_tiny_model, other)


def test_no_file_of_a_model_is_a_pickle(tiny_model: Path) -> None:
    for path in filter(Path.is_file, tiny_model.rglob("*")):
        assert path.suffix in {".npz", ".json", ".jsonl", ".md", ".onnx"}
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                assert all(arrays[name].dtype.kind in "fiu" for name in arrays.files)


OF_AN_EARLIER_FORMAT = (
    b'{"blend": {"table_weight": 0.5, "temperature": 1.0, "critical_chance": 0.3},'
    b' "thresholds": {"conformal_mass": 0.9, "accept_safety": 0.8, "category": 0.4}}'
)


class Trap:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.file,)


@pytest.mark.parametrize(("name", "array"), [("heads.npz", "bias"), ("precedents.npz", "scales")])
def test_a_pickle_in_an_array_is_never_run_and_stops_loading(
    own_tiny_model: Path, tmp_path: Path, policy: Policy, name: str, array: str
) -> None:
    with np.load(own_tiny_model / name) as arrays:
        content = {key: arrays[key] for key in arrays.files}
    content[array] = np.array([Trap(tmp_path / "sprung")], dtype=object)
    np.savez(own_tiny_model / name, allow_pickle=True, **content)
    reseal(own_tiny_model)

    message = refusal(own_tiny_model, policy)

    assert not (tmp_path / "sprung").exists()
    assert str(own_tiny_model / name) in message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("heads.npz", b"no zip"),
        ("precedents.npz", b""),
        ("lexical.json", b"{"),
        ("calibration.json", b"{}"),
        ("calibration.json", b'{"blend": {}, "thresholds": {}}'),
        ("calibration.json", OF_AN_EARLIER_FORMAT),
        ("precedents.jsonl", b'{"id": "x"}\n'),
    ],
)
def test_a_sealed_file_that_cannot_be_read_stops_loading_and_is_named(
    own_tiny_model: Path, policy: Policy, name: str, content: bytes
) -> None:
    (own_tiny_model / name).write_bytes(content)
    reseal(own_tiny_model)

    assert str(own_tiny_model / name) in refusal(own_tiny_model, policy)


def test_a_sealed_file_that_is_no_encoder_stops_loading(own_tiny_model: Path, policy: Policy) -> None:
    (own_tiny_model / ENCODER / "model.onnx").write_bytes(b"no model")
    seal_encoder(own_tiny_model / ENCODER)

    assert str(own_tiny_model / ENCODER / "model.onnx") in refusal(own_tiny_model, policy)
